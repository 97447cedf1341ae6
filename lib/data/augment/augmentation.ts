import { createHash } from 'node:crypto'
import { inspect } from 'node:util'
import { randomFrom, type Random } from '../random.ts'
import { blend, normal, patch } from './colour.ts'
import { box, change } from './draw.ts'
import { augmentOptions, type Augment, type AugmentOptions } from './options.ts'
import type { Picture } from './picture.ts'

/** Another image that is mixed in: its place in the set, how much of the label it takes, and how it is put in. */
export interface Mix { partner: number, share: number, put(own: Picture, other: Picture): Picture }

/** How the training images of a set are changed. Seed, image and variant determine each change. */
export class Augmentation {
  readonly options: AugmentOptions
  /** Tells it from others, for caches. */
  readonly key: string
  /** How many variants of an image there are, where that was said. */
  readonly variants: number | undefined
  readonly #seed: number

  constructor(wish: Augment) {
    this.options = augmentOptions(wish)
    const { variants, seed = 1, ...changes } = this.options
    this.variants = variants
    this.#seed = seed
    this.key = createHash('sha256').update(JSON.stringify([seed, Object.entries(changes).sort()])).digest('hex').slice(0, 12)
  }

  /** Whether labels are mixed too. */
  get mixes(): boolean {
    return this.options.mixUp !== undefined || this.options.cutMix !== undefined
  }

  /** One variant of an image, before another one is mixed in. `id` tells the image. */
  apply(picture: Picture, id: string, variant: number): Picture {
    return change(picture, this.options, randomFrom(this.#seed, 'augment', variant, id))
  }

  /** What is mixed into a variant of an image of a set of so many; null for nothing. */
  mix(id: string, variant: number, count: number, height: number, width: number): Mix | null {
    if (!this.mixes) return null
    const random = randomFrom(this.#seed, 'mix', variant, id), { mixUp, cutMix } = this.options
    const partner = Math.floor(random() * count), blends = cutMix === undefined || (mixUp !== undefined && random() < 0.5)
    if (blends) {
      const own = beta(mixUp!, random)
      return { partner, share: 1 - own, put: (picture, other) => blend(picture, other, own) }
    }
    const side = Math.sqrt(1 - beta(cutMix!, random)), area = box(height, width, side, side, random)
    return {
      partner, put: (picture, other) => patch(picture, other, area),
      share: (area.right - area.left) * (area.bottom - area.top) / (height * width),
    }
  }

  [inspect.custom](): string {
    return `Augmentation ${inspect(this.options)}`
  }
}

/** A number of the symmetric Beta distribution: of two Gamma-distributed ones, the first one's part. */
function beta(concentration: number, random: Random): number {
  const a = gamma(concentration, random), b = gamma(concentration, random)
  return a + b > 0 ? a / (a + b) : Number(random() < 0.5)
}

/** Marsaglia and Tsang, "A simple method for generating gamma variables" (2000); below 1 by their remark on shapes. */
function gamma(shape: number, random: Random): number {
  if (shape < 1) return gamma(shape + 1, random) * random() ** (1 / shape)
  const d = shape - 1 / 3, c = 1 / Math.sqrt(9 * d)
  for (;;) {
    const x = normal(random), v = (1 + c * x) ** 3
    if (v > 0 && Math.log(1 - random()) < x * x / 2 + d - d * v + d * Math.log(v)) return d * v
  }
}
