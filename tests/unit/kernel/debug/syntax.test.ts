import assert from 'node:assert/strict'
import { test } from 'node:test'
import { guardsOf, isGuarded, linesOf } from '../../../../kernel/debug/syntax.ts'

test('a breakpoint can be where a statement begins or a function ends', () => {
  for (const [source, lines] of [
    ['const a = 1', [1]], ['', []], ['// only words', []], ['interface A {\n  b: string\n}\ntype B = A\nconst c = 1', [5]],
    ['import { a } from "a"\na()', [2]], ['function f() {\n  return 1\n}', [1, 2, 3]], ['declare const x: number\nif (true) {\n  f()\n}', [2, 3]],
  ] as const) assert.deepEqual(linesOf(source), lines, source)
})

test('a throw is caught where a try with a catch holds it in the same function', () => {
  for (const [source, caught] of [
    ['try { HERE } catch {}', true], ['try { HERE } finally {}', false], ['HERE', false], ['try {} catch { HERE }', false],
    ['try { try { HERE } finally {} } catch {}', true], ['try { f(() => { HERE }) } catch {}', false], ['function f() { try { HERE } catch (e) { throw e } }', true],
  ] as const) assert.equal(isGuarded(guardsOf(source), source.indexOf('HERE')), caught, source)
})
