import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { analyze } from '@typescript-eslint/scope-manager'
import { parseSync } from 'oxc-parser'
import { scopesOf, type Node } from '../../../../kernel/language/scopes.ts'

const root = join(import.meta.dirname, '..', '..', '..', '..')

function read(source: string, file = 'cell.ts') {
  const { program, errors } = parseSync(file, source, { astType: 'ts', range: true, sourceType: 'module', lang: file.endsWith('.d.ts') ? 'dts' : 'ts' })
  assert.deepEqual(errors, [], file)
  return program
}

/** Declared names with what they stand for (v, t, vt), and free names with `=` where they are written to. */
function ours(program: unknown) {
  const { declared, free } = scopesOf(program as Node)
  const letters = (name: string) => {
    const meanings = declared.filter(d => d.name === name).map(({ meaning }) => meaning)
    return (meanings.some(m => m !== 'type') ? 'v' : '') + (meanings.some(m => m !== 'value') ? 't' : '')
  }
  return {
    declared: [...new Set(declared.map(({ name }) => `${name} ${letters(name)}`))].sort(),
    free: [...new Set(free.map(({ name }) => free.some(m => m.name === name && m.written) ? `${name}=` : name))].sort(),
  }
}

/** The same from typescript-eslint, which counts a type-only import as a value too. */
function theirs(program: unknown) {
  const { variables, through } = analyze(program as never, { sourceType: 'module', lib: [] }).globalScope!.childScopes[0]
  const isType = (d: (typeof variables)[number]['defs'][number]) => d.type === 'ImportBinding' &&
    ((d.parent as { importKind?: string }).importKind === 'type' || (d.node as { importKind?: string }).importKind === 'type')
  const name = (r: (typeof through)[number]) => String(r.identifier.name)
  return {
    declared: variables.filter(v => v.defs.length)
      .map(v => `${v.name} ${v.isValueVariable && !isType(v.defs[0]) ? 'v' : ''}${v.isTypeVariable ? 't' : ''}`).sort(),
    free: [...new Set(through.map(r => through.some(other => name(other) === name(r) && other.isWrite()) ? `${name(r)}=` : name(r)))].sort(),
  }
}

const rows: [source: string, declared: string[], free: string[]][] = [
  ['const a = b', ['a v'], ['b']],
  ['let { a, b: [c, ...d], [e]: f = g, ...h } = i', ['a v', 'c v', 'd v', 'f v', 'h v'], ['e', 'g', 'i']],
  ['[a, { b: c.d }] = e; f++; for (g of []) {}; (h as any) = 1', [], ['a=', 'c', 'e', 'f=', 'g=', 'h=']],
  ['function f<T extends U>(a: T, b = c): asserts a is V { var d; e; { var g; let h } } h', ['f v'], ['U', 'V', 'c', 'e', 'h']],
  ['for (var i = 0, n = m; ;) {} try {} catch ({ a }) { a; o }', ['i v', 'n v'], ['m', 'o']],
  ['interface A<T> extends B<T> { c: C; [k: string]: typeof d; e<U>(u: U): T; new (x: X): void }', ['A t'], ['B', 'C', 'X', 'd']],
  ['type A<T> = T extends (infer U)[] ? { [K in keyof T]: U | N.M } : import("x").Y<Z>', ['A t'], ['N', 'Z']],
  ['class C<T> extends D<T> implements E.F, G { @dec h: H = i; static { j } #k = 1; [l]() { return C } constructor(public m: M) { super() } }', ['C vt'],
    ['D', 'E', 'G', 'H', 'M', 'dec', 'i', 'j', 'l']],
  ['enum E { A = x, B = A }; namespace N { export const a = b; export type T = a }; declare global { interface W { v: V } }', ['E vt', 'N vt'],
    ['V', 'a', 'b', 'x']],
  ['import a, { b as c, type d } from "m"; import type { e } from "m"; import * as f from "m"; import g = require("m"); import h = i.j',
    ['a vt', 'c vt', 'd t', 'e t', 'f vt', 'g vt', 'h vt'], ['i']],
  ['export { a, b as c }; export { d } from "m"; export * from "n"; export default e', [], ['a', 'b', 'e']],
  ['import type { t } from "m"; const x: typeof t = y satisfies Z', ['t t', 'x v'], ['Z', 'y']],
  ['interface A {}\nconst A = 1\nfunction f(A: A) { return A }', ['A vt', 'f v'], []],
  ['label: for (;;) break label; ({ a: b, c, d() { e } }); x.y.z; import.meta.url; (<T,>(u: T) => u)<V>(w)', [], ['V', 'b', 'c', 'e', 'w', 'x']],
]
test('a namespace in a namespace', () => assert.deepEqual(ours(read('namespace N.M {}')).declared, ['N vt']))

for (const [source, declared, free] of rows) {
  test(source, () => {
    const program = read(source)
    assert.deepEqual(ours(program), { declared, free })
    assert.deepEqual(theirs(program), { declared, free })
  })
}

test('what typescript-eslint finds, in all sources of the kernel and the declarations of Node', () => {
  const files = ['kernel', 'node_modules/@types/node'].flatMap(folder => globSync(join(root, folder, '**/*.ts')))
  assert.ok(files.length > 100)
  for (const file of files) {
    const program = read(readFileSync(file, 'utf8'), file)
    assert.deepEqual(ours(program), theirs(program), file)
  }
})
