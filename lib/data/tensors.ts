import { createHash } from 'node:crypto'
import type { Tensor } from '@tensorflow/tfjs'
import { GraftError, inWords } from '../error.ts'
import { checkOptions } from '../options.ts'
import { tf } from '../tf.ts'
import { Augmentation } from './augment/augmentation.ts'
import type { Augment } from './augment/options.ts'
import { ImageData } from './images.ts'
import { ImageSet, type Item, type Range, type Source } from './set.ts'
import { split } from './split.ts'

export interface TensorOptions {
  /** Class names by number. Default `0`, `1`, … */
  classes?: string[]
  /** The values that black and white have in `x`, to look at the images. Default `[0, 1]`. */
  range?: Range
  /** The part to keep for validation, e.g. `0.2`. Default none. */
  validation?: number
  /** Another seed gives another split. Default 1. */
  seed?: number
  /** Images per batch in training. Default 32. */
  batch?: number
  /** How training images are changed, as in `data.images`. Default: not at all. */
  augment?: Augment
}

/**
 * Makes a data set of images that are tensors already.
 *
 * @param x Images `[n, height, width, channels]`, with the values the model expects. It is copied; dispose it when you like.
 * @param y The class of each: `n` numbers, or one-hot rows `[n, classes]`.
 * @throws GraftError for other shapes, pixels that are no numbers, or labels that are no class
 * @example
 * const x = tf.randomUniform<tf.Rank.R4>([20, 28, 28, 1]), labels = Array.from({ length: 20 }, (_, i) => i % 2)
 * const noise = await data.tensors(x, labels, { validation: 0.1 })
 */
export async function tensors(x: Tensor, y: Tensor | ArrayLike<number>, options: TensorOptions = {}): Promise<ImageData> {
  checkOptions<TensorOptions>('data.tensors', options, {
    classes: 'list', range: null, validation: null, seed: 'number', batch: 'count', augment: null,
  })
  if (!(x instanceof tf.Tensor) || x.rank !== 4) {
    throw new GraftError(`data.tensors(x, y): x must be a tensor [n, height, width, channels]; received ` +
      `${x?.shape ? `[${x.shape.join(', ')}]` : inWords(x)}.`)
  }
  if (x.isDisposed) throw new GraftError('data.tensors(x, y): x is disposed: its values are gone.')
  const [n, height, width, channels] = x.shape, { range = [0, 1], validation, seed = 1, batch = 32 } = options
  const labels = await labelsOf(y)
  if (labels.length !== n) throw new GraftError(`data.tensors(x, y): x holds ${n} images, y ${labels.length} labels.`)
  if (!n) throw new GraftError('data.tensors(x, y): x holds no images.')
  const count = options.classes?.length ?? 100_000
  const wrong = labels.findIndex(label => !(Number.isInteger(label) && label >= 0 && label < count))
  if (wrong >= 0) {
    throw new GraftError(`data.tensors(x, y): the label ${inWords(labels[wrong])} of image ${wrong} is none of the classes 0 to ${
      count - 1}.`)
  }
  const classes = options.classes ?? Array.from({ length: labels.reduce((a, b) => Math.max(a, b)) + 1 }, (_, i) => String(i))
  const values = Float32Array.from(await x.data()), each = height * width * channels
  const image = (key: number) => values.subarray(key * each, (key + 1) * each)
  // Engines differ in what they make of a NaN; some would find a class in it.
  const odd = values.findIndex(value => !Number.isFinite(value))
  if (odd >= 0) {
    throw new GraftError(`data.tensors(x, y): a pixel of image ${Math.floor(odd / each)} is ${values[odd]}. Expected ` +
      `numbers from ${range.join(' to ')}.`)
  }
  const source: Source = {
    classes, range, shape: [height, width, channels],
    async pixels(keys) {
      const out = new Float32Array(keys.length * each)
      keys.forEach((key, i) => out.set(image(key), i * each))
      return out
    },
    async bitmap(key) {
      const byte = (value: number) => Math.min(255, Math.max(0, Math.round((value - range[0]) / (range[1] - range[0]) * 255)))
      const data = Uint8Array.from(image(key), byte)
      return { data, height, width, channels }
    },
  }
  const items = labels.map((label, key): Item => {
    const bytes = image(key)
    const raw = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const content = createHash('sha256').update(raw).digest('hex').slice(0, 32)
    return { key, file: String(key), label, id: `${content} ${height}x${width}x${channels}` }
  })
  const parts = validation === undefined ? null : split(labels, items.map(item => item.id), validation, seed)
  return new ImageData({
    source: 'tensors', batch, test: null, train: new ImageSet(source, parts ? parts.kept.map(i => items[i]) : items,
      { augmentation: options.augment === undefined ? null : new Augmentation(options.augment) }),
    validation: parts && new ImageSet(source, parts.taken.map(i => items[i])),
  })
}

async function labelsOf(y: Tensor | ArrayLike<number>): Promise<number[]> {
  if (!(y instanceof tf.Tensor)) {
    if (Array.isArray(y) || (ArrayBuffer.isView(y) && 'length' in y)) return Array.from(y as ArrayLike<number>)
    throw new GraftError(`data.tensors(x, y): y must be a tensor or a list of numbers; received ${inWords(y)}.`)
  }
  if (y.rank === 1 || (y.rank === 2 && y.shape[1] === 1)) return Array.from(await y.data())
  if (y.rank !== 2) {
    throw new GraftError(`data.tensors(x, y): y must be [n] or one-hot [n, classes]; received [${y.shape.join(', ')}].`)
  }
  const indices = tf.argMax(y, 1)
  const labels = Array.from(await indices.data())
  indices.dispose()
  return labels
}
