import * as tf from '@tensorflow/tfjs'

/** What every layer of TensorFlow.js may be given, beside the settings of its own. */
export type LayerConfig<Settings = object> = Settings & {
  name?: string
  trainable?: boolean
  batchInputShape?: tf.Shape
}

/**
 * A layer of one input that computes the same in training as in inference. `settings` are what its class adds to the
 * configuration; the output has the input's shape unless a class says otherwise.
 */
export abstract class OneInput<Settings extends object = object> extends tf.layers.Layer {
  readonly settings: Settings
  /** The same input gives the same output, so that it may be computed once where nothing in it trains. */
  readonly deterministic = true

  constructor(config: LayerConfig, settings: Settings) {
    super(config)
    this.settings = settings
  }

  protected abstract compute(x: tf.Tensor): tf.Tensor

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => this.compute(Array.isArray(inputs) ? inputs[0] : inputs))
  }

  override computeOutputShape(shape: tf.Shape | tf.Shape[]): tf.Shape | tf.Shape[] {
    return this.shapeAfter((Array.isArray(shape[0]) ? shape[0] : shape) as tf.Shape)
  }

  protected shapeAfter(shape: tf.Shape): tf.Shape {
    return shape
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...this.settings as tf.serialization.ConfigDict }
  }
}
