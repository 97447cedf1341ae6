import assert from 'node:assert/strict'
import { test } from 'node:test'
import { scriptOf } from '../../../cli/script.ts'
import type { Cell, Notebook } from '../../../cli/notebook.ts'

const notebook = (...cells: (string | { markdown: string })[]): Notebook => ({
  metadata: {},
  nbformat: 4,
  nbformat_minor: 5,
  cells: cells.map((cell): Cell => ({
    cell_type: typeof cell === 'string' ? 'code' : 'markdown',
    source: typeof cell === 'string' ? cell : cell.markdown,
    metadata: {},
    outputs: [],
  })),
})
const script = (...cells: (string | { markdown: string })[]) => scriptOf(notebook(...cells), { name: 'a.ipynb', from: 'lib' })
const bodyOf = (text: string) => text.split('\n\n').slice(1).join('\n\n').trimEnd()

const cases: [string, (string | { markdown: string })[], string][] = [
  ['cells one after the other', ['const a = 1', 'const b = a + 1'], 'const a = 1\n\nconst b = a + 1'],
  ['words become comments', [{ markdown: '# Title\n\nText' }, 'let a = 1'], '// # Title\n//\n// Text\n\nlet a = 1'],
  [
    'a name declared anew has a number from there on',
    ['const a = 1', 'const b = a', 'const a = b + 1', 'const c = a'],
    'const a = 1\n\nconst b = a\n\nconst a2 = b + 1\n\nconst c = a2',
  ],
  [
    'also in short forms, patterns and types',
    [
      'interface P { a: number }\nconst a = 1',
      'type Q = P\nconst { a } = { a: 2 }\nconst o = { a }',
      'interface P { b: string }\nfunction f(p: P) { return { a, p } }',
    ],
    'interface P { a: number }\nconst a = 1\n\ntype Q = P\nconst { a: a2 } = { a: 2 }\nconst o = { a: a2 }\n\ninterface P2 { b: string }\nfunction f(p: P2) { return { a: a2, p } }',
  ],
  [
    'names of inner scopes and properties stay',
    ['const a = 1', 'const a = (a: number) => a + x.a', 'const y = { a: 1 }.a'],
    'const a = 1\n\nconst a2 = (a: number) => a + x.a\n\nconst y = { a: 1 }.a',
  ],
  [
    'magics become comments',
    ['%types off\nconst a = 1', '%time const b = 2'],
    '// %types off\n\nconst a = 1\n\n// %time\n\nconst b = 2',
  ],
  ['a class knows its own new name', ['class C {}', 'class C { copy() { return new C() } }'], 'class C {}\n\nclass C2 { copy() { return new C2() } }'],
  ['what a later cell writes is the newest', ['let n = 0', 'let n = 5', 'n++'], 'let n = 0\n\nlet n2 = 5\n\nn2++'],
]
for (const [name, cells, expected] of cases)
  test(`a program: ${name}`, () => assert.equal(bodyOf(script(...cells).text), expected))

test('the last value of a cell is shown, an assignment is not, nor is a declaration', () => {
  const { text } = script('const a = [1]\na.length', 'let b = 0\nb = 2', 'a.map(x => {\n  return x\n})', ';[1].length')
  assert.equal(
    bodyOf(text),
    'const a = [1]\nawait shown(a.length)\n\nlet b = 0\nb = 2\n\nawait shown(a.map(x => {\n  return x\n}))\n\n;await shown([1].length)',
  )
  assert.match(text, /^import \{ show \} from 'lib'$/m)
})

test('imports stand first, each once; two of one name are told apart', () => {
  const { text } = script(
    "import { join } from 'node:path'\nimport fs, { readFileSync as read } from 'node:fs'\nimport './side.ts'",
    "import { join } from 'node:path'\nimport { join as merge } from 'node:path'\njoin('a'); merge('b'); read('c')",
    "import { join } from './mine.ts'\nimport type { T } from './t.ts'\nconst x: T = join()",
  )
  assert.match(text, /^import '\.\/side\.ts'$/m)
  assert.match(text, /^import \{ join \} from 'node:path'$/m)
  assert.match(text, /^import \{ default as fs, readFileSync as read \} from 'node:fs'$/m)
  assert.match(text, /^import \{ join as join2 \} from '\.\/mine\.ts'$/m)
  assert.match(text, /^import type \{ T \} from '\.\/t\.ts'$/m)
  assert.match(text, /join\('a'\); join\('b'\); await shown\(read\('c'\)\)/)
  assert.match(text, /const x: T = join2\(\)/)
})

test("the library's names are imported where cells use them, until a cell declares them", () => {
  const { text } = script('const m = await hub.load(h)', 'graft.tf; display(1)', 'const data = [1]', 'data.length')
  assert.match(text, /^import \{ hub, show \} from 'lib'$/m)
  assert.match(text, /^import \* as graft from 'lib'$/m)
  assert.match(text, /^const display = /m)
})

test('enums need more of Node than stripping types', () => {
  assert.equal(script('const a: number = 1').transforms, false)
  assert.equal(script('enum E { A }').transforms, true)
})

test('a cell that cannot be read is named', () => {
  assert.throws(() => script('const a = 1', 'const = 2'), /^GraftError: a\.ipynb, cell 2 cannot be written as a program: /)
})
