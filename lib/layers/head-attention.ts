import * as tf from '@tensorflow/tfjs'
import { GraftError } from '../error.ts'
import { type AttentionArguments, type Masks, weights } from './attention.ts'
import type { LayerConfig } from './one-input.ts'

interface Variable { read(): tf.Tensor }
interface Projection { kernel: Variable, bias?: Variable }

/** A group of weights of a layer, as Keras keeps it in a file: its place, its own name, and which of the layer's weights are its. */
export interface WeightGroup { folder: string, name: string, from: number, to: number }

interface Shared {
  /** The part of the weights that is left out at random in training. */
  dropout: number
  useBias: boolean
  /** Whether a learned gate, between 0 and 1, decides how much of each head's answer counts. */
  useGate: boolean
  /** How far from an entry of the query those lie that count, itself included; all where it is null. */
  slidingWindow: number | null
}

/** How many heads there are, and how wide they are. */
interface Heads {
  query: number
  keyValue: number
  keyDim: number
  valueDim: number
  width: number | null
  /** Which axes are attended to; all between batch and features where it is null. */
  attended: number[] | null
}

/** The order in which the axes that are attended to stand behind the others, which belong to the batch then. */
function orderOf(rank: number, attended: number[] | null): { order: number[], first: number } {
  const between = Array.from({ length: rank - 2 }, (_, d) => d + 1), axes = attended?.map(axis => (axis + rank) % rank) ?? between
  const others = between.filter(d => !axes.includes(d))
  return { order: [0, ...others, ...axes, rank - 1], first: 1 + others.length }
}

/** Sequences along the axes that are attended to. */
function flat(x: tf.Tensor, attended: number[] | null): tf.Tensor {
  const { order, first } = orderOf(x.rank, attended), ordered = tf.transpose(x, order), features = x.shape.at(-1)!
  const entries = ordered.shape.slice(first, -1).reduce((product, size) => product * size, 1)
  return tf.reshape(ordered, [x.size / entries / features, entries, features])
}

/** What {@link flat} made a sequence of, in the shape it had, with other features. */
function unflat(y: tf.Tensor, shape: number[], attended: number[] | null): tf.Tensor {
  const { order } = orderOf(shape.length, attended), features = y.shape.at(-1)!
  const ordered = tf.reshape(y, order.map((axis, d) => d === order.length - 1 ? features : shape[axis]))
  return tf.transpose(ordered, order.map((_, d) => order.indexOf(d)))
}

/**
 * What Keras's attentions with learned projections have in common: called on query and value, or query, value and key, each
 * [batch, entries, features] or with several axes of entries, such as the rows and columns of an image; each entry of the query
 * gets the mean of the values, weighed by how well its key fits, in so many heads at once.
 */
abstract class HeadAttention<Settings extends Shared> extends tf.layers.Layer {
  readonly settings: Settings
  readonly deterministic: boolean
  readonly #projections = new Map<string, Projection>()

  constructor(config: LayerConfig, settings: Settings) {
    super(config)
    this.settings = settings
    this.deterministic = settings.dropout === 0
  }

  protected abstract get heads(): Heads

  /** In which folder of a file Keras keeps a projection. */
  protected folder(name: string): string {
    return `${name === 'gate' ? '_' : ''}${name.replace('attention_', '')}_dense`
  }

