/**
 * Indices of `count` of `length` things, spread over all of them; all where there are no more.
 *
 * @example
 * evenly(10, 3)   // [1, 5, 8]
 */
export function evenly(length: number, count: number): number[] {
  const some = Math.min(length, count)
  return Array.from({ length: some }, (_, i) => Math.floor(((i + 0.5) * length) / some))
}
