import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Cells } from '../../../../kernel/cell/cells.ts'
import { readCell } from '../../../../kernel/cell/transpile.ts'

// A cell without TypeScript runs as it was written; with some in it, it is printed anew, with all its semicolons. Both have to do the same.

const statements = [
  'const a = 1', 'let b', 'var c = a ?? 2', 'f()', 'function f() { return g => g }', 'async function af() { await 1 }', 'await af()', '[1, 2].map(x => x)', '(1, 2)', '`t`',
  'b = { x: 1 }', 'const { x: d = 3, ...rest } = { x: undefined, y: 2 }', 'var [e, , h] = [1, 2, 3]', 'if (true) f()\nelse af()', 'if (true) var i = 5',
  'for (var j = 0; j < 3; j++) f()', 'for (const k of [1]) f()', 'do f()\nwhile (false)', 'switch (1) { case 1: f()\nvar l = 2 }',
  'try { f()\nvar m = 3 } catch { 0 } finally { f() }', '{ f()\nvar n = 1 }', 'lab: for (;;) { break lab }', '/re/.test("re")', '-1', '+b', '++j', '() => 1', 'x => x',
  'for await (const o of [1]) await af()', 'let p = () => { }', 'const q = function () { return 4 }', 'b?.x', 'delete b.x', '"str"', '1 // c', '/* c */ 2',
  'let r = 1, s = 2', 'r += 1', 's ||= 3', 'throw 1', 'const t = await af()', 'if (false) f()', 'f()()', 'null', 'async function* ag() { yield 1 }', 'eval("1")',
]

/** Numbers from 0 to 1 that are the same each time. */
function* random(seed: number) {
  for (;;) yield (seed = (seed * 1664525 + 1013904223) >>> 0) / 2 ** 32
}

test('statements drawn at random do the same as written and as printed by the transformer', async () => {
  const cells = new Cells({ names: {}, folder: process.cwd() }), numbers = random(1), draw = (count: number) => Math.floor(numbers.next().value! * count)
  const outcome = async (source: string) => {
    await cells.run('%reset', 1)
    try {
      const { value } = await cells.run(source, 2)
      return typeof value === 'function' ? 'a function' : JSON.stringify(value)
    } catch (error) {
      return String((error as Error).message ?? error)
    }
  }
  for (let turn = 0; turn < 200; turn++) {
    const source = Array.from({ length: 2 + draw(4) }, () => statements[draw(statements.length)]).join('\n')
    const [written, printed] = [await outcome(source), await outcome(`interface Marked {}\n${source}`)]
    assert.equal(written, printed, source)
  }
  // Older engines lack some of the language, which is then written in older words.
  if (Number(process.versions.node.split('.')[0]) >= 24) assert.equal(readCell('const a = 1').mappings, null)
  assert.notEqual(readCell('interface Marked {}\nconst a = 1').mappings, null)
})
