/**
 * An error the user can act on. The message says what was expected, what was received and the way out; a kernel shows it without
 * the library's inner stack.
 *
 * @example
 * throw new GraftError(`unknown layer: '${name}'.${didYouMean(name, names)}`)
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
