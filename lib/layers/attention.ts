import * as tf from '@tensorflow/tfjs'
import { GraftError } from '../error.ts'
import type { LayerConfig } from './one-input.ts'

interface Settings {
  numHeads: number
  keyDim: number
  valueDim: number
  dropout: number
  useBias: boolean
  /** How wide the output is; as the query where it is null. */
  outputShape: number | null
}

type Given = Pick<Settings, 'numHeads' | 'keyDim'> & Partial<Omit<Settings, 'outputShape'>> & { outputShape?: number | number[] | null }

interface Variable { read(): tf.Tensor }
interface Projection { kernel: Variable, bias?: Variable }

/** A group of weights of a layer, as Keras keeps it in a file: its place, its own name, and which of the layer's weights are its. */
export interface WeightGroup { folder: string, name: string, from: number, to: number }

/**
 * Keras's `MultiHeadAttention` of sequences [batch, entries, features]: called on query and value, or query, value and key; each
 * entry of the query gets the mean of the values, weighed by how well its key fits, in so many heads at once.
 * Source: Vaswani et al., Attention Is All You Need (2017); keras MultiHeadAttention.
 */
export class MultiHeadAttention extends tf.layers.Layer {
  static className = 'MultiHeadAttention'
  readonly settings: Settings
  readonly deterministic: boolean
  readonly #projections = new Map<string, Projection>()

  constructor(config: LayerConfig<Given>) {
    super(config)
    const { numHeads, keyDim, valueDim, dropout = 0, useBias = true, outputShape } = config
    this.settings = { numHeads, keyDim, valueDim: valueDim ?? keyDim, dropout, useBias,
      outputShape: outputShape === undefined || outputShape === null ? null : [outputShape].flat()[0] }
    this.deterministic = dropout === 0
  }

  /** Where Keras keeps the weights. */
  get weightGroups(): WeightGroup[] {
    const each = this.settings.useBias ? 2 : 1
    return [['query_dense', 'query'], ['key_dense', 'key'], ['value_dense', 'value'], ['output_dense', 'attention_output']]
      .map(([folder, name], i) => ({ folder, name, from: i * each, to: (i + 1) * each }))
  }

  override build(shapes: tf.Shape | tf.Shape[]): void {
    const [query, value, key = value] = shapes as tf.Shape[], { numHeads, keyDim, valueDim, useBias, outputShape } = this.settings
    if (query.length !== 3) {
      throw new GraftError(`MultiHeadAttention '${this.name}': expected sequences [batch, entries, features]. Received [${query}].`)
    }
    const add = (name: string, kernel: number[], bias: number[]) => this.#projections.set(name, {
      kernel: this.addWeight(`${name}/kernel`, kernel, 'float32', tf.initializers.glorotUniform({})),
      ...useBias && { bias: this.addWeight(`${name}/bias`, bias, 'float32', tf.initializers.zeros()) },
    })
    const width = outputShape ?? query.at(-1)!
    add('query', [query.at(-1)!, numHeads, keyDim], [numHeads, keyDim])
    add('key', [key.at(-1)!, numHeads, keyDim], [numHeads, keyDim])
    add('value', [value.at(-1)!, numHeads, valueDim], [numHeads, valueDim])
    add('attention_output', [numHeads, valueDim, width], [width])
    this.built = true
  }

  /** [batch, entries, features] → [batch, heads, entries, size of a head]. */
  #heads(name: string, x: tf.Tensor): tf.Tensor {
    const { kernel, bias } = this.#projections.get(name)!, weights = kernel.read(), [features, heads, size] = weights.shape
    const flat = tf.matMul(tf.reshape(x, [-1, features]), tf.reshape(weights, [features, heads * size]) as tf.Tensor2D)
    const split = tf.reshape(flat, [-1, x.shape[1]!, heads, size])
    return tf.transpose(bias ? tf.add(split, bias.read()) : split, [0, 2, 1, 3])
  }

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs?: { training?: boolean }): tf.Tensor {
    const [query, value, key = value] = inputs as tf.Tensor[], { numHeads, keyDim, valueDim, dropout } = this.settings
    return tf.tidy(() => {
      const scaled = tf.mul(this.#heads('query', query), 1 / Math.sqrt(keyDim))
      const fit = tf.softmax(tf.matMul(scaled, this.#heads('key', key), false, true))
      const weighed = tf.matMul(kwargs?.training && dropout ? tf.dropout(fit, dropout) : fit, this.#heads('value', value))
      const { kernel, bias } = this.#projections.get('attention_output')!, weights = kernel.read(), width = weights.shape[2]!
      const together = tf.reshape(tf.transpose(weighed, [0, 2, 1, 3]), [-1, numHeads * valueDim])
      const out = tf.matMul(together, tf.reshape(weights, [numHeads * valueDim, width]) as tf.Tensor2D)
      return tf.reshape(bias ? tf.add(out, bias.read()) : out, [-1, query.shape[1]!, width])
    })
  }

  override computeOutputShape(shapes: tf.Shape | tf.Shape[]): tf.Shape {
    const [query] = shapes as tf.Shape[]
    return [query[0], query[1], this.settings.outputShape ?? query[2]]
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...this.settings }
  }
}
