import { inspect } from 'node:util'

/**
 * An error the user can act on. The message says what was expected, what was received and the way out; a kernel shows it without
 * the library's inner stack.
 *
 * @example
 * import { GraftError } from 'graft'
 * await hub.load('./nothing').catch(error => console.log(error instanceof GraftError, error.message))
 */
export class GraftError extends Error {
  override name = 'GraftError'
}

/** Returns ` Did you mean 'block_1'?` for the closest candidate, or an empty string where none is close. */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  let best = '', least = Math.max(2, Math.floor(word.length / 3)) + 1
  for (const candidate of candidates) {
    const d = editDistance(word.toLowerCase(), candidate.toLowerCase(), least)
    if (d < least) { least = d; best = candidate }
  }
  return best ? ` Did you mean '${best}'?` : ''
}

/** A value in a few words, for messages: `'0.1'`, `NaN`, `a Promise`, `{ a: 1 }`; never the table of a whole model. */
export function inWords(value: unknown): string {
  const name = typeof value === 'object' && value !== null && Object.getPrototypeOf(value)?.constructor?.name
  if (typeof name === 'string' && !['Object', 'Array', ''].includes(name)) return `${/^[AEIO]/.test(name) ? 'an' : 'a'} ${name}`
  const text = inspect(value, { depth: 0, breakLength: Infinity, customInspect: false })
  return text.length > 100 ? `${text.slice(0, 100)}…` : text
}

function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1))
    }
    row = next
  }
  return row[b.length]
}