  /** The projections in the order in which Keras makes them. */
  get #names(): string[] {
    return ['query', 'key', ...this.settings.useGate ? ['gate'] : [], 'value', 'attention_output']
  }

  /** Where Keras keeps the weights. */
  get weightGroups(): WeightGroup[] {
    const each = this.settings.useBias ? 2 : 1
    return this.#names.map((name, i) =>
      ({ folder: this.folder(name), name, from: i * each, to: (i + 1) * each }))
  }

  override build(shapes: tf.Shape | tf.Shape[]): void {
    const [query, value, key = value] = shapes as tf.Shape[], { heads } = this
    if (!Array.isArray(query) || query.length < 3 || value.length < 3) {
      throw new GraftError(`${this.getClassName()} '${this.name}': expected a call on [query, value], each ` +
        `[batch, entries, features]. Received shapes ${JSON.stringify(shapes)}.`)
    }
    const features = query.at(-1)!, width = heads.width ?? features
    const shapeOf: Record<string, number[]> = {
      query: [features, heads.query, heads.keyDim],
      gate: [features, heads.query, heads.valueDim],
      key: [key.at(-1)!, heads.keyValue, heads.keyDim],
      value: [value.at(-1)!, heads.keyValue, heads.valueDim],
      attention_output: [heads.query, heads.valueDim, width],
    }
    for (const name of this.#names) {
      const shape = shapeOf[name], offsets = name === 'attention_output' ? [width] : shape.slice(1)
      this.#projections.set(name, {
        kernel: this.addWeight(`${name}/kernel`, shape, 'float32', tf.initializers.glorotUniform({})),
        ...this.settings.useBias && { bias: this.addWeight(`${name}/bias`, offsets, 'float32', tf.initializers.zeros()) },
      })
    }
    this.built = true
  }

  /** [batch, entries, features] → [batch, heads, entries, size of a head], each head as often as there are queries for it. */
  #heads(name: string, x: tf.Tensor, times = 1): tf.Tensor {
    const { kernel, bias } = this.#projections.get(name)!, all = kernel.read(), [features, heads, size] = all.shape
    const product = tf.matMul(tf.reshape(x, [-1, features]), tf.reshape(all, [features, heads * size]) as tf.Tensor2D)
    const split = tf.reshape(product, [-1, x.shape[1]!, heads, size])
    const apart = tf.transpose(bias ? tf.add(split, bias.read()) : split, [0, 2, 1, 3])
    if (times === 1) return apart
    const [batch, , entries] = apart.shape, each = tf.reshape(apart, [batch * heads, 1, entries! * size])
    return tf.reshape(tf.tile(each, [1, times, 1]), [batch, heads * times, entries!, size])
  }

  /** Which entries of the key count for which of the query; nothing where all do. */
  #counting(queries: number, keys: number, [query, value, key]: Masks): tf.Tensor | undefined {
    const { slidingWindow } = this.settings, found: tf.Tensor[] = []
    if (query) found.push(tf.reshape(query, [-1, 1, queries, 1]))
    for (const mask of [value, key]) if (mask) found.push(tf.reshape(mask, [-1, 1, 1, keys]))
    if (slidingWindow !== null) {
      const apart = tf.sub(tf.reshape(tf.range(0, queries), [1, 1, queries, 1]), tf.reshape(tf.range(0, keys), [1, 1, 1, keys]))
      found.push(tf.less(tf.abs(apart), slidingWindow))
    }
    return found.length ? found.reduce((both, each) => tf.logicalAnd(both, each)) : undefined
  }

  override call(inputs: tf.Tensor | tf.Tensor[], { training, mask }: AttentionArguments = {}): tf.Tensor {
    const [given, ...others] = inputs as tf.Tensor[], { heads, settings } = this
    return tf.tidy(() => {
      const [query, value, key = value] = [given, ...others].map(x => flat(x, heads.attended))
      const times = heads.query / heads.keyValue, asked = tf.mul(this.#heads('query', query), 1 / Math.sqrt(heads.keyDim))
      const fit = tf.matMul(asked, this.#heads('key', key, times), false, true)
      const counting = this.#counting(query.shape[1]!, key.shape[1]!, (mask ?? []) as Masks)
      const counted = counting ? tf.where(counting, fit, tf.fill(fit.shape, -2e38)) : fit
      const weighed = weights(counted, training ? settings.dropout : 0)
      const found = tf.matMul(weighed, this.#heads('value', value, times))
      const open = settings.useGate ? tf.mul(found, tf.sigmoid(this.#heads('gate', query))) : found
      const { kernel, bias } = this.#projections.get('attention_output')!, all = kernel.read(), [, , width] = all.shape
      const together = tf.reshape(tf.transpose(open, [0, 2, 1, 3]), [-1, heads.query * heads.valueDim])
      const out = tf.matMul(together, tf.reshape(all, [heads.query * heads.valueDim, width!]) as tf.Tensor2D)
      return unflat(bias ? tf.add(out, bias.read()) : out, given.shape, heads.attended)
    })
  }

  override computeOutputShape(shapes: tf.Shape | tf.Shape[]): tf.Shape {
    const [query] = shapes as tf.Shape[]
    return [...query.slice(0, -1), this.heads.width ?? query.at(-1)!]
  }

  override getConfig(): tf.serialization.ConfigDict {
    // What older versions of Keras do not know is left out where it says nothing.
    const { useGate, slidingWindow, ...others } = this.settings as Shared
    return { ...super.getConfig(), ...others, ...useGate && { useGate }, ...slidingWindow !== null && { slidingWindow } }
  }
}

const sharedOf = ({ dropout = 0, useBias = true, useGate = false, slidingWindow = null }: Partial<Shared>): Shared =>
  ({ dropout, useBias, useGate, slidingWindow })

interface ManyHeads extends Shared {
  numHeads: number
  keyDim: number
  valueDim: number
  /** How wide the output is; as the query where it is null. */
  outputShape: number | null
  /** Those along which entries are attended to; all between batch and features where it is null. */
  attentionAxes: number[] | null
}

type GivenManyHeads = Pick<ManyHeads, 'numHeads' | 'keyDim'> & Partial<Omit<ManyHeads, 'outputShape'>> &
  { outputShape?: number | number[] | null }

/**
 * Keras's `MultiHeadAttention`, over all axes between batch and features, or some.
 * Source: Vaswani et al., Attention Is All You Need (2017); keras MultiHeadAttention.
 */
export class MultiHeadAttention extends HeadAttention<ManyHeads> {
  static className = 'MultiHeadAttention'

  constructor(config: LayerConfig<GivenManyHeads>) {
    const { numHeads, keyDim, valueDim, outputShape, attentionAxes = null } = config
    super(config, { ...sharedOf(config), numHeads, keyDim, valueDim: valueDim ?? keyDim, attentionAxes,
      outputShape: outputShape === undefined || outputShape === null ? null : [outputShape].flat()[0] })
  }

  protected override get heads(): Heads {
    const { numHeads, keyDim, valueDim, outputShape: width, attentionAxes: attended } = this.settings
    return { query: numHeads, keyValue: numHeads, keyDim, valueDim, width, attended }
  }
}

interface Grouped extends Shared {
  headDim: number
  numQueryHeads: number
  numKeyValueHeads: number
}

/**
 * Keras's `GroupQueryAttention`, in which several heads of the query share one of key and value.
 * Source: Ainslie et al., GQA: Training Generalized Multi-Query Transformer Models (2023); keras GroupedQueryAttention.
 */
export class GroupQueryAttention extends HeadAttention<Grouped> {
  static className = 'GroupQueryAttention'

  constructor(config: LayerConfig<Pick<Grouped, 'headDim' | 'numQueryHeads' | 'numKeyValueHeads'> & Partial<Shared>>) {
    const { headDim, numQueryHeads, numKeyValueHeads } = config
    super(config, { ...sharedOf(config), headDim, numQueryHeads, numKeyValueHeads })
  }

  protected override folder(name: string): string {
    return `_${super.folder(name).replace(/^_/, '')}`
  }

  protected override get heads(): Heads {
    const { headDim, numQueryHeads, numKeyValueHeads } = this.settings
    return { query: numQueryHeads, keyValue: numKeyValueHeads, keyDim: headDim, valueDim: headDim, width: null, attended: null }
  }
}
