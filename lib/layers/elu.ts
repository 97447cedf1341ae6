import * as tf from '@tensorflow/tfjs'
import type { LayerConfig } from './one-input.ts'

/** Keras's `ELU` with any `alpha`, which TensorFlow.js fixes at 1: x above zero, alpha·(eˣ − 1) below. */
export class ELU extends tf.layers.Layer {
  static className = 'ELU'
  readonly alpha: number

  constructor({ alpha = 1, ...config }: LayerConfig<{ alpha?: number }> = {}) {
    super(config)
    this.alpha = alpha
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const x = Array.isArray(inputs) ? inputs[0] : inputs
      return this.alpha === 1 ? tf.elu(x) : tf.add(tf.relu(x), tf.mul(tf.elu(tf.minimum(x, 0)), this.alpha))
    })
  }

  override computeOutputShape(shape: tf.Shape | tf.Shape[]): tf.Shape | tf.Shape[] {
    return shape
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), alpha: this.alpha }
  }
}
