import * as tf from '@tensorflow/tfjs'

interface Variable { read(): tf.Tensor }

/**
 * Keras's preprocessing layer `Normalization` whose statistics were measured by `adapt`, so that they are weights that do not
 * train: (x − mean) / max(√variance, 1e-7) per channel.
 */
export class AdaptedNormalization extends tf.layers.Layer {
  static className = 'AdaptedNormalization'
  #mean!: Variable
  #variance!: Variable

  override build(shape: tf.Shape | tf.Shape[]): void {
    const channels = (shape as tf.Shape).at(-1)!, { zeros, ones } = tf.initializers
    const weight = (name: string, sides: number[], initial: ReturnType<typeof zeros>) =>
      this.addWeight(name, sides, 'float32', initial, undefined, false)
    this.#mean = weight('mean', [channels], zeros())
    this.#variance = weight('variance', [channels], ones())
    weight('count', [], zeros())
    this.built = true
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const x = Array.isArray(inputs) ? inputs[0] : inputs
      return tf.div(tf.sub(x, this.#mean.read()), tf.maximum(tf.sqrt(this.#variance.read()), 1e-7))
    })
  }

  override computeOutputShape(shape: tf.Shape | tf.Shape[]): tf.Shape | tf.Shape[] {
    return shape
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), axis: -1 }
  }
}
