import assert from 'node:assert/strict'
import { test } from 'node:test'
import { awaitsHead } from '../../../../kernel/cell/awaits.ts'
import { rewrite, type Earlier } from '../../../../kernel/cell/rewrite.ts'
import { scopeOf, type Node } from '../../../../kernel/cell/scope.ts'
import { parse, transpile } from '../../../../kernel/cell/transpile.ts'

const earlier: Earlier = {
  stored: name => name === 'process' ? 'process$cell' : name,
  ready: name => name,
  isConstant: name => name === 'fixed',
  isDeclared: name => ['fixed', 'old', 'seen'].includes(name),
  isObserved: name => name === 'seen',
}

const head = ` ${awaitsHead} `

/** A cell and the one function it becomes, white space aside. */
const rows: [cell: string, javascript: string][] = [
  ['1 + 1', '(() => { return { value: (1 + 1) }; })'],
  ['await f()', `(async () => {${head} return { value: (resume$cell(await enter$cell( f()))) }; })`],
  ['const a: number = 1, b = 2', '(() => { (a = 1, b = 2); })'],
  ['let a', '(() => { (a = void 0); })'],
  ['var a', '(() => { (a); })'],
  ['const { a } = o', '(() => { ({ a } = o); })'],
  ['function f() {}\nasync function* g() {}', '(() => { g = async function* () {}; f = function () {};; })'],
  ['f()\nfunction f() {}', '(() => { f = function () {}; f(); })'],
  ['class A<T> {}', '(() => { A = class A {}; })'],
  ['enum E { A }', '(() => { (E = /* @__PURE__ */ function(E) { E[E["A"] = 0] = "A"; return E; }({})); })'],
  ['import a from "x"\nimport type { B } from "y"', '(() => { })'],
  ['fixed = 1', `(() => { return { value: (globalThis[Symbol.for('graft.constants')].fixed = 1) }; })`],
  ['((fixed: number) => fixed++)', '(() => { return { value: (0, ((fixed) => fixed++)) }; })'],
  ['const process = 1; ({ process })', '(() => { (process$cell = 1); return { value: (({ process: process$cell })) }; })'],
  ['using a = b()', '(() => { using a$using = (a = b()); })'],
  ['for (var i = 0; i < 2; i++) f(i)', '(() => { { let i$hot = globalThis.i; try { for ((i$hot = 0); i$hot < 2; i$hot++) f(i$hot); } finally { globalThis.i = i$hot; } } })'],
  ['for (;;) { old++; f() }', '(() => { { let old$hot = globalThis.old; try { for (;;) { old$hot++; f(); } } finally { globalThis.old = old$hot; } } })'],
  ['while (old < 9) old += Math.sqrt(old)', '(() => { { let old$hot = globalThis.old; try { while (old$hot < 9) old$hot += Math.sqrt(old$hot); } finally { globalThis.old = old$hot; } } })'],
  ['for (const x of old) f(x)', '(() => { for (const x of old) f(x); })'],
  ['while (old < 9) old++', '(() => { { let old$hot = globalThis.old; try { while (old$hot < 9) old$hot++; } finally { globalThis.old = old$hot; } } })'],
  ['while (seen < 9) seen++', '(() => { while (seen < 9) seen++; })'],
  ['while (old < 9) { (() => old)(); old++ }', '(() => { while (old < 9) { (() => old)(); old++; } })'],
  ['while (old < 9) old += await 1', `(async () => {${head} while (old < 9) old += resume$cell(await enter$cell( 1)); })`],
  ['const f = async () => await old', `(() => {${head} (f = async () => resume$cell(await enter$cell( old))); })`],
  ['for await (const x of old) f(x)', `(async () => {${head} for await (const x of old) { resume$cell(); f(x); } })`],
  ['const [process] = await old', `(async () => {${head} ([process$cell] = resume$cell(await enter$cell( old))); })`],
  ['eval(""); while (old < 9) old++', '(() => { eval(""); while (old < 9) old++; })'],
]

// Before Node 24 `using` is written in older words (using.test.ts).
const knowsUsing = Number(process.versions.node.split('.')[0]) >= 24

for (const [cell, javascript] of rows) {
  test(cell, { skip: cell.startsWith('using') && !knowsUsing && 'this Node does not know `using`' }, () => {
    const { code } = transpile('cell.ts', cell)
    const program = parse('cell.js', code, { lang: 'js', preserveParens: false }).program as unknown as Node
    const plain = (text: string) => text.replace(/^'use strict';/, '').replace(/\s+/g, ' ').replace(/([{(;]) | (?=[})])/g, '$1')
    assert.equal(plain(rewrite(code, program, scopeOf(program), earlier).code.toString()), plain(javascript))
  })
}

test('an interrupt stores what the loops keep to themselves', () => {
  const source = 'let a = 0, b = 0\nfor (let i = 0; i < 9; i++) a += b\nwhile (a) { let b = 1; a -= b }\nwhile (b < fixed) b++'
  const program = parse('cell.js', source, { lang: 'js', preserveParens: false }).program as unknown as Node
  assert.equal(rewrite(source, program, scopeOf(program), earlier).stores, 'try { globalThis.a = a$hot; } catch {} try { globalThis.b = b$hot; } catch {}')
})
