import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import sharp from 'sharp'
import { runNotebook } from '../../cli/run.ts'
import { readNotebook } from '../../cli/notebook.ts'
import { root } from '../../install/place.js'
import { packagesOnlyFor } from '../../install/unloaded.js'
import { startMirror } from '../mirror/server.ts'
import { fewImages, notebookFolder } from './notebook.ts'
import { writeNotebook } from './write.ts'

const docs = join(root, 'docs')
const scratch = mkdtempSync(join(tmpdir(), 'graft-docs-')), loaded = join(scratch, 'loaded.txt')
after(() => rmSync(scratch, { recursive: true }))

/** The TypeScript of a page, block by block. */
const blocks = (text: string) => [...text.matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, code]) => code.trimEnd())

/** Runs a page's code as one notebook, in a process that has nothing of this machine's user. */
async function runPage(folder: string, code: string[], env: Record<string, string> = {}): Promise<void> {
  const path = writeNotebook(join(folder, 'page.ipynb'), ...code), own = { ...process.env }
  Object.assign(process.env, { GRAFT_RUNS: join(folder, 'runs'), GRAFT_TEST_LOADED: loaded,
    NODE_OPTIONS: `--import ${pathToFileURL(join(import.meta.dirname, 'log-packages.js'))}`, ...env })
  try {
    const status = await runNotebook(path), { cells } = readNotebook(join(folder, 'page.executed.ipynb'))
    const failed = cells.find(cell => cell.outputs.some(output => output.output_type === 'error'))
    assert.equal(status, 0, `${failed?.source}\n${failed?.outputs.at(-1)?.traceback?.join('\n')}`)
  } finally {
    process.env = own
  }
}

/** What the reference begins with; other pages may use its names too. */
const [before, ...examples] = blocks(readFileSync(join(docs, 'api.md'), 'utf8'))
const pages = readdirSync(docs).filter(name => name.endsWith('.md') && name !== 'api.md' && blocks(readFileSync(join(docs, name), 'utf8')).length)
for (const page of pages) {
  test(`the code of docs/${page} runs as it stands, types checked`, { timeout: 600_000 }, async () => {
    const folder = notebookFolder()
    await runPage(folder, [before, ...blocks(readFileSync(join(docs, page), 'utf8'))])
    rmSync(folder, { recursive: true })
  })
}

test('the examples of docs/api.md run as they stand, types checked, on few images', { timeout: 600_000 }, async () => {
  const folder = notebookFolder(), trunk = join(root, 'notebooks', 'models', 'mobilenet_v2_letters_feature_vector')
  rmSync(join(folder, 'images'))
  fewImages(join(folder, 'images', 'digits'), 6)
  await sharp(join(root, 'notebooks', 'images', 'photo-of-a-seven.png')).jpeg().toFile(join(folder, 'photo.jpg'))
  const files = ['before.keras', 'after.h5', 'model.h5', 'model.keras', 'custom_mobilenet_feature_extraction.h5'].map(name => `await save(model, '${name}')`)
  const mirror = await startMirror(Object.fromEntries([...examples.join('\n').matchAll(/'https:\/\/tfhub\.dev(\/[^']+)'/g)].map(([, path]) => [path, trunk])))
  try {
    await runPage(folder, [before, files.join('\n'), ...examples], { GRAFT_HUB_MIRROR: mirror.url, GRAFT_CACHE_DIR: join(folder, 'cache'), TFHUB_CACHE_DIR: '' })
  } finally {
    await mirror.close()
  }
  rmSync(folder, { recursive: true })
})

/** What no page loads, and why it is kept all the same. */
const keptFor: [pattern: RegExp, why: string][] = [
  [/^@types\/|^@webgpu\/types$|^@oxc-project\/types$|^undici-types$|^tslib$/, 'declarations, which TypeScript reads'],
  [/^typescript$|^@typescript\//, 'the language server, a process of its own'],
  [/^koffi$|^@koromix\/|^@julusian\/jpeg-turbo$/, 'shared libraries, and what calls them'],
  [/-(linux|darwin|win32|freebsd|android|openharmony|wasm32)|^@emnapi\/|^@img\//, 'binaries by platform, opened without Node\'s loader'],
  [/^(commander|delaunator|internmap|ml-array-(max|min|rescale)|robust-predicates)$/, 'inside the bundles that d3\'s packages and ml-matrix are loaded as'],
  [/^magic-string$/, 'inside the one script that a kernel starts from, kernel/startup.ts'],
  [/^(asynckit|combined-stream|delayed-stream|form-data|mime-db|mime-types|hasown|function-bind|gopd|has-symbols|has-tostringtag|math-intrinsics|dunder-proto|es-.*|get-intrinsic|get-proto|call-bind-apply-helpers)$/,
    'behind declarations of fetch'],
]

test('nothing in the lock file that the code never loads, but for what is stated', () => {
  const packages = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages as Record<string, { dev?: boolean, devDependencies?: object }>
  delete packages[''].devDependencies
  const used = new Set(readFileSync(loaded, 'utf8').split('\n')), gone = new Set(packagesOnlyFor(packages))
  const idle = Object.keys(packages).filter(path => path && !packages[path].dev && !gone.has(path)).map(path => path.split('node_modules/').pop()!)
    .filter(name => !used.has(name) && !keptFor.some(([pattern]) => pattern.test(name)))
  assert.deepEqual(idle, [])
})

test('no page names a file or a page that is not there', () => {
  for (const name of [
    ...readdirSync(docs)
      .filter(name => name.endsWith('.md'))
      .map(name => join('docs', name)),
    'README.md',
    'HOW_IT_WORKS.md',
    'CONTRIBUTING.md',
  ]) {
    const text = readFileSync(join(root, name), 'utf8').replace(/^```[^]*?^```$|`[^`\n]*`/gm, ''),
      folder = join(root, name, '..')
    for (const [, target] of text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)) {
      assert.doesNotThrow(
        () => readdirSync(join(folder, target, '..')).includes(target.split('/').at(-1)!) || assert.fail(),
        `${name} names ${target}`,
      )
    }
  }
})

for (const name of readdirSync(join(root, 'notebooks')).filter(name => /^\d-[\w-]+\.ipynb$/.test(name) && !name.includes('executed'))) {
  test(`notebooks/${name} reads without running it: outputs, text forms, small pictures`, () => {
    const path = join(root, 'notebooks', name), { cells } = readNotebook(path), code = cells.filter(cell => cell.cell_type === 'code')
    assert.ok(statSync(path).size < 1.5e6, `${statSync(path).size} bytes`)
    assert.deepEqual(code.map(cell => cell.execution_count), code.map((_, i) => i + 1), 'every cell was run, in order')
    const outputs = code.flatMap(cell => cell.outputs)
    assert.ok(outputs.some(output => output.data?.['image/jpeg'] ?? output.data?.['image/png']))
    for (const { output_type, data } of outputs) {
      assert.notEqual(output_type, 'error')
      if (data) assert.equal(typeof data['text/plain'] === 'string' || Array.isArray(data['text/plain']), true)
    }
  })
}
