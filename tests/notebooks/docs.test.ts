import assert from 'node:assert/strict'
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { runNotebook } from '../../cli/run.ts'
import { readNotebook } from '../../cli/notebook.ts'
import { root } from '../../install/place.js'
import { notebookFolder } from './notebook.ts'
import { writeNotebook } from './write.ts'

const docs = join(root, 'docs')

/** The TypeScript of a page, block by block. */
const blocks = (text: string) => [...text.matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, code]) => code.trimEnd())

for (const page of readdirSync(docs).filter(
  name => name.endsWith('.md') && blocks(readFileSync(join(docs, name), 'utf8')).length,
)) {
  test(`the code of docs/${page} runs as it stands, types checked`, { timeout: 600_000 }, async () => {
    const folder = notebookFolder(),
      path = writeNotebook(join(folder, 'page.ipynb'), ...blocks(readFileSync(join(docs, page), 'utf8')))
    const status = await runNotebook(path)
    const failed = readNotebook(join(folder, 'page.executed.ipynb'))
      .cells.flatMap(cell => cell.outputs)
      .find(output => output.output_type === 'error')
    assert.equal(status, 0, failed?.traceback?.join('\n'))
    rmSync(folder, { recursive: true })
  })
}

test('no page names a file or a page that is not there', () => {
  for (const name of [
    ...readdirSync(docs)
      .filter(name => name.endsWith('.md'))
      .map(name => join('docs', name)),
    'README.md',
    'HOW_IT_WORKS.md',
    'CONTRIBUTING.md',
  ]) {
    const text = readFileSync(join(root, name), 'utf8'),
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
