import * as tf from '@tensorflow/tfjs'

/** Keras's `Subtract`: the first input minus the second, which TensorFlow.js lacks among its merges. */
export class Subtract extends tf.layers.Layer {
  static className = 'Subtract'

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const [a, b] = inputs as tf.Tensor[]
    return tf.sub(a, b)
  }

  override computeOutputShape(shapes: tf.Shape | tf.Shape[]): tf.Shape {
    const [a, b] = shapes as tf.Shape[]
    return a.map((size, d) => size === 1 ? b[d] : size)
  }
}
