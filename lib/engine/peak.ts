import * as tf from '@tensorflow/tfjs'

/**
 * Does work, and finds out the most bytes that tensors held meanwhile. `tf.profile` does that too, but does not survive an error.
 */
export function peakOf<T>(work: () => T): { result: T, bytes: number } {
  const { state } = tf.engine() as unknown as { state: { numBytes: number } }, usual = { configurable: true, enumerable: true }
  let held = state.numBytes, most = held
  Object.defineProperty(state, 'numBytes', {
    ...usual, get: () => held,
    set(bytes: number) {
      held = bytes
      most = Math.max(most, bytes)
    },
  })
  try {
    const result = work()
    return { result, bytes: most }
  } finally {
    Object.defineProperty(state, 'numBytes', { ...usual, value: held, writable: true })
  }
}
