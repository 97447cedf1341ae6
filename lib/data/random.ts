/** A source of numbers in [0, 1) that one seed determines. */
export type Random = () => number

/**
 * A 32-bit number that the parts determine (FNV-1a, then a mixing step), never 0: TensorFlow.js reads a seed of 0 as "no seed".
 */
export function seedFrom(...parts: (string | number)[]): number {
  let h = 0x811c9dc5
  for (const char of parts.join('\0')) h = Math.imul(h ^ char.codePointAt(0)!, 0x01000193)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  return ((h ^ (h >>> 13)) >>> 0) || 1
}

/** A seeded generator (mulberry32: 32 bits of state, period 2³²), enough for shuffling and augmentation, not for secrets. */
export function randomFrom(...parts: (string | number)[]): Random {
  let state = seedFrom(...parts)
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/** A shuffled copy (Fisher–Yates). */
export function shuffled<T>(items: ArrayLike<T>, random: Random): T[] {
  const out = Array.from(items)
  for (let i = out.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    const held = out[i]
    out[i] = out[j]
    out[j] = held
  }
  return out
}
