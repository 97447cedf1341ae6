import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { pythonOf, root, venv } from '../../../install/place.js'

const python = pythonOf(venv), skip = !existsSync(python) && 'needs the .venv of node install.js'
const source = [
  'const epochs = 10 // how many', "const handle = 'http://a//b' // where", "const name = 'x'", 'const many = {', '  a: 1,', '}',
]
const script = `import sys, nbformat; sys.path.insert(0, sys.argv[1]); import execute
cell = nbformat.v4.new_code_cell(sys.argv[2], metadata={'tags': ['parameters']})
notebook = nbformat.v4.new_notebook(cells=[cell])
execute.parameter_cell(notebook, sys.argv[3:])
sys.stdout.buffer.write(cell.source.encode())`

test('-p replaces a whole value, quotes, slashes and emoji included, and leaves the comment', { skip }, () => {
  const given = ['epochs=3', 'handle=https://x//y', `name=it's "🐱"`]
  const { stdout, stderr } = spawnSync(python, ['-c', script, join(root, 'install'), source.join('\n'), ...given],
    { encoding: 'utf8' })
  assert.equal(stderr, '')
  assert.deepEqual(stdout.split('\n').slice(0, 3),
    ['const epochs = 3 // how many', 'const handle = "https://x//y" // where', String.raw`const name = "it's \"🐱\""`])
})

for (const [given, expected] of [
  ['epochs', /-p expects name=value/],
  ['=3', /-p expects name=value/],
  ['epohs=3', /no parameter 'epohs'; it has epochs, handle, name, many/],
  ['many={}', /'many' goes over several lines/],
] as const) test(`-p ${given} ends with one clear error and nothing is executed`, { skip }, t => {
  const folder = mkdtempSync(join(tmpdir(), 'graft-execute-'))
  const notebook = join(folder, 'a.ipynb'), out = join(folder, 'out.ipynb')
  t.after(() => rmSync(folder, { recursive: true }))
  const metadata = { tags: ['parameters'] }
  const cell = { cell_type: 'code', source: source.join('\n'), metadata, outputs: [], execution_count: null }
  writeFileSync(notebook, JSON.stringify({ cells: [cell], metadata: {}, nbformat: 4, nbformat_minor: 4 }))
  const { status, stderr } = spawnSync(python, [join(root, 'install', 'execute.py'), notebook, out, given], { encoding: 'utf8' })
  assert.equal(status, 2)
  assert.match(stderr, expected)
  assert.doesNotMatch(stderr, /Traceback/)
  assert.equal(existsSync(out), false)
})
