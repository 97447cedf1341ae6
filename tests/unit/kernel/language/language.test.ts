import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { Comms } from '../../../../kernel/display/comms.ts'
import { makeDisplay } from '../../../../kernel/display/display.ts'
import { globalsOf } from '../../../../kernel/display/globals.ts'
import { Questions } from '../../../../kernel/display/input.ts'
import { Language } from '../../../../kernel/language/language.ts'

const folder = mkdtempSync(join(tmpdir(), 'graft-language-'))
writeFileSync(join(folder, 'shapes.ts'), 'export interface Shape { sides: number }\n/** Three, in words. */\nexport const three = "three"\n')
mkdirSync(join(folder, 'node_modules/untyped'), { recursive: true })
writeFileSync(join(folder, 'node_modules/untyped/index.js'), 'module.exports = { anything: 1 }')

const language = new Language({ folder })
after(() => {
  language.dispose()
  rmSync(folder, { recursive: true, force: true })
})

/** Checks each cell; all but the last must be right and count as run. */
async function check(cells: string[]) {
  language.reset()
  for (const [i, source] of cells.slice(0, -1).entries()) {
    assert.equal((await language.check(source, i + 1))?.evalue, undefined, source)
    language.ran(source, i + 1)
  }
  return language.check(cells.at(-1)!, cells.length)
}

test('all that a cell finds is declared, and nothing else', async () => {
  const questions = new Questions(null as never, () => {}, () => null)
  const found: Record<string, unknown> = globalsOf(null as never, makeDisplay(null as never, new Comms(null as never), () => {}), questions)
  const declarations = readFileSync(new URL('../../../../kernel/language/globals.d.ts', import.meta.url), 'utf8')
  assert.deepEqual([...declarations.matchAll(/^ {2}(?:const|function|var) (\w+)/gm)].map(([, name]) => name).sort(), [...Object.keys(found), '_'].sort())
  const all = (path: string, value: unknown): string[] => [path, ...Object.entries(value as object).flatMap(([name, inner]) => all(`${path}.${name}`, inner))]
  const paths = Object.keys(found).flatMap(name => all(name, found[name]))
  for (const path of ['display.page', 'display.html', 'Deno.jupyter.md', 'Deno.jupyter.$display']) assert.ok(paths.includes(path), path)
  for (const name of paths) {
    const value = name.split('.').reduce<any>((at, key) => at[key], found), type = typeof value === 'function' ? '(...values: never[]) => unknown' : typeof value
    assert.equal(await check([`const f: ${type} = ${name}`]), null, name)
    assert.match((await check([`const f: string = ${name}`]))?.evalue ?? '', /not assignable to type 'string'/, name)
  }
})

test('a value tells its type', async () => {
  language.reset()
  language.ran('const thing: any = 1\nlet other = thing', 1, { thing: 'const thing: { size: number }', other: 'let other: Map<string, number>' })
  assert.match((await language.check('thing.sise', 2))!.evalue, /Property 'sise' does not exist on type '\{ size: number; \}'/)
  assert.match((await language.check('other = 1', 2))!.evalue, /'number' is not assignable to type 'Map<string, number>'/)
  assert.equal(await language.check('const twice = thing.size * 2', 2), null)
  language.ran('const twice = thing.size', 2, { twice: 'const twice: no type at all' })
  await language.settled()
  assert.match((await language.check('twice.length', 3))!.evalue, /'length' does not exist on type 'number'/)
})

test('a file that was edited counts as it is once a cell imports it again, and so does a file behind it', async () => {
  const put = (deep: string, more = '') => {
    writeFileSync(join(folder, 'deep.ts'), `export const deep = ${deep}`)
    writeFileSync(join(folder, 'edited.ts'), `export { deep } from './deep.ts'\n${more}`)
  }
  const cell = 'import * as edited from "./edited"\n'
  put('1')
  assert.equal(await check([`${cell}edited.deep.toFixed()`]), null)
  put('"text"', 'export const more = 2')
  assert.match((await check([cell, 'edited.deep.toUpperCase()']))?.evalue ?? 'nothing', /nothing/)
  assert.equal(await check([cell, 'edited.more.toFixed()']), null)
  rmSync(join(folder, 'edited.ts'))
  writeFileSync(join(folder, 'edited.js'), 'export const more = "text"')
  assert.equal(await check([cell, 'edited.more.toUpperCase()']), null)
})

