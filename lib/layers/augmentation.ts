import * as tf from '@tensorflow/tfjs'

/** Keras's layers that change images at random in training and pass them on as they are in inference. */
export const augmentations: readonly string[] = [
  'RandomFlip', 'RandomRotation', 'RandomTranslation', 'RandomZoom', 'RandomHeight', 'RandomWidth', 'RandomContrast',
  'RandomBrightness', 'RandomHue', 'RandomSaturation', 'RandomSharpness', 'RandomColorJitter', 'RandomColorDegeneration',
  'RandomGrayscale', 'RandomPosterization', 'RandomShear', 'RandomErasing', 'RandomGaussianBlur', 'RandomInvert',
  'RandomPerspective', 'RandomElasticTransform', 'RandomCrop', 'RandAugment', 'AugMix', 'MixUp', 'CutMix', 'Solarization',
]

/** What the file of Keras says of the layer, as JSON under a key `name`: TensorFlow.js rewrites all other texts. */
interface StoredConfig { name?: string, keras: { name: string } }

/**
 * One of Keras's augmenting layers: it passes images on, in training too, and is saved as what it was. `data.images` augments
 * while training here.
 */
export class KerasAugmentation extends tf.layers.Layer {
  static className = 'KerasAugmentation'
  readonly keras: { className: string, config: Record<string, unknown> }

  constructor({ name, keras }: StoredConfig) {
    super({ name })
    this.keras = JSON.parse(keras.name)
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.clone(Array.isArray(inputs) ? inputs[0] : inputs)
  }

  override computeOutputShape(shape: tf.Shape | tf.Shape[]): tf.Shape | tf.Shape[] {
    return shape
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), keras: { name: JSON.stringify(this.keras) } }
  }
}
