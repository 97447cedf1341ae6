import * as tf from '@tensorflow/tfjs'

/** TensorFlow.js names the axes of the largest otherwise than those of the least. */
interface ReduceAttributes { reductionIndices?: number | number[], axis?: number | number[] }

/**
 * The gradient of the largest (or least) of several numbers, shared among those that are equal, as TensorFlow does; TensorFlow.js
 * gives each of them the whole. After a rectifier, or up-sampling by repetition, many are equal.
 */
export function repairMaximum(): void {
  for (const kernelName of ['Max', 'Min'] as const) {
    tf.registerGradient({
      kernelName, inputsToSave: ['x'], outputsToSave: [true],
      gradFunc: (dy, [x, y], attributes) => ({
        x: () => tf.tidy(() => {
          const { reductionIndices, axis } = attributes as unknown as ReduceAttributes
          const axes = tf.util.parseAxisParam((reductionIndices ?? axis)!, x.shape)
          const kept = x.shape.map((size, d) => axes.includes(d) ? 1 : size)
          const chosen = tf.cast(tf.equal(x, tf.reshape(y, kept)), 'float32')
          return tf.mul(chosen, tf.div(tf.reshape(dy as tf.Tensor, kept), tf.sum(chosen, axes, true)))
        }),
      }),
    })
  }
}
