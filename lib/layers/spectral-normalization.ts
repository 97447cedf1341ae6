import * as tf from '@tensorflow/tfjs'
import { GraftError } from '../error.ts'
import type { LayerConfig } from './one-input.ts'

interface Variable { read(): tf.Tensor, write(value: tf.Tensor): void, shape: tf.Shape }
type Inner = tf.layers.Layer & Partial<Record<'kernel' | 'depthwiseKernel' | 'embeddings', Variable>>
interface Stored { className: string, config: tf.serialization.ConfigDict }
interface Lists { _trainableWeights: tf.layers.Layer['weights'], _nonTrainableWeights: tf.layers.Layer['weights'] }

/** x through its length. */
const normalized = (x: tf.Tensor): tf.Tensor => tf.div(x, tf.sqrt(tf.maximum(tf.sum(tf.square(x)), 1e-12)))

/**
 * Keras's `SpectralNormalization`: before each step of a training, the kernel of the layer within is divided by its largest
 * singular value, which power iterations find. While it is frozen nothing changes, as with all that is frozen here.
 * Source: Miyato et al., Spectral Normalization for Generative Adversarial Networks (2018); keras SpectralNormalization.
 */
export class SpectralNormalization extends tf.layers.Layer {
  static className = 'SpectralNormalization'
  readonly layer: Inner
  readonly powerIterations: number
  readonly deterministic = true
  #vector!: Variable

  constructor({ layer, powerIterations = 1, ...config }: LayerConfig<{ layer: tf.layers.Layer | Stored, powerIterations?: number }>) {
    super(config)
    this.layer = layer instanceof tf.layers.Layer ? layer as Inner : built(layer)
    this.powerIterations = powerIterations
  }

  get #kernel(): Variable {
    const { kernel, depthwiseKernel, embeddings } = this.layer, found = kernel ?? depthwiseKernel ?? embeddings
    if (found) return found
    throw new GraftError(`SpectralNormalization '${this.name}': expected a layer with a kernel or embeddings within it. ` +
      `Received a ${this.layer.getClassName()}.`)
  }

  /** The weights that Keras keeps as the layer's own: the kernel once more, and the vector. */
  get ownWeights(): tf.layers.Layer['weights'] {
    return [this.#kernel, this.#vector] as unknown as tf.layers.Layer['weights']
  }

  /** In Keras's order, in which the layer's own come first once all is frozen. */
  override get nonTrainableWeights(): tf.layers.Layer['weights'] {
    const weights = super.nonTrainableWeights
    if (this.trainable || !this.built) return weights
    return [...this.ownWeights, ...weights.filter(each => !this.ownWeights.includes(each))]
  }

  override build(shape: tf.Shape | tf.Shape[]): void {
    if (!this.layer.built) this.layer.build(shape)
    this.layer.built = true
    const lists = this as unknown as Lists, inner = this.layer as unknown as Lists
    lists._trainableWeights.push(...inner._trainableWeights)
    lists._nonTrainableWeights.push(...inner._nonTrainableWeights)
    this.#vector = this.addWeight('vector_u', [1, this.#kernel.shape.at(-1)!], 'float32',
      tf.initializers.truncatedNormal({ stddev: 0.02 }), undefined, false)
    this.built = true
  }

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: { training?: boolean } = {}): tf.Tensor | tf.Tensor[] {
    return tf.tidy(() => {
      if (kwargs.training && this.trainable) this.#normalize()
      return this.layer.call(inputs, kwargs)
    })
  }

  #normalize(): void {
    const kernel = this.#kernel, whole = kernel.read(), matrix = tf.reshape(whole, [-1, whole.shape.at(-1)!])
    let u = this.#vector.read(), v = u
    for (let i = 0; i < this.powerIterations; i++) {
      v = normalized(tf.matMul(u, matrix, false, true))
      u = normalized(tf.matMul(v, matrix))
    }
    const largest = tf.matMul(tf.matMul(v, matrix), u, false, true)
    // A kernel of zeros has no direction, and stays.
    const known = tf.cast(tf.any(tf.notEqual(whole, 0)), 'float32'), unknown = tf.sub(1, known)
    this.#vector.write(tf.add(tf.mul(u, known), tf.mul(this.#vector.read(), unknown)))
    kernel.write(tf.div(whole, tf.reshape(tf.add(tf.mul(largest, known), unknown), [])))
  }

  override calculateLosses(): tf.Scalar[] {
    return this.layer.calculateLosses()
  }

  override computeOutputShape(shape: tf.Shape | tf.Shape[]): tf.Shape | tf.Shape[] {
    return this.layer.computeOutputShape(shape)
  }

  override getConfig(): tf.serialization.ConfigDict {
    const layer = { className: this.layer.getClassName(), config: this.layer.getConfig() }
    return { ...super.getConfig(), powerIterations: this.powerIterations, layer }
  }
}

function built({ className, config }: Stored): Inner {
  const [cls, fromConfig] = tf.serialization.SerializationMap.getMap().classNameMap[className]
  return fromConfig(cls, config) as unknown as Inner
}
