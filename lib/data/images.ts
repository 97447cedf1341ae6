import { resolve } from 'node:path'
import { inspect } from 'node:util'
import type { LayersModel } from '@tensorflow/tfjs'
import { GraftError } from '../error.ts'
import { displaySymbol, host, type MimeBundle } from '../host.ts'
import { checkOptions } from '../options.ts'
import type { Recipe } from '../runs/record.ts'
import { progressBar } from '../show/progress.ts'
import { Augmentation } from './augment/augmentation.ts'
import type { Augment } from './augment/options.ts'
import { concurrently } from './concurrently.ts'
import type { ImageShape } from './decode.ts'
import { inputOf } from './input.ts'
import { countOf, list, naturalOrder, type Entry, type FilesByClass } from './list.ts'
import { readPicture } from './picture.ts'
import { readElsewhere, readersAtOnce } from './readers.ts'
import type { Bitmap } from './resize.ts'
import { batchOf, ImageSet, rangeTable, type Item, type Range, type Source } from './set.ts'
import { split } from './split.ts'

export interface ImageOptions {
  /** A model, whose input size, channels and pixel range are taken; or `[height, width]`; or one number for both. Default 224. */
  size?: LayersModel | [height: number, width: number] | number
  /** The pixel values wanted. Default: the model's, else `[0, 1]` as TF Hub's image modules expect. */
  range?: Range
  /**
   * The part of the training images to keep for validation, e.g. `0.2`. Default: none, unless there is a `validation/` folder.
   */
  validation?: number
  /** Another seed gives another split. Default 1. */
  seed?: number
  /** Images per batch in training. Default 32. */
  batch?: number
  /**
   * How training images are changed, each time another way: `'photos'`, `'characters'`, or changes one by one, e.g.
   * `{ flip: 'horizontal', rotate: 0.05 }`. `show.augmentation(data)` shows it. Default: not at all.
   */
  augment?: Augment
  /** How many bytes of decoded pixels to keep in memory. What is beyond is decoded again each time. Default 1 GiB. */
  memory?: number
}

/** What {@link checkOptions} asks of them. */
export const imageOptions = {
  size: null, range: null, validation: null, seed: 'number', batch: 'count', memory: 'not negative', augment: null,
} as const

/** A file that could not be used, and why. */
export interface Problem { file: string, reason: string }

/** A data set of labelled images: {@link images} makes it. It shows itself as a contact sheet. */
export class ImageData {
  readonly source: string
  readonly classes: string[]
  readonly size: [height: number, width: number]
  readonly channels: number
  readonly range: Range
  /** Images per batch in training. */
  readonly batch: number
  readonly train: ImageSet
  readonly #held: Record<'validation' | 'test', ImageSet | null>
  /** Images that could not be read, each with the reason. They are left out. */
  readonly problems: Problem[]
  /** What else is worth knowing, one sentence each. */
  readonly notes: string[]
  /** How {@link images} makes the same set again; null where it did not make it. */
  readonly recipe: Recipe | null

  constructor(parts: {
    source: string, batch: number, train: ImageSet, validation: ImageSet | null, test: ImageSet | null
    problems?: Problem[], notes?: string[], recipe?: Recipe
  }) {
    this.source = parts.source
    this.classes = parts.train.classes
    this.size = parts.train.size
    this.channels = parts.train.channels
    this.range = parts.train.range
    this.batch = parts.batch
    this.train = parts.train
    this.#held = { validation: parts.validation, test: parts.test }
    this.problems = parts.problems ?? []
    this.notes = parts.notes ?? []
    this.recipe = parts.recipe ?? null
  }

  /** The parts there are, by name. */
  get parts(): { train: ImageSet, validation?: ImageSet, test?: ImageSet } {
    const { validation, test } = this.#held
    return { train: this.train, ...(validation && { validation }), ...(test && { test }) }
  }

