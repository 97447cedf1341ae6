import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freeze } from '../../../../kernel/language/freeze.ts'

/** A cell, its names with what TypeScript inferred, and the frozen form; null where only the source will do. */
const rows: [cell: string, names: [kind: 'const' | 'let', name: string, type: string][], frozen: string | null][] = [
  ['const n = [1].length', [['const', 'n', 'number']], 'export declare const n: number;'],
  ['let n = f()', [['let', 'n', 'string | number']], 'export declare let n: string | number;'],
  ['const n = 1', [['const', 'n', '1']], 'export const n = 1;'],
  ['const s = "a | b"', [['const', 's', '"a | b"']], 'export const s = "a | b";'],
  ['const n = c ? 1 : 2', [['const', 'n', '1 | 2']], null],
  ['let n: 1 = 1', [['let', 'n', '1']], null],
  ['const b = !x', [['const', 'b', 'boolean']], 'export declare const b: boolean;'],
  ['const o = { a: 1 }', [['const', 'o', '{ a: 1 | 2; }']], 'export declare const o: { a: 1 | 2; };'],
  ['function f() {}', [['let', 'f', '() => void']], 'export declare function f(): void;'],
  ['function f(g) { return g }', [['let', 'f', '<T extends (x: number) => string>(g: T) => T']], 'export declare function f<T extends (x: number) => string>(g: T): T;'],
  ['function f(x) {}', [['let', 'f', '(x: unknown) => x is string']], 'export declare function f(x: unknown): x is string;'],
  ['function f(x) {}', [['let', 'f', '{ (a: string): string; (a: number): number; }']], 'export declare let f: { (a: string): string; (a: number): number; };'],
  ['const f = () => f', [['const', 'f', '() => typeof f']], null],
  ['const a = JSON.parse("1")', [['const', 'a', 'any']], null],
  ['const m = company()', [['const', 'm', '{ company: string; }']], 'export declare const m: { company: string; };'],
  ['/** Doc. */\nexport const n = f()', [['const', 'n', 'number']], '/** Doc. */ export declare const n: number;'],
  ['/* no doc */ const n = f()', [['const', 'n', 'number']], 'export declare const n: number;'],
  ['interface A { x: 1 }\nexport enum E { B }\nclass C { m() { return 1 } }\nf()', [], 'export interface A { x: 1 }\nexport enum E { B }\nexport class C { m() { return 1 } }'],
  ['const big = f()', [['const', 'big', `{ ${'a: string; '.repeat(300)}}`]], null],
  ['const = ', [], null],
]

for (const [cell, names, frozen] of rows) {
  test(`${cell} : ${names.map(([, , type]) => type.slice(0, 40))}`, () => {
    const found = freeze(cell, names.map(([kind, name, type]) => ({ name, constant: kind === 'const', type })))
    assert.equal(found && found.declarations.join('\n'), frozen)
    assert.deepEqual(found?.rest ?? [], [])
  })
}

test('what may stand at the top level alone', () => {
  const rest = ['import a from "a"', 'import fs = require("node:fs")', 'declare global { var late: number }', 'declare module "a" { interface A {} }']
  assert.deepEqual(freeze(`${rest.join('\n')}\ninterface B {}\ndeclare module C {}`, []), { rest, declarations: ['export interface B {}', 'export declare module C {}'] })
})
