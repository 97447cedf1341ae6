import { magicNames } from '../cell/magics.ts'
import { toPoints } from './positions.ts'

/** A completion item of the Language Server Protocol, as far as it is read here. */
export interface CompletionItem {
  label: string
  kind?: number
  sortText?: string
  insertText?: string
  filterText?: string
  detail?: string
  textEdit?: { range: { start: { line: number, character: number } }, newText: string }
  data?: unknown
}

/** What `complete_reply` carries; positions are in code points. */
export interface Completions {
  matches: string[]
  cursor_start: number
  cursor_end: number
  metadata: { _jupyter_types_experimental?: { text: string, type: string, signature: string, start: number, end: number }[] }
}

const kinds = ['', 'text', 'method', 'function', 'constructor', 'property', 'variable', 'class', 'interface', 'module', 'property', 'unit', 'value',
  'enum', 'keyword', 'snippet', 'color', 'file', 'reference', 'folder', 'enum member', 'constant', 'struct', 'event', 'operator', 'type parameter']

/** So many matches get their signature looked up; more would make the list wait. */
const detailed = 8

/**
 * Makes Jupyter's completions from the language server's.
 *
 * @param offset the cursor, in UTF-16 units
 * @param extra names that stand ready beside the server's
 * @param resolve looks up an item's details
 */
export async function completionsOf(code: string, offset: number, items: CompletionItem[], extra: string[],
  resolve: (item: CompletionItem) => Promise<CompletionItem>): Promise<Completions> {
  const lineStart = code.lastIndexOf('\n', offset - 1) + 1
  // A few items may replace more than the word (`Math[Symbol.toStringTag]` takes the dot with it): only where all do, their range counts.
  const edit = items.every(item => item.textEdit) ? items[0]?.textEdit : undefined
  const word = /[\w$\u00aa-\uffff]*$/.exec(code.slice(0, offset))![0]
  const start = edit ? lineStart + edit.range.start.character : offset - word.length
  const typed = code.slice(start, offset).toLowerCase()
  const textOf = (item: CompletionItem) => item.textEdit?.newText ?? item.insertText ?? item.label
  const found = new Map<string, CompletionItem>()
  for (const item of items) {
    const text = textOf(item)
    if (!edit && item.textEdit || hidden.test(item.label) || !(item.filterText ?? text).toLowerCase().startsWith(typed)) continue
    if (!found.has(text)) found.set(text, item)
  }
  for (const name of extra) {
    if (typed && name.toLowerCase().startsWith(typed) && !found.has(name)) found.set(name, { label: name, kind: 9, sortText: '11' })
  }
  const sorted = [...found].sort(([a, x], [b, y]) => rank(a, code.slice(start, offset)) - rank(b, code.slice(start, offset)) ||
    (x.sortText ?? '').localeCompare(y.sortText ?? '') || a.localeCompare(b))
  const details = sorted.length > detailed ? [] :
    await Promise.all(sorted.map(([, item]) => item.data ? resolve(item).then(r => r.detail ?? '', () => '') : ''))
  const cursor_start = toPoints(code, start), cursor_end = toPoints(code, offset)
  return {
    matches: sorted.map(([text]) => text), cursor_start, cursor_end,
    metadata: {
      _jupyter_types_experimental: sorted.map(([text, item], i) => ({
        text, type: kinds[item.kind ?? 0] || 'text', signature: signatureOf(details[i] ?? item.detail ?? ''), start: cursor_start, end: cursor_end,
      })),
    },
  }
}

/** The magics that fit what is typed, if the cursor stands in one. */
export function magicCompletions(code: string, offset: number): Completions | null {
  const match = /(?:^|\n)[ \t]*(%[%\w]*)$/.exec(code.slice(0, offset))
  if (!match || code.slice(0, offset - match[1].length).trim().split('\n').some(line => line && !line.trimStart().startsWith('%'))) return null
  const matches = Object.keys(magicNames).filter(name => name.startsWith(match[1]))
  const cursor_end = toPoints(code, offset), cursor_start = cursor_end - match[1].length
  const types = matches.map(text => ({ text, type: 'magic', signature: magicNames[text], start: cursor_start, end: cursor_end }))
  return { matches, cursor_start, cursor_end, metadata: { _jupyter_types_experimental: types } }
}

const hidden = /^(\$e|__\w*)$/

/** What begins just as it was typed comes before what only does so in another case. */
const rank = (text: string, typed: string) => text.startsWith(typed) ? 0 : 1

/** `(alias) function zeros<R>(shape: S): T` → `<R>(shape: S): T`; `const x: number` → `: number`. */
function signatureOf(detail: string): string {
  const line = detail.replace(/\nimport .*$/s, '').replace(/^\([a-z ]+\) /, '')
  const rest = /^(?:(?:function|const|let|var|class|interface|enum|namespace|module|type) )?[\w$.#[\]]+\??(.*)$/s.exec(line)?.[1]
  return rest?.replace(/\s+/g, ' ').trim() ?? ''
}
