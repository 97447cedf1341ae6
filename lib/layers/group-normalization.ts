import * as tf from '@tensorflow/tfjs'
import { GraftError } from '../error.ts'
import type { LayerConfig } from './one-input.ts'

/** Options of {@link GroupNormalization}, as Keras's layer has them. */
export interface GroupNormalizationConfig {
  name?: string
  /** How many groups the channels fall into; 1 is layer normalization over all of an image, −1 one group a channel. */
  groups?: number
  /** Only the last. */
  axis?: number
  epsilon?: number
  center?: boolean
  scale?: boolean
  betaInitializer?: unknown
  gammaInitializer?: unknown
}

type Initializer = ReturnType<typeof tf.initializers.zeros>

/**
 * Keras's `GroupNormalization`: the channels of each image fall into groups, and each group is brought to mean 0 and variance 1
 * over its channels and all pixels; then a factor and an offset per channel. It does the same in training as in inference.
 * Source: Wu and He, Group Normalization (2018); keras GroupNormalization.
 */
export class GroupNormalization extends tf.layers.Layer {
  static className = 'GroupNormalization'
  readonly groups: number
  readonly epsilon: number
  readonly center: boolean
  readonly scale: boolean
  betaInitializer: unknown
  gammaInitializer: unknown
  #gamma?: { read(): tf.Tensor }
  #beta?: { read(): tf.Tensor }

  constructor(config: GroupNormalizationConfig = {}) {
    super(config as LayerConfig)
    this.groups = config.groups ?? 32
    this.epsilon = config.epsilon ?? 1e-3
    this.center = config.center ?? true
    this.scale = config.scale ?? true
    this.betaInitializer = initializer(config.betaInitializer, 'zeros')
    this.gammaInitializer = initializer(config.gammaInitializer, 'ones')
    const axis = Array.isArray(config.axis) ? config.axis[0] : config.axis ?? -1
    if (axis !== -1 && axis !== 3)
      throw new GraftError(`GroupNormalization '${this.name}': expected axis −1 (the channels, last). Received ${axis}.`)
  }

  override build(shape: tf.Shape | tf.Shape[]): void {
    const channels = (shape as tf.Shape).at(-1)!, groups = this.groups === -1 ? channels : this.groups
    if (channels % groups !== 0)
      throw new GraftError(
        `GroupNormalization '${this.name}': expected a number of groups that divides ${channels} channels. Received ${groups}.`,
      )
    const weight = (name: string, initial: unknown) => this.addWeight(name, [channels], 'float32', initial as Initializer)
    if (this.scale) this.#gamma = weight('gamma', this.gammaInitializer)
    if (this.center) this.#beta = weight('beta', this.betaInitializer)
    this.built = true
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const x = Array.isArray(inputs) ? inputs[0] : inputs, channels = x.shape.at(-1)!
      const groups = this.groups === -1 ? channels : this.groups
      const difference = tf.sub(grouped(x, groups), mean(x, groups))
      const variance = mean(tf.reshape(tf.square(difference), x.shape), groups)
      const normal = tf.reshape(tf.mul(difference, tf.rsqrt(tf.add(variance, this.epsilon))), x.shape)
      const scaled = this.#gamma ? tf.mul(normal, this.#gamma.read()) : normal
      return this.#beta ? tf.add(scaled, this.#beta.read()) : scaled
    })
  }

  override computeOutputShape(shape: tf.Shape | tf.Shape[]): tf.Shape | tf.Shape[] {
    return shape
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { groups, epsilon, center, scale } = this
    return {
      ...super.getConfig(), groups, axis: -1, epsilon, center, scale,
      betaInitializer: named(this.betaInitializer), gammaInitializer: named(this.gammaInitializer),
    }
  }
}

const grouped = (x: tf.Tensor, groups: number): tf.Tensor =>
  tf.reshape(x, [x.shape[0], -1, groups, x.shape.at(-1)! / groups])

/** The mean of each group: first along the rows, then of what that gives, so that rounding does not add up over a whole image. */
function mean(x: tf.Tensor, groups: number): tf.Tensor {
  return tf.mean(grouped(x.rank > 2 ? tf.mean(x, 1) : x, groups), [1, 3], true)
}

/** An initializer from a name, a configuration, or an initializer itself. */
function initializer(given: unknown, otherwise: 'zeros' | 'ones'): unknown {
  if (given === undefined || given === null) return tf.initializers[otherwise]()
  if (typeof given !== 'object' || !('className' in given)) return typeof given === 'string' ? byName(given) : given
  const { className, config } = given as { className: string, config: tf.serialization.ConfigDict }
  return byName(className, config)
}

const byName = (name: string, config: tf.serialization.ConfigDict = {}): unknown => {
  const make = (tf.initializers as unknown as Record<string, (config: object) => unknown>)[name[0].toLowerCase() + name.slice(1)]
  if (!make) throw new GraftError(`unknown initializer: '${name}'. Expected one of tf.initializers.`)
  return make(config)
}

const named = (given: unknown): tf.serialization.ConfigDict => {
  const made = given as Initializer
  return { className: made.getClassName(), config: made.getConfig() }
}
