/** How front ends name the source of a cell: prefix, hash of the text, suffix. */
export interface Naming { prefix: string, suffix: string, seed: number }

/** The name under which front ends know a cell's source. */
export const pathOf = ({ prefix, suffix, seed }: Naming, code: string): string => `${prefix}${murmur2(code, seed)}${suffix}`

const multiplier = 0x5bd1e995

/**
 * MurmurHash2 of a text's UTF-8 bytes, 32 bits: front ends name a cell's source by it (Jupyter messaging, "debugInfo").
 *
 * @example
 * murmur2('i = 1', 0xc70f6907)
 */
export function murmur2(text: string, seed: number): number {
  const bytes = Buffer.from(text), whole = bytes.length & ~3
  let hash = seed ^ bytes.length
  for (let at = 0; at < whole; at += 4) {
    let word = Math.imul(bytes.readInt32LE(at), multiplier)
    word = Math.imul(word ^ (word >>> 24), multiplier)
    hash = Math.imul(hash, multiplier) ^ word
  }
  if (bytes.length > whole) hash = Math.imul(hash ^ bytes.readUIntLE(whole, bytes.length - whole), multiplier)
  hash = Math.imul(hash ^ (hash >>> 13), multiplier)
  return (hash ^ (hash >>> 15)) >>> 0
}
