// Writes all that errors say, from the sources: node docs/errors.ts
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseSync, Visitor } from 'oxc-parser'

const root = join(import.meta.dirname, '..')

/** The errors whose messages are written for whoever sees them; elsewhere a plain one is caught and told in another's words. */
const own = ['GraftError', 'SetupError']

/** Where errors come from: what one calls, the sources behind it, and which other errors of theirs are shown as they are. */
const areas: [title: string, sources: string, others?: string[]][] = [
  ['hub.load', 'lib/{hub,lift}/**/*.ts'],
  ['customize, tap, insertAfter, freeze, …', 'lib/customize/**/*.ts'],
  ['data', 'lib/data/**/*.ts'],
  ['train, predict', 'lib/{train,layers}/**/*.ts'],
  ['runs', 'lib/runs/**/*.ts'],
  ['show, widgets, progress', 'lib/show/**/*.ts'],
  ['save, load', 'lib/save/**/*.ts'],
  ['files', 'lib/files/**/*.ts'],
  ['engine', 'lib/engine/**/*.ts'],
  ['any call', 'lib/*.ts'],
  ['cells', 'kernel/**/*.ts', ['TypeError', 'SyntaxError']],
  ['graft run, graft script', 'cli/**/*.ts'],
  ['node install.js', 'install/**/*.js', ['Error']],
]

interface Node { type: string, [key: string]: any }

/** A message as it reads, with … for what is known only when it happens; empty where all of it is. */
function message(node: Node | undefined): string {
  if (node?.type === 'Literal') return String(node.value)
  if (node?.type === 'TemplateLiteral') return node.quasis.map((part: Node) => part.value.cooked).join('…')
  if (node?.type === 'BinaryExpression') return message(node.left) + message(node.right)
  if (node?.type === 'ConditionalExpression') return [message(node.consequent), message(node.alternate)].sort((a, b) => b.length - a.length)[0]
  return '…'
}

/** The messages of one file's errors, of the library's own kinds and others. */
export function messagesOf(text: string, file = 'a.ts', others: string[] = []): string[] {
  const found: string[] = []
  const visitor = new Visitor({
    NewExpression({ callee, arguments: [first] }: Node) {
      if (callee.type === 'Identifier' && [...own, ...others].includes(callee.name)) found.push(message(first))
    },
  })
  visitor.visit(parseSync(file, text).program)
  return found.map(text => text.replace(/\s+/g, ' ').replace(/…+(?: …+)*/g, '…').trim()).filter(text => /[a-z]{3}.* .*[a-z]{3}/i.test(text))
}

/** The page. */
export function errors(): string {
  const section = ([title, sources, others]: (typeof areas)[number]) => {
    const files = globSync(sources, { cwd: root }).sort()
    const all = [...new Set(files.flatMap(file => messagesOf(readFileSync(join(root, file), 'utf8'), file, others)))]
    return all.length ? [`## ${title}`, all.sort((a, b) => sortable(a).localeCompare(sortable(b), 'en')).map(text => `- ${text.replace(/[<|*_[\]]/g, '\\$&')}`).join('\n')] : []
  }
  return ['# What errors say', 'Each message says what was expected, what came instead, and the way out; `…` stands for what is known only then. `node docs/errors.ts` writes this page. What one *sees*, and why: [troubleshooting](troubleshooting.md).',
    ...areas.flatMap(section)].join('\n\n') + '\n'
}

const sortable = (text: string) => text.replace(/^[^a-z]+/i, '').toLowerCase()

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) writeFileSync(join(root, 'docs', 'errors.md'), errors())
