import * as tf from '@tensorflow/tfjs'
import type { LayerConfig } from './one-input.ts'

/** The first input plus the second times a number: the layer that keras.applications has in InceptionResNetV2. */
export class CustomScaleLayer extends tf.layers.Layer {
  static className = 'CustomScaleLayer'
  readonly scale: number

  constructor({ scale, ...config }: LayerConfig<{ scale: number }>) {
    super(config)
    this.scale = scale
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const [a, b] = inputs as tf.Tensor[]
    return tf.tidy(() => tf.add(a, tf.mul(b, this.scale)))
  }

  override computeOutputShape(shapes: tf.Shape | tf.Shape[]): tf.Shape {
    return (shapes as tf.Shape[])[0]
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), scale: this.scale }
  }
}