  /** The images that training is judged by. @throws GraftError where there are none */
  get validation(): ImageSet {
    return this.#held.validation ?? none(this.source, 'validation',
      'data.images(folder, { validation: 0.2 }) keeps a part of the training images for it')
  }

  /** The images for the last word. @throws GraftError where there are none */
  get test(): ImageSet {
    return this.#held.test ?? none(this.source, 'test', 'put some into a folder test/ beside train/')
  }

  [displaySymbol](): Promise<MimeBundle> {
    return import('../show/images.ts').then(({ imageDataBundle }) => imageDataBundle(this))
  }

  [inspect.custom](): string {
    const parts = Object.entries(this.parts).map(([name, set]) => `${set.length} ${name}`)
    return [`ImageData '${this.source}': ${this.classes.length} classes, ${parts.join(' + ')} images of ` +
      `${this.size.join('×')}×${this.channels}, values ${this.range.join(' to ')}`, ...this.notes].join('\n')
  }
}

function none(source: string, part: string, hint: string): never {
  throw new GraftError(`'${source}' has no ${part} images; ${hint}.`)
}

/**
 * Reads labelled images: from a folder with one folder per class; from a folder with `train/`, `test/` (and `validation/` or
 * `val/`) of such; from `{ class: files }`; from a `.csv` with the columns `file` and `label`.
 *
 * Each file is decoded once, as `keras.utils.image_dataset_from_directory` does it (bilinear, no antialiasing, stretched), except
 * that photos are turned upright by EXIF. Classes are in natural order (`2` before `10`). Files that are no images are ignored
 * and counted; images that cannot be read are left out and reported together.
 *
 * @throws GraftError for a missing folder, a folder without images or classes, an empty class.
 * @example
 * const digits = await data.images('images/digits', { size: base, validation: 0.2 })
 * digits.classes        // ['0', '1', …]
 * digits.train.length
 */
export async function images(source: string | FilesByClass, options: ImageOptions = {}): Promise<ImageData> {
  const signal = host().signal
  checkOptions<ImageOptions>('data.images', options, imageOptions)
  const { shape, range } = inputOf(options.size, options.range)
  const { validation, seed = 1, batch = 32, memory = 2 ** 30 } = options
  const augmentation = options.augment === undefined ? null : new Augmentation(options.augment)
  const listing = await list(source)
  const files = new FileSource(listing.classes, shape, range, memory, countOf(listing))
  const problems: Problem[] = []
  const bar = progressBar({ label: 'Reading images', total: countOf(listing) })
  const read = async (entries: Entry[]) => {
    const items = await concurrently(entries, entry => files.add(entry).catch((error: unknown) => {
      if (!(error instanceof GraftError)) throw error
      problems.push({ file: entry.file, reason: error.message })
      return null
    }).finally(() => bar.tick()), signal, readersAtOnce)
    return items.filter(item => item !== null)
  }
  let train: Item[], held: Item[] | null, test: Item[] | null
  try {
    train = await read(listing.train)
    held = listing.validation && await read(listing.validation)
    test = listing.test && await read(listing.test)
    bar.done()
  } finally {
    bar.stop()
  }
  problems.sort((a, b) => naturalOrder(a.file, b.file))
  checkClasses(listing.source, listing.classes, train, problems)
  if (validation !== undefined && !held) {
    const { kept, taken } = split(train.map(item => item.label), train.map(item => item.id), validation, seed)
    held = taken.map(i => train[i])
    train = kept.map(i => train[i])
    if (!held.length) {
      throw new GraftError(`validation: ${validation} takes no image: each class of '${listing.source}' has one only.`)
    }
  }
  const notes = [...findings(listing.ignored, problems), ...overlaps(train, { validation: held, test })]
  if (problems.length) host().display({ 'text/plain': notes.join('\n') })
  const set = (items: Item[] | null) => items && new ImageSet(files, items)
  const parts = { train: new ImageSet(files, train, { augmentation }), validation: set(held), test: set(test) }
  const from = typeof source === 'string' ? resolve(source)
    : Object.fromEntries(Object.entries(source).map(([name, files]) => [name, files.map(file => resolve(file))]))
  const recipe: Recipe = { source: from, options: { ...options, size: [shape[0], shape[1]], range } }
  return new ImageData({ source: listing.source, batch, ...parts, problems, notes, recipe })
}

