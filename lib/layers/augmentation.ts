import * as tf from '@tensorflow/tfjs'
import type { LayerConfig } from './one-input.ts'
import { changeOf } from './random-images.ts'

/** Keras's layers that change images at random in training and pass them on as they are in inference. */
export const augmentations: readonly string[] = [
  'RandomFlip', 'RandomRotation', 'RandomTranslation', 'RandomZoom', 'RandomHeight', 'RandomWidth', 'RandomContrast',
  'RandomBrightness', 'RandomHue', 'RandomSaturation', 'RandomSharpness', 'RandomColorJitter', 'RandomColorDegeneration',
  'RandomGrayscale', 'RandomPosterization', 'RandomShear', 'RandomErasing', 'RandomGaussianBlur', 'RandomInvert',
  'RandomPerspective', 'RandomElasticTransform', 'RandomCrop', 'RandAugment', 'AugMix', 'MixUp', 'CutMix', 'Solarization',
]

/** What the file of Keras says of the layer, as JSON under a key `name`: TensorFlow.js rewrites all other texts. */
type StoredConfig = LayerConfig<{ keras: { name: string } }>

/**
 * One of Keras's augmenting layers. In training those that flip, turn, zoom, move, brighten images or change their contrast do
 * so, each image by numbers of its own; the others pass images on, as all do in prediction. All are saved as what they were.
 * `data.images` augments without a layer.
 */
export class KerasAugmentation extends tf.layers.Layer {
  static className = 'KerasAugmentation'
  readonly keras: { className: string, config: Record<string, unknown> }
  readonly #change: ReturnType<typeof changeOf>

  constructor({ keras, ...config }: StoredConfig) {
    super(config)
    this.keras = JSON.parse(keras.name)
    this.#change = changeOf(this.keras.className, this.keras.config)
  }

  /** Whether it does in training what Keras does. */
  get acts(): boolean {
    return this.#change !== undefined
  }

  /** Draws numbers between 0 and 1. */
  uniform(shape: number[]): tf.Tensor {
    return tf.randomUniform(shape)
  }

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: { training?: boolean } = {}): tf.Tensor {
    return tf.tidy(() => {
      const x = Array.isArray(inputs) ? inputs[0] : inputs, change = kwargs.training && x.rank === 4 ? this.#change : undefined
      return change ? change(x as tf.Tensor4D, shape => this.uniform(shape)) : tf.clone(x)
    })
  }

  override computeOutputShape(shape: tf.Shape | tf.Shape[]): tf.Shape | tf.Shape[] {
    return shape
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), keras: { name: JSON.stringify(this.keras) } }
  }
}
