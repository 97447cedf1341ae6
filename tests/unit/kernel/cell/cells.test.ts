import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, describe, test } from 'node:test'
import { Cells } from '../../../../kernel/cell/cells.ts'

const folder = mkdtempSync(join(tmpdir(), 'graft-cells-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const files: Record<string, string> = {
  'typed.ts': 'export interface Shape { sides: number }\nexport enum Color { Red = 1 }\nexport const three: number = 3\nexport default class Box<T> { constructor(public held: T) {} }',
  'deep/index.ts': 'export { three as drei } from "../typed"',
  'broken.ts': 'export const a = ;',
  'wants.ts': 'import a from "nowhere"\nexport { a }',
  'throws.ts': 'interface Padding {\n  a: string\n}\nexport function fail(this: void, why: string): never {\n  throw new RangeError(why)\n}',
  'numbers.json': '{ "list": [1, 2, 3] }',
  'declared.d.ts': 'export type Declared = number',
  'node_modules/only-types/index.d.ts': 'export type Nothing = number',
  'node_modules/common/package.json': '{ "name": "common", "main": "main.js" }',
  'node_modules/common/main.js': 'const api = {}; for (const name of ["alpha", "beta"]) api[name] = () => name; module.exports = api',
  'node_modules/compiled/package.json': '{ "name": "compiled", "main": "main.js" }',
  'node_modules/compiled/main.js': 'Object.defineProperty(exports, "__esModule", { value: true }); exports.default = "the default"; exports.named = 4',
  'node_modules/modern/package.json': '{ "name": "modern", "type": "module", "exports": "./main.js" }',
  'node_modules/modern/main.js': 'export const named = 5; export default function twice(x) { return 2 * x }',
}
for (const [name, text] of Object.entries(files)) {
  mkdirSync(dirname(join(folder, name)), { recursive: true })
  writeFileSync(join(folder, name), text)
}

const library = { data: () => Promise.resolve({ images: () => 'the library' }), graft: () => Promise.resolve({ data: { images: () => 'the library' } }) }

/** The cells of one notebook, and the value of its last cell or its error: the name, the message and what the traceback holds. */
type Row = [name: string, cells: string[], outcome: unknown] | [name: string, cells: string[], error: { ename?: string, evalue?: RegExp | string, shows?: (string | RegExp)[] }]

const fails = (ename: string, evalue: RegExp | string, ...shows: (string | RegExp)[]) => ({ ename, evalue, shows })

const rows: Record<string, Row[]> = {
  'without semicolons': [
    ['a call before a declaration', ['let calls = 0\nconst f = () => { calls++; return () => 9 }\nf()\nconst a = 1\ncalls'], 1],
    ['a call before a pattern', ['const f = () => 1\nf()\nconst { b } = { b: 3 }\nb'], 3],
    ['an object before a declaration', ['let o = {}\no = { a: 1 }\nconst b = 2\nb'], 2],
    ['a call before a declaration in a block', ['const f = () => 1', '{ f()\nvar z = 1 }\nz'], 1],
    ['a call before a declaration in a case', ['const f = () => 1', 'switch (1) { case 1: f()\nvar y = 2 }\ny'], 2],
    ['a declaration that is a branch', ['if (true) var w = 4\nw'], 4],
    ['a function between a call and an array', ['const f = () => 1\nf()\nfunction g() { return 2 }\n[1].map(() => g())'], [2]],
    ['branches', ['const f = (x) => x', 'if (f(0)) f(1)\nelse f(2)'], 2],
    ['a call that goes on in the next line', ['const f = () => 1\nf\n()'], 1],
  ],
  'JavaScript as it stands': [
    ['TypeScript in one place', ['const a = 1 as number\na'], 1],
    ['a generic call that JavaScript would read as two comparisons', ['const f = <T>(x: T) => x', 'f<number>(4)'], 4],
    ['a parameter that is optional', ['const f = (a?) => a', 'f()'], undefined],
    ['a class with marks', ['class A { readonly a = 1; private b = 2 }\nnew A().a'], 1],
    ['a declaration of what is elsewhere', ['declare let globalThing\ntypeof globalThing'], 'undefined'],
    ['a name declared twice', ['let a = 1; let a = 2'], fails('SyntaxError', /already been declared/)],
    ['the place of an error', ['const ok = 1\n  ok.x.y'], fails('TypeError', /reading 'y'/, '> 2 |   ok.x.y', '    |        ^')],
  ],
  'values': [
    ['an expression', ['1 + 1'], 2],
    ['a declaration has none', ['const a = 1'], undefined],
    ['only the last statement counts', ['5\nconst a = 1'], undefined],
    ['a name after a declaration', ['const a = 1; a'], 1],
    ['an assignment', ['let a = 1', 'a = 2'], 2],
    ['a trailing semicolon hides nothing', ['3;'], 3],
    ['a trailing comment', ['3 // three'], 3],
    ['if', ['const n = 5', 'if (n > 3) { "big" } else { "small" }'], 'big'],
    ['else', ['const n = 1', 'if (n > 3) "big"; else "small"'], 'small'],
    ['try', ['try { JSON.parse("{") } catch { "caught" } finally { 1 }'], 'caught'],
    ['a block', ['{ const x = 2; x * 2 }'], 4],
    ['switch', ['switch (2 as number) { case 1: "one"; break; case 2: "two"; break }'], 'two'],
    ['a loop has none', ['let s = 0\nfor (const x of [1, 2]) s += x'], undefined],
    ['export default', ['export default 6 * 7'], 42],
    ['a string looks like a directive', ['"hello"'], 'hello'],
    ['an object in parentheses', ['({ a: 1 })'], { a: 1 }],
    ['an object alone', ['{ a: 1, b: [2] }'], { a: 1, b: [2] }],
    ['an object of names', ['const a = 1, b = 2', '\n{ a, b }\n'], { a: 1, b: 2 }],
    ['a block all the same', ['{ const a = 1; a + 1 }'], 2],
    ['a block of calls', ['const f = () => 3', '{ f() }'], 3],
    ['a template', ['`a${1 + 1}`'], 'a2'],
    ['await', ['await Promise.resolve(7)'], 7],
    ['for await', ['const all: number[] = []\nfor await (const x of [Promise.resolve(1), 2]) all.push(x)\nall'], [1, 2]],
    ['for await whose body is an await', ['let n = 0\nfor await (const x of [1, 2])\n  for await (const y of [3]) await (n += x * y)\nn'], 9],
    ['empty', [''], undefined],
    ['only comments', ['// nothing\n/* at all */'], undefined],
    ['astral characters', ['const 漢 = "😀"\n漢.length'], 2],
  ],
  'declarations': [
    ['seen by later cells', ['const a: number = 20', 'a + 1'], 21],
    ['const again', ['const a = 1', 'const a = "x"; a'], 'x'],
    ['const, then let, then function, then class', ['const a = 1', 'let a = 2', 'function a() { return 3 }', 'class a { static v = 4 }', 'a.v'], 4],
    ['class, then const', ['class A {}', 'const A = 1; A'], 1],
    ['let without a value forgets', ['let a = 1', 'let a: number', 'a'], undefined],
    ['var without a value keeps', ['var a = 1', 'var a\na'], 1],
    ['destructuring', ['const { a, b: [c, ...d], ...e } = { a: 1, b: [2, 3, 4], f: 5 }', '[a, c, d, e]'], [1, 2, [3, 4], { f: 5 }]],
    ['destructuring with defaults', ['let [a = 1, { b = a } = {}] = [] as any[]', '[a, b]'], [1, 1]],
    ['several in one statement', ['let a = 1, b, c = a + 1', '[a, b, c]'], [1, undefined, 2]],
    ['destructuring assignment', ['let a = 1, b = 2', '[a, b] = [b, a]', '({ a } = { a: 9 }); [a, b]'], [9, 1]],
    ['closures see later values', ['let a = 1\nconst f = () => a', 'a = 2', 'f()'], 2],
    ['closures see later declarations', ['const a = 1\nfunction f() { return a }', 'const a = 5', 'f()'], 5],
    ['a function is hoisted', ['const v = f()\nfunction f() { return 8 }\nv'], 8],
    ['functions of a cell see each other', ['const even = (n: number): boolean => n === 0 || odd(n - 1)\nfunction odd(n: number): boolean { return n !== 0 && even(n - 1) }\neven(10)'], true],
    ['overloads', ['function f(a: string): string\nfunction f(a: number): number\nfunction f(a: any) { return a }\nf(3)'], 3],
    ['generic arrow', ['const id = <T,>(x: T): T => x', 'id("a")'], 'a'],
    ['async generator', ['async function* g() { yield 1; yield 2 }', 'const r: number[] = []; for await (const x of g()) r.push(x); r'], [1, 2]],
    ['names of functions', ['const f = () => 0; class A {}; function g() {}\n[f.name, A.name, g.name]'], ['f', 'A', 'g']],
    ['var inside for', ['for (var i = 0; i < 3; i++) {}', 'i'], 3],
    ['var inside for of, and nested', ['for (var [k, v] of [["a", 1]] as const) { if (v) { var inner = k } }', '[k, v, inner]'], ['a', 1, 'a']],
    ['let inside a block stays there', ['{ let hiddenName = 1 }', 'typeof hiddenName'], 'undefined'],
    ['export', ['export const a = 1; export function f() { return a }; const b = 2; export { b }', 'f() + b'], 3],
    ['enum', ['enum E { A = 1, B }', '[E.B, E[1]]'], [2, 'A']],
    ['an enum run again does not grow', ['enum E { A, B }', 'enum E { C }', 'Object.keys(E)'], ['0', 'C']],
    ['an enum in two parts', ['enum E { A = 1 }\nenum E { B = 2 }\nE.A + E.B'], 3],
    ['const enum', ['const enum E { A = 4 }', 'E.A'], 4],
    ['namespace', ['namespace N { export const x = 1; export namespace M { export const y = 2 } }', 'N.x + N.M.y'], 3],
    ['a namespace run again starts anew', ['namespace N { export const x = 1 }', 'namespace N { export const y = 2 }', 'Object.keys(N)'], ['y']],
    ['types vanish', ['interface A { x: number }\ntype B = A | string\ndeclare const c: B\nabstract class D implements A { abstract x: number }', 'typeof D'], 'function'],
    ['parameter properties', ['class P { constructor(public x: number, readonly y = 2) {} }', 'new P(1).x + new P(1).y'], 3],
    ['private fields and statics', ['class P { static #n = 1; static next() { return ++P.#n } }', 'P.next()'], 2],
    ['inheritance across cells', ['class A { hi() { return "a" } }', 'class B extends A { hi() { return super.hi() + "b" } }', 'new B().hi()'], 'ab'],
    ['satisfies, as, !', ['const a = { x: 1 } satisfies Record<string, number>', '(a as any).x!'], 1],
    ['using', ['const log: string[] = []', '{ using a = { [Symbol.dispose]() { log.push("a") } } }\nusing b = { [Symbol.dispose]() { log.push("b") } }\nlog.push("body")', 'log'], ['a', 'body', 'b']],
    ['await using', ['const log: string[] = []', 'await using c = { async [Symbol.asyncDispose]() { log.push("c") } }', 'log'], ['c']],
    ['decorators', ['const seen: string[] = []\nfunction note(value: any, context: DecoratorContext) { seen.push(`${context.kind} ${String(context.name)}`) }\n' +
      '@note class A { @note m() {} @note accessor x: number = 1 }', 'seen.push(String(new A().x)); seen'], ['method m', 'accessor x', 'class A', '1']],
    ['a value after a decorated class', ['const same = (value: any, context: DecoratorContext) => value\nclass A { @same m() { return 42 } }\nnew A().m()'], 42],
    ['a value before export {}', ['7\nexport {}'], 7],
    ['a shorthand of a renamed name', ['const performance = 3', '({ performance })'], { performance: 3 }],
    ['a name of Node\'s stays Node\'s for others', ['const performance = 3', 'performance + 1'], 4],
    ['globalThis keeps its own', ['const performance = 3', 'typeof globalThis.performance.now'], 'function'],
    ['an accessor of Node\'s', ['import crypto from "node:crypto"', 'typeof crypto.createHash'], 'function'],
    ['setTimeout from timers/promises', ['import { setTimeout } from "node:timers/promises"', 'await setTimeout(1, "later")'], 'later'],
  ],
  'constants': [
    ['assigned in the same cell', ['const a = 1\na = 2'], fails('TypeError', /Cannot assign to 'a': it is a constant since cell 1/, 'Cell 1, line 2')],
    ['assigned later', ['const a = 1', '\na += 2'], fails('TypeError', /'a'/, 'Cell 2, line 2')],
    ['counted up', ['const a = 1', 'a++'], fails('TypeError', /'a'/)],
    ['in a pattern', ['const a = 1', 'const o = { a: 2 };\n({ a } = o)'], fails('TypeError', /'a'/, 'Cell 2, line 2')],
    ['an import', ['import { sep } from "node:path"', 'sep = "x"'], fails('TypeError', /'sep'/)],
    ['let makes it free again', ['const a = 1', 'let a = 2', 'a = 3; a'], 3],
    ['its value is kept', ['const a = 1', 'try { a = 2 } catch {}\na'], 1],
  ],
  'imports': [
    ['default, named and namespace of a built-in', ['import path, { join } from "path"; import * as os from "node:os"', '[typeof path.sep, typeof join, typeof os.cpus]'], ['string', 'function', 'function']],
    ['names of CommonJS that Node cannot see', ['import { alpha, beta as b } from "common"', 'alpha() + b()'], 'alphabeta'],
    ['CommonJS as default and namespace', ['import common from "common"; import * as all from "common"', 'common.alpha() + all.beta()'], 'alphabeta'],
    ['the default of a compiled module', ['import it, { named } from "compiled"', '[it, named]'], ['the default', 4]],
    ['ESM', ['import twice, { named } from "modern"', 'twice(named)'], 10],
    ['JSON', ['import numbers from "./numbers.json"', 'numbers.list.length'], 3],
    ['local TypeScript without extension', ['import Box, { three, Color } from "./typed"', 'new Box(three + Color.Red).held'], 4],
    ['local TypeScript with extension', ['import { three } from "./typed.ts"', 'three'], 3],
    ['written with .js', ['import { three } from "./typed.js"', 'three'], 3],
    ['a folder', ['import { drei } from "./deep"', 'drei'], 3],
    ['types', ['import type { Shape } from "./typed"; import { type Shape as S, three } from "./typed"\nconst s: Shape & S = { sides: three }', 's.sides'], 3],
    ['an interface without `type`', ['import { Shape } from "./typed"\nconst s: Shape = { sides: 4 }\ns.sides'], 4],
    ['a module of types alone', ['import { Nothing } from "only-types"\nconst n: Nothing | number = 4\nn'], 4],
    ['a file of types alone', ['import { Declared } from "./declared"\nconst n: Declared = 4\nn'], 4],
    ['types of what is not there', ['import { T } from "./nowhere"\nconst n: T = 4'], fails('Error', "Cannot find the file './nowhere' from the notebook's folder.", 'Cell 1, line 1')],
    ['a missing package that nobody uses', ['import express from "express"'], fails('Error', /Cannot find the package 'express'/, 'Cell 1, line 1')],
    ['a missing file in a dynamic import', ['1\nawait import("./nowhere")'], fails('Error', "Cannot find the file './nowhere' from the notebook's folder.", 'Cell 1, line 2')],
    ['a missing package in require', ['require("nowhere/deep")'], fails('Error', "Cannot find the package 'nowhere/deep'. Install it in the notebook's folder: npm install nowhere", 'Cell 1, line 1')],
    ['a missing package in a local file', ['import { a } from "./wants"'], fails('Error', "Cannot find the package 'nowhere', which wants.ts imports. Install it in the notebook's folder: npm install nowhere")],
    ['npm: as in Deno', ['import { named } from "npm:modern@^1.2"', 'named + (await import("npm:/modern")).named'], 10],
    ['a URL', ['import x from "https://example.com/x.js"'], fails('GraftError', /cannot import 'https:\/\/example\.com\/x\.js'/, 'Cell 1, line 1')],
    ['import =', ['import fs = require("node:fs")', 'typeof fs.readFileSync'], 'function'],
    ['require', ['const { sep } = require("node:path")', 'typeof sep'], 'string'],
    ['dynamic', ['const { three } = await import("./typed")', 'three'], 3],
    ['dynamic in a function', ['const f = async () => (await import("modern")).named', 'await f()'], 5],
    ['for effect', ['import "modern"', '1'], 1],
    ['import.meta', ['import.meta.dirname'], folder],
    ['the folder as in CommonJS', ['[__dirname, __filename.endsWith("notebook.ts"), typeof (globalThis as any).__dirname]'], [folder, true, 'undefined']],
    ['import.meta.resolve', ['new URL(import.meta.resolve("common")).pathname.endsWith("/common/main.js")'], true],
    ['a package of Graft\'s own', ['import MagicString from "magic-string"', 'new MagicString("a").toString()'], 'a'],
    ['come before what stands above them', ['const a = typeof sep\nimport { sep } from "node:path"\na'], 'string'],
    ['a missing package', ['\nimport { a } from "@no/where/deep"'], fails('Error', "Cannot find the package '@no/where/deep'. Install it in the notebook's folder: npm install @no/where", 'Cell 1, line 2')],
    ['a missing file', ['import { a } from "./nowhere"'], fails('Error', "Cannot find the file './nowhere' from the notebook's folder.", 'Cell 1, line 1')],
    ['a missing name', ['import { three, four } from "./typed"\nfour'], fails('SyntaxError', "'./typed' has no export 'four'.", 'Cell 1, line 1')],
  ],
  'names that stand ready': [
    ['are there', ['data.images()'], 'the library'],
    ['inside functions', ['const f = () => data.images()', 'f()'], 'the library'],
    ['a declaration wins', ['const data = [1, 2]', 'data.length'], 2],
    ['a parameter wins', ['((data: number) => data)(3)'], 3],
    ['a later failure explains', ['const data = [1]', 'graft.data.images()', '\ndata.images()'], fails('TypeError', 'data.images is not a function',
      '`data` is yours since cell 1; the library\'s is `graft.data`.', 'Cell 3, line 2')],
  ],
  'errors': [
    ['a line of TypeScript', ['interface A {\n  x: number\n}\n\ntype B = A\n\n;(undefined as any).foo'], fails('TypeError', /undefined/, 'Cell 1, line 7', /^> 7 \| ;\(undefined as any\)\.foo$/m)],
    ['through cells', ['function f(): never {\n  throw new RangeError("deep")\n}', 'type T = 1\nf()'], fails('RangeError', 'deep', 'Cell 1, line 2', '    at Cell 2, line 2')],
    ['a method and its mark', ['const o = {} as any\no.a.b()'], fails('TypeError', /reading 'b'/, /> 2 \| o\.a\.b\(\)\n {4}\| {5}\^/)],
    ['after await', ['await null\n\nthrow new Error("late")'], fails('Error', 'late', 'Cell 1, line 3')],
    ['rejected', ['await Promise.reject(new TypeError("no"))'], fails('TypeError', 'no')],
    ['an unknown name', ['\n\nnowhere'], fails('ReferenceError', 'nowhere is not defined', 'Cell 1, line 3')],
    ['assigned without a declaration', ['undeclared = 1'], fails('ReferenceError', /undeclared/)],
    ['no frames of Node\'s', ['[1].forEach(() => { JSON.parse("{") })'], fails('SyntaxError', /JSON/, 'Cell 1, line 1', /^(?!.*node:)/s)],
    ['a cause', ['throw new Error("outer", { cause: new TypeError("inner") })'], fails('Error', 'outer', 'Caused by:', 'TypeError: inner')],
    ['several at once', ['await Promise.any([Promise.reject(new Error("first")), Promise.reject(new RangeError("second"))])'], fails('AggregateError', /./, 'Error: first', 'RangeError: second')],
    ['a class of one\'s own', ['class Odd extends Error {}\nthrow new Odd("strange")'], fails('Odd', 'strange')],
    ['no error at all', ['throw { code: 7 }'], fails('Thrown', '{ code: 7 }')],
    ['undefined', ['throw undefined'], fails('Thrown', 'undefined')],
    ['syntax', ['const a = 1\nconst b = ;'], fails('SyntaxError', /Unexpected token/, 'Cell 1, line 2', /> 2 \| const b = ;\n {4}\| {11}\^/)],
    ['syntax after wide characters', ['const 漢 = "😀"; b = ;'], fails('SyntaxError', /Unexpected token/, /\n {4}\| {21}\^/)],
    ['declared twice in a cell', ['const a = 1\nlet a = 2'], fails('SyntaxError', /`a` has already been declared/, 'Cell 1, line 2')],
    ['return', ['return 5'], fails('SyntaxError', /'return'/)],
    ['a regular expression', ['const a = 1\nconst b = /(/'], fails('SyntaxError', /Invalid regular expression/, 'Cell 1, line 2')],
    ['in an object alone', ['{ a: nowhere }'], fails('ReferenceError', 'nowhere is not defined', /> 1 \| \{ a: nowhere \}\n {4}\| {6}\^{7}$/m)],
    ['JSX in the middle', ['const a = 1\nconst f = (x: any) => <b>{x}</b>'], fails('SyntaxError', /JSX is off/, /> 2 \| .*\n {4}\| {23}\^$/m)],
    ['JSX', ['const e = <div/>'], fails('SyntaxError', /JSX is off in cells/, 'Cell 1, line 1')],
    ['in a local file', ['import { fail } from "./throws"\nfail("there")'], fails('RangeError', 'there', 'throws.ts, line 5', '    at Cell 1, line 2')],
    ['bad syntax in a local file', ['\nimport { a } from "./broken"'], fails('SyntaxError', /Unexpected token/, 'broken.ts, line 1')],
    ['far below the user\'s line', ['const deep = (n: number): number => n ? [n].map(x => deep(x - 1))[0] : JSON.parse("{")', '\ndeep(3)'], fails('SyntaxError', /JSON/, 'Cell 1, line 1', '    at Cell 2, line 2')],
    ['too deep', ['function f(): number { return 1 + f() }\nf()'], fails('RangeError', /Maximum call stack/, 'Cell 1, line 1')],
    ['no name of the kernel\'s own', ['const performance = {} as any\nperformance.x.y'], fails('TypeError', /^((?!\$cell).)*$/)],
    ['a mutual one', ['function f(): number { return 1 + g() }\nfunction g(): number { return f() }\nf()'], fails('RangeError', /Maximum call stack/, /^ {4}at f \(Cell 1, line 1\), \d+ times$/m, /^ {4}at g \(Cell 1, line 2\), \d+ times$/m)],
    ['causes in a circle', ['const a = new Error("a"), b = new Error("b", { cause: a })\na.cause = b\nthrow a'], fails('Error', 'a', 'Caused by:', 'Error: b')],
    ['a page', ['document.body'], fails('ReferenceError', 'document is not defined', /^Cells run in Node, not in a page/m)],
    ['a shell command', ['!npm install x'], fails('SyntaxError', /runs no shell commands\. Open a terminal for `npm`/)],
    ['a wrong way to use a magic', ['%types fast'], fails('SyntaxError', "%types expected on, warn or off, received 'fast'.")],
    ['a wrong name of a variable', ['%env BAD NAME=1'], fails('SyntaxError', "%env expected NAME or NAME=value, received 'BAD NAME=1'.")],
    ['an argument where there is none', ['%reset -f'], fails('SyntaxError', "%reset stands alone, received '-f' after it.")],
    ['an unknown magic', ['%tiem 1'], fails('SyntaxError', /unknown magic: '%tiem'\. Did you mean '%time'\?/)],
  ],
  'hot loops': [
    ['accumulate', ['let sum = 0', 'for (let i = 0; i < 1000; i++) sum += i', 'sum'], 499500],
    ['call what sees their names', ['let n = 0\nconst bump = () => { n++ }', 'for (let i = 0; i < 5; i++) { bump(); n += 10 }', 'n'], 55],
    ['keep what they had when they throw', ['let n = 0', 'try { for (;;) { if (++n === 7) throw 0 } } catch {}', 'n'], 7],
    ['labels', ['let n = 0\nouter: for (let i = 0; i < 3; i++) { for (;;) { n++; continue outer } }', 'n'], 3],
    ['await inside', ['let n = 0\nfor (let i = 0; i < 3; i++) n += await Promise.resolve(i)', 'n'], 3],
    ['constants stay', ['const k = 1\nfor (let i = 0; i < 3; i++) k = i'], fails('TypeError', /'k'/)],
    ['with var', ['var total = 0\nfor (var i = 0; i < 4; i++) total += i;\n[total, i]'], [6, 4]],
    ['while and do', ['let n = 9\nwhile (n > 5) n--\ndo { n-- } while (n > 2)\nn'], 2],
    ['names of Node\'s', ['let performance = 0\nfor (let i = 0; i < 3; i++) performance += i\nperformance'], 3],
  ],
  'magics': [
    ['%env sets', ['%env GRAFT_CELL_TEST=5', 'process.env.GRAFT_CELL_TEST'], '5'],
    ['after a comment', ['// first\n\n%env GRAFT_CELL_TEST=6\nprocess.env.GRAFT_CELL_TEST'], '6'],
    ['a negation is no shell command', ['const ls = 0, rm = { x: 1 }', '!ls && !rm.x === false'], true],
    ['%time keeps the value', ['%time 1 + 1'], 2],
    ['%who', ['const a = 1\nclass B {}', '%who'], { a: 'number, cell 1', B: 'class, cell 1' }],
    ['%reset', ['const a = 1', '%reset', 'typeof a'], 'undefined'],
  ],
}

for (const [topic, table] of Object.entries(rows)) {
  describe(topic, () => {
    for (const [name, sources, expected] of table) {
      test(name, async () => {
        const cells = new Cells({ names: library, folder })
        try {
          let value: unknown
          for (const [i, source] of sources.slice(0, -1).entries()) await cells.run(source, i + 1)
          try {
            ({ value } = await cells.run(sources.at(-1)!, sources.length))
          } catch (error) {
            const said = cells.describe(error)
            const wanted = expected as ReturnType<typeof fails>
            if (!wanted?.shows) throw error
            assert.equal(said.ename, wanted.ename)
            if (typeof wanted.evalue === 'string') assert.equal(said.evalue, wanted.evalue)
            else assert.match(said.evalue, wanted.evalue)
            const text = said.traceback.join('\n')
            for (const line of wanted.shows) assert.ok(typeof line === 'string' ? said.traceback.includes(line) : line.test(text), `${line} is not in:\n${text}`)
            return
          }
          assert.deepEqual(typeof expected === 'object' ? structuredClone(value) : value, expected)
        } finally {
          await cells.run('%reset', 99)
        }
      })
    }
  })
}

test('an expression beside the cells leaves their lines alone', async () => {
  const cells = new Cells({ names: {}, folder })
  await cells.run('\n\nfunction late() { throw new Error("x") }', 1)
  assert.deepEqual(await cells.evaluate('1 + 1'), { value: 2 })
  const error = await cells.evaluate('late()').catch(e => e)
  assert.deepEqual(cells.describe(error).traceback.filter(line => /line \d/.test(line)), ['Cell 1, line 3', '    at Expression, line 1'])
  await cells.run('%reset', 2)
})

test('what has no name is shown without one', async () => {
  for (const source of ['() => 1', 'async () => 1', '(function () {})', '(class {})', 'export default () => 1', 'if (true) { () => 1 }']) {
    const { value } = await new Cells({ names: {}, folder }).run(source, 1)
    assert.equal((value as () => number).name, '', source)
  }
})

test('an error that is shown has the stack of the cells alone', async () => {
  const cells = new Cells({ names: {}, folder })
  await cells.run('function make() { return new Error("shown") }', 1)
  for (const source of ['make()', 'await null; make()']) {
    const { value } = await cells.run(source, 2)
    assert.doesNotMatch((value as Error).stack!, /\/kernel\//)
    assert.match((value as Error).stack!, /^Error: shown\n {4}at make \(Cell 1:1:\d+\)\n {4}at .*Cell 2:1:\d+/)
  }
  await cells.run('%reset', 3)
})

test('a promise as the last expression comes back unawaited', async () => {
  const { value } = await new Cells({ names: {}, folder }).run('Promise.resolve(5)', 1)
  assert.ok(value instanceof Promise)
  const box = await new Cells({ names: {}, folder }).run('await null; Promise.resolve(6)', 1)
  assert.ok(box.value instanceof Promise)
})

test('a cell without await runs in one go', async () => {
  const cells = new Cells({ names: {}, folder })
  const order: string[] = []
  Object.assign(globalThis, { order })
  const running = cells.run('queueMicrotask(() => order.push("microtask"))\nfor (let i = 0; i < 3; i++) order.push("body")', 1)
  await running
  assert.deepEqual(order.slice(0, 3), ['body', 'body', 'body'])
  Reflect.deleteProperty(globalThis, 'order')
})

test('names are loaded only when a cell mentions them, and once', async () => {
  const loaded: string[] = []
  const loader = (name: string) => () => { loaded.push(name); return Promise.resolve(name) }
  const cells = new Cells({ names: { one: loader('one'), two: loader('two') }, folder })
  await cells.run('1', 1)
  await cells.run('one', 2)
  await cells.run('const f = () => one', 3)
  await cells.run('let two = 2', 4)
  assert.deepEqual(loaded, ['one'])
  await cells.run('%reset', 5)
})

test('an edited file, and an edited file behind it, is seen on the next run', async () => {
  const cells = new Cells({ names: {}, folder })
  const write = (name: string, text: string, seconds: number) => {
    writeFileSync(join(folder, name), text)
    utimesSync(join(folder, name), seconds, seconds)
  }
  write('leaf.ts', 'export const leaf: number = 1', 1000)
  write('stem.ts', 'import { leaf } from "./leaf"\nexport const stem = () => leaf * 10', 1000)
  const source = 'import { stem } from "./stem"; stem()'
  assert.equal((await cells.run(source, 1)).value, 10)
  write('leaf.ts', 'export const leaf: number = 2', 2000)
  assert.equal((await cells.run(source, 2)).value, 20)
  write('stem.ts', 'import { leaf } from "./leaf"\nexport const stem = () => leaf * 100', 3000)
  assert.equal((await cells.run(source, 3)).value, 200)
  assert.equal((await cells.run(`(await import("./stem")).stem === stem`, 4)).value, true, 'unchanged files keep their instance')
  await cells.run('%reset', 5)
})

test('%time prints', async t => {
  const print = t.mock.method(console, 'log', () => {})
  await new Cells({ names: {}, folder }).run('%time\nawait null', 1)
  assert.match(String(print.mock.calls[0].arguments[0]), /^\d+\.\d ms$/)
})

test('%%html shows itself', async () => {
  const { value } = await new Cells({ names: {}, folder }).run('%%html\n<b>x</b>', 1)
  assert.equal((value as Record<symbol, () => Record<string, string>>)[Symbol.for('Jupyter.display')]()['text/html'], '<b>x</b>')
})