/** So many files are read sooner than threads have started. */
const few = 100

/** Files decoded once; pixels are kept as bytes while memory lasts. */
class FileSource implements Source {
  readonly classes: string[]
  readonly shape: ImageShape
  readonly range: Range
  readonly #files: string[] = []
  readonly #kept = new Map<number, Uint8Array>()
  readonly #table: Float32Array
  readonly #read: typeof readPicture
  #room: number

  constructor(classes: string[], shape: ImageShape, range: Range, memory: number, count: number) {
    this.#read = count < few ? readPicture : readElsewhere
    this.classes = classes
    this.shape = shape
    this.range = range
    this.#table = rangeTable(range)
    this.#room = memory
  }

  /** Reads and decodes a file, so that a damaged one is found before any training. */
  async add({ file, label }: Entry): Promise<Item> {
    const { pixels, content } = await this.#read(file, this.shape)
    const key = this.#files.push(file) - 1
    this.#keep(key, pixels)
    return { key, file, label, id: `${content} ${this.shape.join('x')} ${this.range.join('..')}` }
  }

  async pixels(keys: number[]): Promise<Float32Array> {
    return batchOf(await concurrently(keys, key => this.#bytes(key), undefined, readersAtOnce), this.shape, this.#table)
  }

  async bitmap(key: number): Promise<Bitmap> {
    const [height, width, channels] = this.shape
    return { data: await this.#bytes(key), height, width, channels }
  }

  async #bytes(key: number): Promise<Uint8Array> {
    const kept = this.#kept.get(key)
    if (kept) return kept
    const file = this.#files[key]
    const { pixels } = await this.#read(file, this.shape).catch((error: Error) => {
      throw new GraftError(`'${file}' changed since it was read: ${error.message}. Run data.images(…) again.`)
    })
    this.#keep(key, pixels)
    return pixels
  }

  #keep(key: number, pixels: Uint8Array): void {
    if (pixels.length > this.#room || this.#kept.has(key)) return
    this.#room -= pixels.length
    this.#kept.set(key, pixels)
  }
}

function checkClasses(source: string, classes: string[], train: Item[], problems: Problem[]): void {
  const present = new Set(train.map(item => item.label))
  const empty = classes.filter((_, label) => !present.has(label))
  if (empty.length) {
    throw new GraftError(`no image of ${empty.map(name => `'${name}'`).join(', ')} in '${source}' can be used for ` +
      `training.\n${report(problems)}`)
  }
}

const report = (problems: Problem[]): string => {
  const lines = problems.slice(0, 10).map(({ file, reason }) => `  ${file}: ${reason}`)
  if (problems.length > 10) lines.push(`  … and ${problems.length - 10} more (all in .problems)`)
  return lines.join('\n')
}

function findings(ignored: number, problems: Problem[]): string[] {
  const notes: string[] = []
  if (problems.length) notes.push(`${problems.length} ${problems.length === 1 ? 'image is' : 'images are'} left ` +
    `out:\n${report(problems)}`)
  if (ignored) notes.push(`${ignored} ${ignored === 1 ? 'file that is no image was' : 'files that are no images were'} ignored.`)
  return notes
}

/** Images that are in the training part and again in another, which makes results look better than they are. */
function overlaps(train: Item[], others: Record<string, Item[] | null>): string[] {
  const seen = new Set(train.map(item => item.id))
  return Object.entries(others).flatMap(([part, items]) => {
    const same = items?.filter(item => seen.has(item.id)) ?? []
    return same.length ? [`${same.length} of the ${items!.length} ${part} images are in the training images too, e.g. ` +
      `${same[0].file}: ` +
      'what is measured on them is too good.'] : []
  })
}
