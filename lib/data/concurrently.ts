// Decoding runs in libuv's pool of four threads, also on fewer processors: a picture waits for the disk or the main thread while
// another is decoded. More at once would only hold more undecoded files in memory.
const inPool = 4

/**
 * Maps with a few at a time, by default as many as Node's pool of threads takes, in order. The first failure stops the rest and
 * is thrown; so is the reason of an aborted signal.
 */
export async function concurrently<T, R>(
  items: ArrayLike<T>, work: (item: T, index: number) => Promise<R>, signal?: AbortSignal, atOnce = inPool,
): Promise<R[]> {
  const results = new Array<R>(items.length)
  let next = 0, failed = false
  const worker = async () => {
    while (next < items.length && !failed) {
      signal?.throwIfAborted()
      const i = next++
      try {
        results[i] = await work(items[i], i)
      } catch (error) {
        failed = true
        throw error
      }
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return results
}
