import { inspect } from 'node:util'
import type { Tensor } from '@tensorflow/tfjs'
import { GraftError } from '../error.ts'
import { displaySymbol, type MimeBundle } from '../host.ts'
import { Augmentation } from './augment/augmentation.ts'
import type { Augment } from './augment/options.ts'
import { variantIds, variantSource, variantTruth } from './augment/variant.ts'
import type { ImageShape } from './decode.ts'
import { lookUp, room } from './pixels.ts'
import { randomFrom, shuffled } from './random.ts'
import type { Bitmap } from './resize.ts'

/** The pixel values a model expects, e.g. `[0, 1]` or `[-1, 1]`. */
export type Range = [low: number, high: number]

/** A batch of images, ready for a model: `count · height · width · channels` values in the model's range, row by row. */
export interface Batch {
  indices: number[]
  pixels: Float32Array
  labels: Int32Array
}

/** What a set needs of the place its images come from. */
export interface Source {
  classes: string[]
  shape: ImageShape
  range: Range
  /** Reads some images; the answer is cut to the set's shape and range. */
  pixels(keys: number[]): Promise<Float32Array>
  /** One image as 8-bit values, to look at. */
  bitmap(key: number): Promise<Bitmap>
}

/** What a set may have besides its images. */
export interface SetOptions {
  augmentation?: Augmentation | null
  truth?: ((index: number) => Float32Array) | null
  fleeting?: boolean
}

/** One image of a set: where it is in the source, and what is known of it. */
export interface Item { key: number, file: string, label: number, id: string }

/**
 * Labelled images of one part of a data set (training, validation or test), decoded when they are asked for.
 * Made by {@link images}, {@link tensors} and {@link from}.
 */
export class ImageSet {
  readonly classes: string[]
  /** Height and width, in pixels. */
  readonly size: [height: number, width: number]
  readonly channels: number
  readonly range: Range
  readonly length: number
  /** The file of each image; for images that came as tensors, their number. */
  readonly files: string[]
  /** The class of each image, as an index into {@link classes}. */
  readonly labels: Int32Array
  /** What each image is: the hash of its content and how it was prepared. Equal ids mean equal pixels. */
  readonly ids: string[]
  /** How the images are changed in training; null where they are taken as they are. */
  readonly augmentation: Augmentation | null
  /** Whether another epoch will want other images, so that nothing made of these is worth keeping. */
  readonly fleeting: boolean
  readonly #source: Source
  readonly #keys: number[]
  readonly #truth: ((index: number) => Float32Array) | null

  constructor(source: Source, items: Item[], { augmentation = null, truth = null, fleeting = false }: SetOptions = {}) {
    this.classes = source.classes
    this.size = [source.shape[0], source.shape[1]]
    this.channels = source.shape[2]
    this.range = source.range
    this.length = items.length
    this.files = items.map(item => item.file)
    this.labels = Int32Array.from(items, item => item.label)
    this.ids = items.map(item => item.id)
    this.#source = source
    this.#keys = items.map(item => item.key)
    this.augmentation = augmentation
    this.fleeting = fleeting
    this.#truth = truth
  }

