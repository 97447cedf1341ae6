import * as tf from '@tensorflow/tfjs'

interface ReduceAttributes { reductionIndices: number | number[] }

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
          const axes = tf.util.parseAxisParam((attributes as unknown as ReduceAttributes).reductionIndices, x.shape)
          const kept = x.shape.map((size, d) => axes.includes(d) ? 1 : size)
          const chosen = tf.cast(tf.equal(x, tf.reshape(y, kept)), 'float32')
          return tf.mul(chosen, tf.div(tf.reshape(dy as tf.Tensor, kept), tf.sum(chosen, axes, true)))
        }),
      }),
    })
  }
}
