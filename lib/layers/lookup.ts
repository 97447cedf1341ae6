import * as tf from '@tensorflow/tfjs'

/** The gradient of rows that are looked up in a table, such as an Embedding's, for engines that cannot add up by row numbers. */
export function repairLookup(): void {
  const original = tf.getGradient('GatherV2')!
  tf.registerGradient({
    ...original,
    gradFunc: (dy, saved, attributes) => {
      const { axis, batchDims } = attributes as unknown as { axis: number, batchDims?: number }
      const known = tf.getKernel('UnsortedSegmentSum', tf.getBackend())
      if (known || axis !== 0 || batchDims) return original.gradFunc(dy, saved, attributes)
      const [x, indices] = saved
      return {
        x: () => tf.tidy(() => {
          const chosen = tf.oneHot(tf.cast(tf.reshape(indices, [-1]), 'int32'), x.shape[0]!)
          const rows = tf.reshape(dy as tf.Tensor, [indices.size, x.size / x.shape[0]!])
          return tf.reshape(tf.matMul(tf.cast(chosen, 'float32') as tf.Tensor2D, rows as tf.Tensor2D, true), x.shape)
        }),
        indices: () => indices,
      }
    },
  })
}
