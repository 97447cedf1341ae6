/** A doc comment, in its parts. */
export interface Doc {
  text: string
  params: [name: string, about: string][]
  returns: string
  throws: string[]
  examples: string[]
}

/** Reads a doc comment (TSDoc's tags, those that the sources use). */
export function docOf(comment: string): Doc {
  const body = comment.replace(/^\/\*\*|\*\/$/g, '').split('\n').map(line => line.replace(/^\s*\* ?/, '')).join('\n').trim()
  const [text, ...tags] = body.split(/(?:^|\s)(?=@(?:param|returns|throws|example|see)\b)/)
  const doc: Doc = { text: plain(text), params: [], returns: '', throws: [], examples: [] }
  for (const tag of tags) {
    const [, name, rest] = /^@(\w+)\s*([^]*)$/.exec(tag)!
    if (name === 'example') doc.examples.push(rest.trim())
    else if (name === 'throws') doc.throws.push(oneLine(rest))
    else if (name === 'returns') doc.returns = oneLine(rest)
    else if (name === 'param') {
      const [, which, about] = /^([\w.]+)\s+(?:- )?([^]*)$/.exec(rest)!
      doc.params.push([which, oneLine(about)])
    }
  }
  return doc
}

const oneLine = (text: string) => plain(text).replace(/\s*\n\s*/g, ' ')

/** `{@link name text}` as Markdown code; lines of a paragraph joined. */
const plain = (text: string) => text.trim().replace(/\{@link (\S+?)(?: ([^}]+))?\}/g, (_, name, words) => words ?? `\`${name}\``)
  .split(/\n\s*\n/).map(part => /^\s*[-|]/m.test(part) ? part : part.replace(/\s*\n\s*/g, ' ')).join('\n\n')
