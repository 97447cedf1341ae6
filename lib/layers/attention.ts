import * as tf from '@tensorflow/tfjs'
import { GraftError } from '../error.ts'
import type { LayerConfig } from './one-input.ts'

interface Variable { read(): tf.Tensor }

/** The masks of what an attention is called on, one for each input that has one. */
export type Masks = (tf.Tensor | undefined)[]

/** What an attention is called with besides its inputs. */
export interface AttentionArguments { training?: boolean, mask?: tf.Tensor | Masks }

/** Settings of {@link Attention}, as Keras has them. */
interface Settings {
  /** Whether the fit is multiplied by a learned number. */
  useScale: boolean
  scoreMode: string
  /** The part of the weights that is left out at random in training. */
  dropout: number
}

/**
 * Keras's `Attention` of sequences [batch, entries, features]: called on a list of query and value, or query, value and key; each
 * entry of the query gets the mean of the values, weighed by the softmax of how well their keys fit. The fit is a product (`dot`), or the
 * sum of tanh(query + key) (`concat`). Entries that a mask leaves out count for nothing.
 * Source: Luong et al., Effective Approaches to Attention-based Neural Machine Translation (2015); keras Attention.
 */
export class Attention extends tf.layers.Layer {
  static className = 'Attention'
  readonly settings: Settings
  readonly deterministic: boolean
  #scale?: Variable
  #concatWeight?: Variable

  constructor({ useScale = false, scoreMode = 'dot', dropout = 0, ...config }: LayerConfig<Partial<Settings>> = {}) {
    super(config)
    this.settings = { useScale, scoreMode, dropout }
    this.deterministic = dropout === 0
  }

  override build(shapes: tf.Shape | tf.Shape[]): void {
    const { useScale, scoreMode } = this.settings, [query] = shapes as tf.Shape[]
    if (!Array.isArray(query) || shapes.length < 2 || shapes.length > 3) {
      throw new GraftError(`${this.getClassName()} '${this.name}': expected a call on [query, value] or [query, value, key]. ` +
        `Received shapes ${JSON.stringify(shapes)}.`)
    }
    if (useScale) this.#scale = this.scaleWeight(query)
    if (scoreMode === 'concat') this.#concatWeight = this.addWeight('concat_score_weight', [], 'float32', tf.initializers.ones())
    this.built = true
  }

  protected scaleWeight(_query: tf.Shape): Variable {
    return this.addWeight('scale', [], 'float32', tf.initializers.ones())
  }

  /** How well each key fits each entry of the query: [batch, entries of the query, entries of the key]. */
  protected fit(query: tf.Tensor, key: tf.Tensor, scale: tf.Tensor | undefined): tf.Tensor {
    if (this.settings.scoreMode === 'dot') {
      const product = tf.matMul(query, key, false, true)
      return scale ? tf.mul(product, scale) : product
    }
    const sum = tf.add(tf.expandDims(query, -2), tf.expandDims(key, -3))
    return tf.mul(tf.sum(tf.tanh(scale ? tf.mul(sum, scale) : sum), -1), this.#concatWeight!.read())
  }

  override call(inputs: tf.Tensor | tf.Tensor[], { training, mask }: AttentionArguments = {}): tf.Tensor {
    const [query, value, key = value] = inputs as tf.Tensor[], [queryMask, valueMask] = (mask ?? []) as Masks
    return tf.tidy(() => {
      const scores = this.fit(query, key, this.#scale?.read())
      const out = valueMask && tf.mul(tf.cast(tf.logicalNot(tf.expandDims(valueMask, -2)), 'float32'), 1e9)
      const counting = out ? tf.sub(scores, out) : scores
      const found = tf.matMul(weights(counting, training ? this.settings.dropout : 0), value)
      return queryMask ? tf.mul(found, tf.cast(tf.expandDims(queryMask, -1), 'float32')) : found
    })
  }

  override computeOutputShape(shapes: tf.Shape | tf.Shape[]): tf.Shape {
    const [query, value] = shapes as tf.Shape[]
    return [...query.slice(0, -1), value.at(-1)!]
  }

  override getConfig(): tf.serialization.ConfigDict {
    // Keras 3 takes the name of the default for that of a function when it opens an .h5.
    const { scoreMode, ...others } = this.settings
    return { ...super.getConfig(), ...others, ...scoreMode !== 'dot' && { scoreMode } }
  }
}

/**
 * Keras's `AdditiveAttention`: as {@link Attention}, where the fit is the sum of tanh(query + key), each feature times a learned
 * factor.
 * Source: Bahdanau et al., Neural Machine Translation by Jointly Learning to Align and Translate (2015).
 */
export class AdditiveAttention extends Attention {
  static override className = 'AdditiveAttention'

  constructor({ useScale = true, ...config }: LayerConfig<Partial<Omit<Settings, 'scoreMode'>>> = {}) {
    super({ ...config, useScale, scoreMode: 'add' })
  }

  protected override scaleWeight(query: tf.Shape): Variable {
    return this.addWeight('scale', [query.at(-1)!], 'float32', tf.initializers.glorotUniform({}))
  }

  protected override fit(query: tf.Tensor, key: tf.Tensor, scale: tf.Tensor | undefined): tf.Tensor {
    const each = tf.tanh(tf.add(tf.expandDims(query, -2), tf.expandDims(key, -3)))
    return tf.sum(scale ? tf.mul(each, scale) : each, -1)
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { scoreMode, ...config } = super.getConfig()
    return config
  }
}

/** How much each value counts: the softmax of how well its key fits, in training with some left out at random. */
export function weights(fit: tf.Tensor, dropout: number): tf.Tensor {
  const whole = tf.softmax(fit)
  return dropout > 0 ? tf.dropout(whole, dropout) : whole
}
