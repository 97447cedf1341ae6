import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { pythonOf, root, venv } from '../../install/place.js'
import { type Mirror, startMirror } from '../mirror/server.ts'
import { thin } from '../fixtures/models/models.ts'
import { type Output, textOf } from './notebook.ts'

const folder = mkdtempSync(join(tmpdir(), 'graft-failures-')), disk = join(folder, 'disk'),
  { folder: model } = await thin('thin_slim')
mkdirSync(join(folder, 'empty'))
mkdirSync(join(folder, 'around', 'trunk'), { recursive: true })
writeFileSync(join(folder, 'around', 'trunk', 'saved_model.pb'), 'graph')

/** A file system that the archive fits on, but not the model, or false. */
function smallDisk(): boolean {
  mkdirSync(disk)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=80k', 'tmpfs', disk], { stdio: 'pipe' })
    return true
  } catch {
    return false
  }
}
const small = smallDisk()

/** What a user types, and the one error that the cell shows: each offers a way out. */
const rows: [what: string, code: string, message: RegExp][] = [
  ['401', "await hub.load('https://tfhub.dev/unauthorized/1')", /refuses it \(401\)/],
  ['403', "await hub.load('https://tfhub.dev/forbidden/1')", /refuses it \(403\)/],
  ['404', "await hub.load('https://tfhub.dev/missing/1')",
    /there is no such model \(404\)\. Check the handle's spelling and version/],
  ['a web page', "await hub.load('https://tfhub.dev/page/1')", /a web page, not a model/],
  ['a corrupt archive', "await hub.load('https://tfhub.dev/corrupt/1')", /damaged/],
  ['another archive', "await hub.load('https://tfhub.dev/not/1')", /damaged or no model/],
  ['an empty folder', "await hub.load('./empty')", /not a SavedModel: '.*empty' has no saved_model\.pb/],
  ['a folder around the model', "await hub.load('./around')", /Did you mean hub\.load\('.*around\/trunk'\)/],
  ['no such folder', "await hub.load('./nothing')", /no such file or folder: '\.\/nothing'/],
  ['no handle', 'await hub.load(undefined as never)', /expected a handle.*received undefined/],
  ...small ? [['a full disk', `process.env.GRAFT_CACHE_DIR = ${JSON.stringify(disk)}\nawait hub.load('https://tfhub.dev/good/1')`,
    /the disk is full.*Nothing was left behind.*GRAFT_CACHE_DIR/s] as [string, string, RegExp]] : [],
]
/** What a model tells of its layers: a wrong name stops the next cell before it runs. */
const named = [`const base = await hub.load(${JSON.stringify(model)})`, "console.log('ran')\nfreeze(base, 'MobilenetV2.Konv')",
  "freeze(base, 'MobilenetV2.Conv').changed"]
const kinds = ['unauthorized', 'forbidden', 'missing', 'page', 'corrupt'] as const

let mirror: Mirror, outputs: Output[][]

before(async () => {
  mirror = await startMirror(Object.fromEntries([...kinds, 'good', 'not'].map(kind => [`/${kind}/1`, model])),
    { ...Object.fromEntries(kinds.map(kind => [`/${kind}/1`, kind])), '/not/1': 'not a tar' })
  const cell = (source: string) => ({ cell_type: 'code', id: `c${Math.random()}`.replace('.', ''), source, outputs: [],
    execution_count: null, metadata: { tags: ['raises-exception'] } })
  writeFileSync(join(folder, 'failures.ipynb'), JSON.stringify({ nbformat: 4, nbformat_minor: 5, cells: [...rows.map(([, code]) => code), ...named].map(cell),
    metadata: { kernelspec: { name: 'graft', display_name: 'Graft', language: 'typescript' } } }))
  await new Promise<void>(resolve => {
    execFile(pythonOf(venv), [join(root, 'install', 'execute.py'), join(folder, 'failures.ipynb'), join(folder, 'out.ipynb')],
      { env: { ...process.env, JUPYTER_PREFER_ENV_PATH: '1', GRAFT_HUB_MIRROR: mirror.url, GRAFT_CACHE_DIR: join(folder,
        'cache') } }, () => resolve())
  })
  outputs = JSON.parse(readFileSync(join(folder, 'out.ipynb'), 'utf8')).cells.map((one: { outputs: Output[] }) => one.outputs)
})
after(async () => {
  await mirror.close()
  if (small) execFileSync('umount', [disk])
  rmSync(folder, { recursive: true })
})

for (const [i, [what, , message]] of rows.entries()) {
  test(`a cell shows of ${what} one error, with the way out and without the library's stack`, () => {
    const errors = outputs[i].filter(({ output_type: type }) => type === 'error')
    assert.equal(errors.length, 1, JSON.stringify(outputs[i]))
    const [{ ename, evalue, traceback }] = errors
    assert.equal(ename, 'GraftError')
    assert.match(evalue!, message)
    assert.match(evalue!, /hub\.load\('|'\.\/folder'/)
    assert.doesNotMatch(traceback!.join('\n'), /lib\/hub|node:internal|\.ts:\d/)
  })
}

if (!small) test('a cell shows of a full disk one error', { skip: 'a small file system cannot be mounted here' })

test('a name of a layer that the model has not stops the cell before it runs', () => {
  const [opened, wrong, right] = outputs.slice(rows.length)
  assert.equal(opened.some(({ output_type: type }) => type === 'error'), false, JSON.stringify(opened))
  assert.deepEqual(wrong.map(({ output_type: type, ename }) => [type, ename]), [['error', 'TypeScriptError']])
  assert.match(wrong[0].evalue!, /'"MobilenetV2\.Konv"' is not assignable/)
  assert.match(textOf(right), /MobilenetV2\.Conv/)
})
