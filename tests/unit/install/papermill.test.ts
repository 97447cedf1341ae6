import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { register } from '../../../install/kernelspec.js'
import { putTranslator, removeTranslator } from '../../../install/papermill.js'
import { root } from '../../../install/place.js'
import { writeNotebook } from '../../notebooks/write.ts'

const python = process.env.GRAFT_PYTHON ?? join(root, '.graft', 'python-tests', 'bin', 'python')
const skip = !existsSync(python) && 'needs papermill, which npm test brings'
const folder = mkdtempSync(join(tmpdir(), 'graft-papermill-')), prefix = join(folder, 'prefix'), site = join(prefix, 'lib', 'python3.11', 'site-packages')
after(() => rmSync(folder, { recursive: true, force: true }))
mkdirSync(join(site, 'papermill'), { recursive: true })

const papermill = (...args: string[]) => spawnSync(python, ['-m', 'papermill', '--no-progress-bar', ...args],
  { encoding: 'utf8', cwd: folder, env: { ...process.env, PYTHONPATH: site, JUPYTER_PATH: join(prefix, 'share', 'jupyter'), JUPYTER_PREFER_ENV_PATH: '0' } })

test('papermill sets parameters, of every type that it has', { skip, timeout: 120_000 }, () => {
  register(join(prefix, 'share', 'jupyter'))
  writeNotebook(join(folder, 'in.ipynb'),
    { source: 'let epochs = 10 // how many\nconst rates: number[] = []\nconst name = "a"\nconst deep = {}\nconst flag = false\nconst none = 1\nconst small = 1.5', tags: ['parameters'] },
    'const twice: number = epochs * 2\nepochs += 1\nconsole.log(JSON.stringify({ twice, rates, name, deep, flag, none, small }))')
  writeFileSync(join(folder, 'p.yaml'), 'rates: [1.0e-05, 2]\nname: "it\'s \\"我\\" \\\\ \\n"\ndeep: { a: { b: [null, true] }, "c d": -2 }\nflag: true\nnone: null\nsmall: 0.25\n')
  const { status, stderr } = papermill('in.ipynb', 'out.ipynb', '-p', 'epochs', '3', '-f', 'p.yaml')
  assert.equal(status, 0, stderr)
  const { cells } = JSON.parse(readFileSync(join(folder, 'out.ipynb'), 'utf8'))
  assert.deepEqual(cells[1].metadata.tags, ['injected-parameters'])
  assert.deepEqual(JSON.parse([cells[2].outputs[0].text].flat().join('')),
    { twice: 6, rates: [1e-5, 2], name: 'it\'s "我" \\ \n', deep: { a: { b: [null, true] }, 'c d': -2 }, flag: true, none: null, small: 0.25 })
})

test('papermill lists a notebook\'s parameters', { skip }, () => {
  const { stdout } = papermill('--help-notebook', 'in.ipynb')
  assert.match(stdout, /epochs: Unknown type \(default 10\)\s+how many/)
  assert.match(stdout, /rates: number\[\] \(default \[\]\)/)
})

test('the module lies only beside a papermill, and goes with the kernel', () => {
  const put = readdirSync(site).filter(name => name !== '__pycache__').sort()
  assert.deepEqual(put, ['graft_papermill-0.1.0.dist-info', 'graft_papermill.py', 'papermill'])
  const other = join(folder, 'other')
  mkdirSync(join(other, 'lib', 'python3.12', 'site-packages'), { recursive: true })
  assert.equal(putTranslator(other, { onlyBeside: true }), false)
  removeTranslator(prefix)
  assert.deepEqual(readdirSync(site), ['papermill'])
})
