import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { GraftError, inWords } from '../error.ts'
import { host } from '../host.ts'
import { checkOptions } from '../options.ts'
import { decodeImage } from './decode.ts'
import { ImageData, imageOptions, type ImageOptions } from './images.ts'
import { inputOf } from './input.ts'
import { naturalOrder } from './list.ts'
import { memorySource } from './memory.ts'
import { ImageSet } from './set.ts'
import { split } from './split.ts'

/** An image file's path or bytes, and its class. */
export interface Example { image: string | Uint8Array, label: string | number }

/**
 * Makes a data set of what any iterable gives, also asynchronously: a camera, a database, a generator. Each image is decoded as
 * it comes and kept in memory as bytes. The classes are the labels, in natural order.
 *
 * @throws GraftError for an example without image or label, an image that cannot be read (with its number), fewer than two
 *   classes
 * @example
 * import { globSync } from 'node:fs'
 * const pairs = await data.from(async function* () {
 *   for (const image of globSync('images/digits/train/{3,7}/*')) yield { image, label: image.split('/')[3] }
 * }(), { size: base, validation: 0.2 })
 */
export async function from(
  examples: Iterable<Example> | AsyncIterable<Example>, options: Omit<ImageOptions, 'memory'> = {},
): Promise<ImageData> {
  checkOptions<ImageOptions>('data.from', options, imageOptions)
  const each = examples as Partial<Iterable<Example> & AsyncIterable<Example>> | undefined
  if (!each?.[Symbol.iterator] && !each?.[Symbol.asyncIterator]) {
    throw new GraftError(`data.from: expected a list or a generator of { image, label }; received ${inWords(examples)}.`)
  }
  const { signal } = host(), { shape, range } = inputOf(options.size, options.range)
  const pictures: Uint8Array[] = [], names: string[] = [], files: string[] = [], hashes: string[] = []
  for await (const example of examples) {
    signal.throwIfAborted()
    const { image, label } = example ?? {}, at = pictures.length
    if (!(typeof image === 'string' || image instanceof Uint8Array) || !['string', 'number'].includes(typeof label)) {
      throw new GraftError(`data.from: example ${at} must be { image: path or bytes, label }; received ` +
        `${inWords(example)}.`)
    }
    try {
      const bytes = typeof image === 'string' ? await readFile(image) : image
      pictures.push(await decodeImage(bytes, shape))
      hashes.push(createHash('sha256').update(bytes).digest('hex').slice(0, 32))
    } catch (error) {
      throw new GraftError(`data.from: image ${at}${typeof image === 'string' ? `, '${image}',` : ''} cannot be read: ` +
        `${(error as Error).message}.`)
    }
    names.push(String(label))
    files.push(typeof image === 'string' ? image : String(at))
  }
  const classes = [...new Set(names)].sort(naturalOrder)
  if (classes.length < 2) {
    throw new GraftError(`data.from: expected images of two classes or more; received ${pictures.length} of ${classes.length}.`)
  }
  const items = pictures.map((_, key) => ({
    key, file: files[key], label: classes.indexOf(names[key]), id: `${hashes[key]} ${shape.join('x')} ${range.join('..')}`,
  }))
  const source = memorySource(pictures, classes, shape, range)
  const { validation, seed = 1, batch = 32 } = options
  const parts = validation === undefined ? null : split(items.map(item => item.label), hashes, validation, seed)
  const set = (indices: number[] | undefined) => indices ? new ImageSet(source, indices.map(i => items[i])) : null
  return new ImageData({
    source: 'examples', batch, train: augmented(set(parts?.kept ?? Array.from(items.keys()))!, options.augment),
    validation: set(parts?.taken), test: null,
  })
}

const augmented = (set: ImageSet, augment: ImageOptions['augment']) => augment === undefined ? set : set.augment(augment)
