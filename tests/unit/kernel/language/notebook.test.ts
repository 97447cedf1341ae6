import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Block } from '../../../../kernel/language/archive.ts'
import { Notebook } from '../../../../kernel/language/notebook.ts'

/** A notebook, and what runs a cell in it: into an archive where its types are told, else into a document of its own. */
function begin() {
  const notebook = new Notebook('/folder', [])
  let count = 0
  const run = (source: string, types: string[] | null) => {
    const cell = notebook.add(source, ++count)!
    const frozen = types && cell.frozen(types)
    if (frozen && typeof frozen === 'object') {
      const archive = notebook.archive()
      archive.add([frozen as Block])
      notebook.moved([cell.cell], archive)
    }
    return cell.cell
  }
  const isKnown = (cell: number) => new RegExp(`\\b__cell_${cell}\\b`).test(notebook.env)
  return { notebook, run, isKnown }
}

test('cells that are run over and over leave nothing behind', () => {
  const { notebook, run } = begin()
  const round = () => {
    for (let i = 0; i < 40; i++) run(`const a${i} = ${i}`, ['number'])
    for (let i = 0; i < 10; i++) run(`import { sep as s${i} } from 'node:path'`, null)
    run('a1 + a2', [])
    notebook.sweep([])
    return [notebook.env.length, notebook.modules.length]
  }
  for (let i = 0; i < 5; i++) round()
  const [length, documents] = round()
  for (let i = 0; i < 50; i++) round()
  const [now, documentsNow] = round()
  assert.equal(documentsNow, documents)
  // The numbers of cells become longer.
  assert.ok(now < 1.2 * length, `${length} → ${now} characters`)
})

test('a cell counts as long as something can mention it', () => {
  const { notebook, run, isKnown } = begin()
  const point = run('class Point { x = 1 }', [''])
  const made = run('function make() { return new Point() }', ['() => Point'])
  const alone = run('const alone = 1', ['number'])
  const nothing = run('1 + 1', [])
  const waiting = run('const busy = alone', null)
  run('class Point { y = 2 }', [''])
  run('const alone = "x"', ['string'])
  run('const busy = 3', ['number'])
  assert.deepEqual([point, made, alone, nothing, waiting].map(isKnown), [true, true, true, true, true])
  notebook.sweep([waiting])
  assert.deepEqual([point, made, alone, nothing, waiting].map(isKnown), [true, true, true, false, true])
  notebook.sweep([])
  assert.deepEqual([point, made, alone, nothing, waiting].map(isKnown), [true, true, false, false, false])
  run('function make() { return 1 }', ['() => number'])
  notebook.sweep([])
  assert.deepEqual([point, made].map(isKnown), [false, false])
})

test('what changed is told: an archive without its cell, and one that is empty', () => {
  const { notebook, run } = begin()
  run('const a = 1', ['number'])
  run('const b = 1', ['number'])
  run('const a = 2', ['number'])
  const [left, ...others] = notebook.sweep([])
  assert.deepEqual(others, [])
  assert.doesNotMatch(left.text, /__cell_0\b/)
  assert.match(left.text, /__cell_1\b/)
  assert.deepEqual(notebook.sweep([]), [])
})
