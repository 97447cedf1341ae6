import * as tf from '@tensorflow/tfjs'

/** Keras's `exponential` activation, eˣ, which TensorFlow.js lacks. */
export class Exponential extends tf.serialization.Serializable {
  static readonly className = 'exponential'

  apply(x: tf.Tensor): tf.Tensor {
    return tf.exp(x)
  }

  getConfig(): tf.serialization.ConfigDict {
    return {}
  }
}