test('without checks, cells are taken in when somebody asks', async () => {
  language.reset()
  assert.equal(await language.check('%types off', 1), null)
  language.ran('%types off', 1)
  for (let i = 2; i < 20; i++) language.ran(`const value${i} = ${i}`, i)
  assert.ok((await language.complete('value1', 6)).matches.includes('value19'))
  assert.equal(await language.check('value19.x', 20), null)
  assert.match((await language.check('%types on\nvalue19.x', 20))!.evalue, /'x' does not exist/)
})

describe('type errors stop a cell', () => {
  const rows: [name: string, cells: string[], evalue: RegExp, ...shows: (string | RegExp)[]][] = [
    ['a wrong value', ['\nconst a: number = "x"'], /^Type 'string' is not assignable to type 'number'\.$/, 'Cell 1, line 2', /^> 2 \| const a: number = "x"\n {4}\| {7}\^$/m],
    ['after wide characters', ['const 漢 = "😀"; const a: number = 漢'], /not assignable/, /\| {23}\^$/m],
    ['types of earlier cells', ['interface A { x: number }\nconst a: A = { x: 1 }', 'a.y'], /Property 'y' does not exist on type 'A/],
    ['an earlier type of the same name', ['interface A { x: number }\nconst a: A = { x: 1 }', 'interface A { z: string }\nconst b: A = a'], /in type 'A \(cell 1\)' but required in type 'A'/],
    ['a let keeps its type', ['let k = 1', 'k = "s"'], /'string' is not assignable to type 'number'/],
    ['JSX', ['const a = 1\nconst e = <div>hello</div>'], /^JSX is off in cells/, 'Cell 1, line 2', /^> 2 \| const e = <div>hello<\/div>\n {4}\| {11}\^$/m],
    ['an object alone', ['{ a: 1, b: nowhere }'], /^Cannot find name 'nowhere'/, /^> 1 \| \{ a: 1, b: nowhere \}\n {4}\| {12}\^{7}$/m],
    ['a line that goes on', ['const a = 1\n[a, a]'], /used before its declaration/, 'Line 2 goes on from the line before, as it begins with [. A ; before it makes it a statement of its own.'],
    ['a constant', ['const a = 1', 'a = 2'], /Cannot assign to 'a' because it is a constant/],
    ['undefined itself', ['const n: number = undefined'], /Type 'undefined' is not assignable/],
    ['an argument', ['function f(x: number) { return x }', 'f("1")'], /Argument of type 'string'/],
    ['a class', ['class P { constructor(public x: number) {} }', 'new P("1")'], /Argument of type 'string'/],
    ['a local import', ['import { three } from "./shapes"\nthree.toFixed(1)'], /Property 'toFixed' does not exist on type '"three"'/],
    ['a type import', ['import type { Shape } from "./shapes"', 'const s: Shape = { sides: "4" }'], /'string' is not assignable to type 'number'/],
    ['an awaited value', ['const a = await Promise.resolve(1)', 'a.length'], /Property 'length'/],
    ['an unknown name', ['unknownName'], /Cannot find name 'unknownName'/],
    ['Node\'s own types', ['process.cwd(1)'], /Expected 0 arguments/],
    ['a name that the library has too', ['const data = [1]', 'data.push("x")'], /Argument of type 'string'/],
    ['bad syntax', ['const q = ;'], /Expression expected/, /^SyntaxError/],
    ['a generic', ['const m = new Map<string, number>()', 'm.set("a", "b")'], /'string' is not assignable to parameter of type 'number'/],
    ['names that a cell declares anew', ['const x = 1', 'const y = x + 1', 'const x = y + "s"', 'x.toFixed()'], /'toFixed' does not exist on type 'string'/],
    ['a value and a type of one name, from two cells', ['const T = 5', 'type T = { a: string }', 'const t: T = { a: T }'], /'number' is not assignable to type 'string'/],
  ]
  for (const [name, cells, evalue, ...shows] of rows) {
    test(name, async () => {
      const error = await check(cells)
      assert.ok(error, 'no error')
      assert.match(error.evalue, evalue)
      const text = error.traceback.join('\n')
      for (const line of shows) assert.ok(typeof line === 'string' ? error.traceback.includes(line) : line.test(text), `${line} is not in:\n${text}`)
    })
  }
})

test('cells that moved to an archive are what they were', async () => {
  const cells = [
    'interface Shape { sides: number }', 'import { three } from "./shapes"\nimport type { Shape as Other } from "./shapes"\nconst shout = three.toUpperCase()',
    'const square: Shape = { sides: 4 }', 'class Box<T> { constructor(readonly held: T) {} }\nconst box = new Box(square)',
    'enum Color { Red, Green }\nlet color = Color.Red', '/** Twice. */\nfunction twice(n: number) { return n * 2 }', 'const loose: any = JSON.parse("1")\nconst fixed = 7',
    'const pair = [square, box] as const', 'const other: Other = { sides: 3 }', 'let counted = 1', 'counted = 2; color = Color.Green',
    'type Shape2 = Shape & { name: string }\nconst named: Shape2 = { ...square, name: "s" }',
  ]
  language.reset()
  let count = 0
  const run = async (source: string) => {
    assert.equal((await language.check(source, ++count))?.evalue, undefined, source)
    language.ran(source, count)
  }
  for (let round = 0; round < 8; round++) {
    for (const cell of cells) await run(cell)
    if (round % 2) await language.settled()
  }
  for (let i = 0; i < 30; i++) await run(`const filler${i} = twice(${i})`)
  await language.settled()
  const rows: [source: string, evalue: RegExp | null][] = [
    ['square.side', /'side' does not exist on type 'Shape'/], ['box.held.sides.toFixed() + pair[1].held.sides', null], ['box.held = 1', /read-only/],
    ['color = "red"', /is not assignable to type 'Color'/], ['twice("1")', /Argument of type 'string'/], ['loose.anything(fixed.toFixed())', null],
    ['fixed.x', /'x' does not exist on type '7'/], ['const b: Box<string> = box', /'Box<Shape>' is not assignable/], ['shout.x', /'x' does not exist on type 'string'/],
    ['named.name.y', /'y' does not exist on type 'string'/], ['const o: Other = { sides: "1" }', /not assignable to type 'number'/], ['counted = "x"', /not assignable to type 'number'/],
    ['pair = 1', /constant/],
    ['interface Shape { z: string }\nconst s: Shape = square', /in type 'Shape \(cell 85\)' but required in type 'Shape'/],
    ['three.x', /'x' does not exist on type '"three"'/], ['filler29.x', /'x' does not exist on type 'number'/],
  ]
  for (const [source, evalue] of rows) {
    const found = (await language.check(source, count + 1))?.evalue
    if (evalue) assert.match(found ?? 'no error', evalue, source)
    else assert.equal(found, undefined, source)
  }
  assert.match((await language.inspect('twice', 1, 0)).data['text/plain']!, /^function twice\(n: number\): number\nTwice\.$/)
})

test('a notebook for tslab is checked as strictly as tslab does', async () => {
  const cells = ['let a: number = null', 'let b: string = undefined', 'function f(x: number) { return x }\nf(null)', 'class P { name: string }']
  for (const cell of cells.slice(0, 3)) assert.match((await check([cell]))!.evalue, /is not assignable to/, cell)
  for (const cell of cells) assert.equal(await check(["import * as tslab from 'tslab'", cell]), null, cell)
  assert.match((await check(["import { display } from 'tslab'", 'let a: number = "s"']))!.evalue, /'string' is not assignable/)
})

test('an object alone is no block', async () => {
  assert.equal(await check(['const x = 1', '{ x, y: 2 }']), null)
})

test('the first cell is checked as every other, though few types are loaded at first', async () => {
  const rows: [source: string, evalue: RegExp | null][] = [
    ['1 + 1', null], ['const n: number = "x"', /not assignable to type 'number'/], ['console.log(1, "a")', null], ['console.logg(1)', /'logg' does not exist/],
    ['process.cwd(1)', /Expected 0 arguments/], ['process.cwd().length', null], ['const b: string = Buffer.from("a")', /not assignable to type 'string'/],
    ['import { sep } from "node:path"\nsep.x', /'x' does not exist/], ['const { three } = await import("./shapes")\nthree.x', /'x' does not exist/], ['display(1)', null],
  ]
  for (const [source, evalue] of rows) {
    const fresh = new Language({ folder })
    try {
      const found = (await fresh.check(source, 1))?.evalue
      if (evalue) assert.match(found ?? 'no error', evalue, source)
      else assert.equal(found, undefined, source)
      fresh.ran(source, 1)
      assert.match((await fresh.check('process.cwd(1)', 2))!.evalue, /Expected 0 arguments/)
    } finally {
      fresh.dispose()
    }
  }
})

describe('what may be right when it runs does not', () => {
  const rows: [name: string, ...cells: string[]][] = [
    ['nothing wrong', 'const a: number = 1', 'a.toFixed()'],
    ['possibly undefined', 'const f = [1].find(x => x > 3)\nf.toFixed()'],
    ['an argument that is possibly undefined', 'function f(x: number) {}\nf(new Map<string, number>().get("a"))\nconst home: string = process.env.HOME'],
    ['a caught error', 'try { throw 1 } catch (e) { e.message }'],
    ['a package without types', 'import untyped, { anything } from "untyped"\nuntyped.x + anything'],
    ['a missing module', 'import { a } from "./not-yet"'],
    ['a name put on globalThis', '(globalThis as any).late = 1; globalThis.later = 2; late + later', 'late + later'],
    ['redeclared kinds', 'const a = 1', 'let a = "s"', 'function a() { return true }', 'class a {}', 'new a()'],
    ['enums again', 'enum E { A }', 'enum E { B }', 'E.B'],
    ['top-level await and export', 'export const a = await Promise.resolve(1)', 'export { a as b }', 'a + 1'],
    ['unused and var in a loop', 'for (var i = 0; i < 3; i++) {}\nconst unused = 1', 'i.toFixed()'],
    ['decorators', 'function d(v: any, c: ClassDecoratorContext) {}\n@d class A {}'],
    ['kernel names', 'display(1); display.html("<b>x</b>"); clear(); const s: string = await input("?")'],
    ['magics', '%time const a = 1', '%who', 'a.toFixed()'],
    ['import =', 'import fs = require("node:fs")', 'fs.readFileSync'],
    ['JSON', 'import pkg from "./numbers.json"\npkg'],
    ['let without a type', 'let q', 'q = 5', 'q = "s"'],
  ]
  for (const [name, ...cells] of rows) test(name, async () => assert.equal((await check(cells))?.traceback.join('\n'), undefined))
})

test('an implicit any is worth a word, once', async () => {
  const fresh = new Language({ folder })
  try {
    assert.equal(await fresh.check('let a\na = 1\nimport untyped from "untyped"', 1), null)
    const warned = await fresh.check('\nfunction f(x) { return x.y }', 2)
    assert.equal(warned?.warning, true)
    assert.deepEqual(warned.traceback, [
      "Cell 2, line 2: Parameter 'x' implicitly has an 'any' type. (TS7006)", 'The cell runs all the same, and this is said once.',
    ])
    for (const cell of ['function g(y) {}', 'const h = { f: function () { return this }, g() { return [1].map(function () { return this }) } }']) assert.equal(await fresh.check(cell, 3), null)
  } finally {
    fresh.dispose()
  }
})

test('%types warns or is off', async () => {
  const wrong = 'const a: number = "x"'
  assert.equal((await check([`%types warn\n${wrong}`]))?.warning, true)
  assert.equal(await language.check(`%types off\n${wrong}`, 2), null)
  assert.equal(await language.check(wrong, 3), null)
  assert.equal((await language.check(`%types on\n${wrong}`, 4))?.warning, undefined)
})

test('%reset and a restart forget', async () => {
  assert.match((await check(['const a = 1', '%reset', 'a']))!.evalue, /Cannot find name 'a'/)
})

describe('completion', () => {
  /** `|` is the cursor. */
  const rows: [name: string, cells: string[], code: string, has: string[], type: string, start: number][] = [
    ['members', ['const a = { first: 1, second: 2 }'], 'a.|', ['first', 'second'], 'property', 2],
    ['members of an unfinished line', ['const a = { first: 1 }'], 'const b = 1\na.fi|\nb', ['first'], 'property', 14],
    ['names of earlier cells', ['const abcDef = 1'], 'abc|', ['abcDef'], 'variable', 0],
    ['names of this cell', [], 'function abcDef() {}\nabc|', ['abcDef'], 'function', 21],
    ['after astral characters', ['const a = { first: 1 }'], '"😀😀"; a.f|', ['first'], 'property', 8],
    ['Node', [], 'process.cw|', ['cwd'], 'method', 8],
    ['the library\'s names', [], 'cust|', ['customize'], 'module', 0],
    ['files', [], 'import x from "./sha|"', ['shapes'], 'file', 17],
    ['magics', [], '%ti|', ['%time'], 'magic', 0],
  ]
  for (const [name, cells, marked, has, type, start] of rows) {
    test(name, async () => {
      await check([...cells, ''])
      const cursor = [...marked.slice(0, marked.indexOf('|'))].length
      const { matches, cursor_start, cursor_end, metadata } = await language.complete(marked.replace('|', ''), cursor)
      for (const match of has) assert.ok(matches.includes(match), `${match} is not in ${matches.slice(0, 20)}`)
      assert.deepEqual([cursor_start, cursor_end], [start, cursor])
      assert.equal(metadata._jupyter_types_experimental?.find(m => m.text === has[0])?.type, type)
    })
  }

  test('tells signatures where matches are few', async () => {
    await check(['function measure(length: number, unit = "m") { return length + unit }', ''])
    const { metadata } = await language.complete('meas', 4)
    assert.equal(metadata._jupyter_types_experimental?.find(m => m.text === 'measure')?.signature, '(length: number, unit?: string): string')
  })
})

describe('inspection', () => {
  const rows: [name: string, cells: string[], code: string, text: RegExp | null][] = [
    ['a name of an earlier cell', ['/** The answer. */\nconst answer = 42'], 'ans|wer', /^const answer: 42\nThe answer\.$/],
    ['behind a name', ['let n = 1'], 'n|', /^let n: number$/],
    ['inside a call', ['/** Adds. */\nfunction add(a: number, b: number) { return a + b }'], 'add(1, |', /^add\(a: number, b: number\): number\nAdds\.$/],
    ['imported', ['import { three } from "./shapes"'], 'three|', /Three, in words/],
    ['nothing', [], '1 + |', null],
  ]
  for (const [name, cells, marked, text] of rows) {
    test(name, async () => {
      await check([...cells, ''])
      const { found, data } = await language.inspect(marked.replace('|', ''), marked.indexOf('|'), 0)
      assert.equal(found, text !== null)
      if (!text) return
      assert.match(data['text/plain']!, text)
      assert.match(data['text/markdown']!, /^```typescript\n/)
    })
  }
})

test('tells whether code is complete', () => {
  const rows: [code: string, status: string, indent?: string][] = [
    ['const a = 1', 'complete'], ['', 'complete'], ['f(1,', 'incomplete', ''], ['if (a) {', 'incomplete', '  '], ['if (a) {\n  f(x => {', 'incomplete', '    '],
    ['`a', 'incomplete', ''], ['/* a', 'incomplete', ''], ['const a =', 'incomplete', ''], ['"a', 'invalid'], [')', 'invalid'], ['const = 1', 'invalid'], ['await f()', 'complete'],
  ]
  for (const [code, status, indent] of rows) {
    const said = language.isComplete(code)
    assert.deepEqual([code, said.status, said.indent], [code, status, indent])
  }
})

test('an idle server ends, and is back with all it knew', async () => {
  const brief = new Language({ folder, idle: 50 })
  brief.ran('const kept = "x"', 1)
  assert.match((await brief.check('kept.toFixed()', 2))!.evalue, /toFixed/)
  await new Promise(resolve => setTimeout(resolve, 200))
  assert.equal(brief.running, false)
  assert.match((await brief.check('kept.toFixed()', 3))!.evalue, /toFixed/)
  brief.dispose()
})
