import * as tf from '@tensorflow/tfjs'

/** Keras 3's `hard_sigmoid`, relu6(x + 3) / 6; the one of Keras 2 and TensorFlow.js is 0.2·x + 0.5 between 0 and 1. */
export class HardSigmoid3 extends tf.serialization.Serializable {
  static readonly className = 'hardSigmoid3'

  apply(x: tf.Tensor): tf.Tensor {
    return tf.tidy(() => tf.div(tf.relu6(tf.add(x, 3)), 6))
  }

  getConfig(): tf.serialization.ConfigDict {
    return {}
  }
}

/** Keras 3's `hard_silu`, x·relu6(x + 3) / 6. */
export class HardSilu extends tf.serialization.Serializable {
  static readonly className = 'hardSilu'

  apply(x: tf.Tensor): tf.Tensor {
    return tf.tidy(() => tf.mul(x, tf.div(tf.relu6(tf.add(x, 3)), 6)))
  }

  getConfig(): tf.serialization.ConfigDict {
    return {}
  }
}