  /**
   * The same images, changed in training as the options say (default: as those of the set); validation stays as it is.
   *
   * @throws GraftError for unknown changes, or values that are none
   * @example
   * await train(model, { train: digits.train.augment('characters'), validation: digits.validation })
   */
  augment(augment: Augment): ImageSet {
    return new ImageSet(this.#source, this.#items(), { augmentation: new Augmentation(augment) })
  }

  /**
   * One variant of each image, changed as {@link augmentation} says, with its label; variants are counted from 1, and the same
   * number gives the same pixels. Without an augmentation it is the set itself.
   *
   * @param fleeting Whether the variant is wanted once only.
   */
  variant(variant: number, fleeting = false): ImageSet {
    const { augmentation } = this
    if (!augmentation) return this
    const members = { source: this.#source, keys: this.#keys, ids: this.ids, labels: this.labels }
    const ids = variantIds(members, augmentation, variant)
    const items = this.#items().map((item, key) => ({ ...item, key, id: ids[key] }))
    return new ImageSet(variantSource(members, augmentation, variant), items,
      { truth: variantTruth(members, augmentation, variant), fleeting })
  }

  /** How much of each class is in an image: 1 for its own, less where another image was mixed in. */
  truth(index: number): Float32Array {
    if (this.#truth) return this.#truth(index)
    const truth = new Float32Array(this.classes.length)
    truth[this.labels[index]] = 1
    return truth
  }

  /** How many images there are of each class. */
  get counts(): number[] {
    const counts = new Array<number>(this.classes.length).fill(0)
    for (const label of this.labels) counts[label]++
    return counts
  }

  /** The images at these positions: `n · height · width · channels` values in {@link range}. */
  pixels(indices: ArrayLike<number>): Promise<Float32Array> {
    return this.#source.pixels(Array.from(indices, i => this.#key(i)))
  }

  /** One image as 8-bit values, to look at. */
  bitmap(index: number): Promise<Bitmap> {
    return this.#source.bitmap(this.#key(index))
  }

  #key(index: number): number {
    if (index in this.#keys) return this.#keys[index]
    throw new GraftError(`no image ${index}: the set has ${this.length}, 0 to ${this.length - 1}.`)
  }

  /**
   * Goes through the set once. With a seed in another order for each seed, else in the set's own.
   *
   * @example
   * for await (const { pixels, labels } of digits.train.batches(32, { seed: 1 })) …
   */
  async * batches(size = 32, { seed }: { seed?: number } = {}): AsyncGenerator<Batch> {
    const all = Array.from({ length: this.length }, (_, i) => i)
    const order = seed === undefined ? all : shuffled(all, randomFrom(seed, 'order'))
    for (let at = 0; at < order.length; at += size) {
      const indices = order.slice(at, at + size)
      yield { indices, pixels: await this.pixels(indices), labels: Int32Array.from(indices, i => this.labels[i]) }
    }
  }

  /**
   * The whole set as tensors for `model.fit(x, y)` and `model.evaluate(x, y)`: images `[n, height, width, channels]` and one-hot
   * labels `[n, classes]`. All of it is in memory at once; `train(model, data)` needs no such thing.
   */
  async tensors(): Promise<{ x: Tensor, y: Tensor }> {
    const { tf } = await import('../tf.ts')
    const all = Array.from({ length: this.length }, (_, i) => i)
    const x = tf.tensor(await this.pixels(all), [this.length, ...this.size, this.channels])
    const y = tf.tidy(() => tf.oneHot(tf.tensor1d(this.labels, 'int32'), this.classes.length).toFloat())
    return { x, y }
  }

  /** Some of the images as a set of their own, by their positions. */
  pick(indices: ArrayLike<number>): ImageSet {
    const places = Array.from(indices), { augmentation, fleeting } = this
    return new ImageSet(this.#source, places.map(i => this.#item(i)),
      { augmentation, fleeting, truth: this.#truth && (i => this.#truth!(places[i])) })
  }

  #item(i: number): Item {
    return { key: this.#key(i), file: this.files[i], label: this.labels[i], id: this.ids[i] }
  }

  #items(): Item[] {
    return this.ids.map((_, i) => this.#item(i))
  }

  [displaySymbol](): Promise<MimeBundle> {
    return import('../show/images.ts').then(({ imageSetBundle }) => imageSetBundle(this))
  }

  [inspect.custom](): string {
    return `ImageSet: ${this.length} images of ${this.size.join('×')}×${this.channels}, ${this.classes.length} classes`
  }
}

/** The model's value for each of the 256 that a byte has, so that a pixel takes neither a division nor an addition. */
export function rangeTable([low, high]: Range): Float32Array {
  return Float32Array.from({ length: 256 }, (_, value) => low + value / 255 * (high - low))
}

/** Images as one batch of a model's values, image after image: each is `height · width · channels` bytes. */
export function batchOf(images: Uint8Array[], [height, width, channels]: ImageShape, table: Float32Array): Float32Array {
  const each = height * width * channels, out = new Float32Array(images.length * each)
  const from = 1024, to = from + atOnce, memory = room(to + atOnce * 4)
  const bytes = new Uint8Array(memory), values = new Float32Array(memory, to)
  new Float32Array(memory).set(table)
  images.forEach((image, n) => {
    for (let at = 0; at < each; at += atOnce) {
      const count = Math.min(atOnce, each - at)
      bytes.set(image.subarray(at, at + count), from)
      lookUp(to, from, 0, count)
      out.set(values.subarray(0, count), n * each + at)
    }
  })
  return out
}

/** Bytes that are looked up at once. */
const atOnce = 2 ** 16
