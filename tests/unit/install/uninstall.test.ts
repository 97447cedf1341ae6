import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { root } from '../../../install/place.js'

const scratch = mkdtempSync(join(tmpdir(), 'graft-uninstall-')), clone = join(scratch, 'clone'), home = join(scratch, 'home'), prefix = join(scratch, 'conda')
after(() => rmSync(scratch, { recursive: true, force: true }))

const files = (folder: string) => readdirSync(folder, { recursive: true }).map(String).sort()
const data = join(home, '.local', 'share', 'jupyter')
const env = { HOME: home, PATH: process.env.PATH, JUPYTER_DATA_DIR: data }
const node = (...args: string[]) => spawnSync(process.execPath, args, { cwd: clone, env, encoding: 'utf8' })

function put(path: string, text = 'x') {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

test('--uninstall leaves what was there before: the clone, the home folder, the Jupyter it was registered in', { skip: process.platform !== 'linux' && 'folders by Linux names' }, () => {
  mkdirSync(home)
  for (const name of ['install.js', 'install', 'package.json', 'package-lock.json', join('kernel', 'logo')]) cpSync(join(root, name), join(clone, name), { recursive: true })
  put(join(prefix, 'lib', 'python3.12', 'site-packages', 'papermill', '__init__.py'))
  put(join(prefix, 'share', 'jupyter', 'kernels', 'other', 'kernel.json'), '{ "argv": ["other"] }')
  const before = [clone, home, prefix].map(files)
  const { status, stderr } = node('-e', `import('./install/kernelspec.js').then(({ register }) => [${JSON.stringify(data)}, ${JSON.stringify(join(prefix, 'share', 'jupyter'))}].forEach(share => register(share)))`)
  assert.equal(status, 0, stderr)
  for (const path of ['node_modules/zeromq/a.js', '.venv/bin/python', '.graft/node/bin/node']) put(join(clone, path))
  for (const path of ['.cache/graft/hub/model', '.local/state/graft/history.sqlite', '.local/state/graft/runs/5f3a9c10/run.json']) put(join(home, path))
  assert.equal(files(prefix).filter(path => /graft/.test(path)).length > 5, true)

  const first = node('install.js', '--uninstall')
  assert.match(first.stdout, /training runs stay: .*runs, 1 MB; node install\.js --uninstall --runs removes them/, first.stderr)
  assert.ok(files(home).includes(join('.local', 'state', 'graft', 'runs', '5f3a9c10', 'run.json')))
  assert.equal(node('install.js', '--uninstall', '--runs').status, 0)
  assert.deepEqual([clone, home, prefix].map(files), before)
})
