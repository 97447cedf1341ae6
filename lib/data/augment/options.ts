import { didYouMean, GraftError, inWords } from '../../error.ts'
import { checkOptions, type Kind } from '../../options.ts'
import type { Fill } from './geometry.ts'

/** How far a change may go: up to this much in both directions, or from the first to the second. */
export type Extent = number | readonly [low: number, high: number]

/**
 * How training images are changed, each time another way, so that a model learns what does not matter. Every change is drawn for
 * each image anew, evenly within its extent; what is not named does not happen. The numbers are those of Keras's layers.
 */
export interface AugmentOptions {
  /** Mirrored in half of the cases. `true` is `horizontal`. */
  flip?: boolean | 'horizontal' | 'vertical' | 'both'
  /** Turned by a part of a full turn: `0.05` is up to 18° either way. */
  rotate?: Extent
  /** Smaller or larger by a part of its size: `0.2` is up to 20 % either way; `[-0.3, 0]` is larger only. */
  zoom?: Extent
  /** Moved by a part of its height and width. */
  translate?: Extent
  /** Slanted, by pixels per pixel. */
  shear?: Extent
  /** A window of it, with sides at least this part as long, stretched to the whole: `0.8`. */
  crop?: number
  /** Lighter or darker by a part of white. */
  brightness?: Extent
  /** Contrast stronger or weaker: `0.3` is by a factor from 0.7 to 1.3. */
  contrast?: Extent
  /** Colours turned by a part of half the colour wheel. */
  hue?: number
  /** Colours stronger or weaker: 1 is from grey to as strong as can be. */
  saturation?: number
  /** Gaussian noise with this standard deviation, as a part of white. */
  noise?: number
  /** A rectangle greyed out, of at most this part of the image: `0.25`. */
  cutOut?: number
  /** Two images over each other, and their labels: the concentration of the Beta distribution, e.g. `0.2`. */
  mixUp?: number
  /** A rectangle from another image, and as much of its label: the concentration, e.g. `1`. With `mixUp` too, one of the two. */
  cutMix?: number
  /** Some of eleven changes at random (Cubuk et al., "RandAugment", 2019). `true` is `{ count: 2, magnitude: 0.5 }`. */
  randAugment?: boolean | { count?: number, magnitude?: number }
  /** What fills the edges that a turn or a move lays bare. Default `reflect`. */
  fill?: Fill
  /**
   * How many different variants of each image there are. Each epoch takes the next one. With a finite number the frozen part of a
   * model still runs once per variant only, not in every epoch. Default: 4 where a part is frozen, else new ones in every epoch.
   */
  variants?: number
  /** Another seed gives other changes. Default 1. */
  seed?: number
}

/**
 * Sets of changes by name: what photos stand, and what letters and digits do, which must not be mirrored, nor reflected at the
 * edge.
 */
const presets: Record<string, AugmentOptions> = {
  photos: { flip: 'horizontal', rotate: 0.04, zoom: 0.15, translate: 0.08, brightness: 0.1, contrast: 0.2 },
  characters: { rotate: 0.03, zoom: 0.1, translate: 0.08, shear: 0.1, contrast: 0.2, fill: 'nearest' },
}

/** A preset's name, or changes one by one. */
export type Augment = 'photos' | 'characters' | AugmentOptions

const known: { [name in keyof Required<AugmentOptions>]: Kind } = {
  flip: null, rotate: null, zoom: null, translate: null, shear: null, crop: null, brightness: null, contrast: null, hue: 'part',
  saturation: null, noise: 'part', cutOut: 'part', mixUp: 'positive', cutMix: 'positive', randAugment: null,
  fill: ['reflect', 'nearest', 'constant'], variants: null, seed: 'number',
}

/** The largest extent of each; a zoom of -1 would leave one pixel. */
const extents = { rotate: 1, zoom: 0.9, translate: 1, shear: 1, brightness: 1, contrast: 1 } as const

/** The changes that are meant. @throws GraftError for an unknown name or a value that is none */
export function augmentOptions(wish: Augment): AugmentOptions {
  if (typeof wish === 'string') {
    if (Object.hasOwn(presets, wish)) return presets[wish]
    throw new GraftError(`augment: unknown set of changes ${inWords(wish)}.${didYouMean(wish, Object.keys(presets))} Expected ` +
      `${Object.keys(presets).map(name => `'${name}'`).join(' or ')}, or changes such as { flip: 'horizontal', rotate: 0.05 }.`)
  }
  checkOptions<AugmentOptions>('augment', wish, known)
  for (const [name, most] of Object.entries(extents)) {
    const value = wish[name as keyof typeof extents], refused = value !== undefined && !isExtent(value, most)
    if (refused) throw new GraftError(`augment.${name} must be a number up to ${most}, or [from, to]; received ` +
      `${inWords(value)}.`)
  }
  const { flip, crop, saturation, variants, randAugment } = wish
  if (flip !== undefined && ![true, false, 'horizontal', 'vertical', 'both'].includes(flip)) {
    throw new GraftError(`augment.flip must be 'horizontal', 'vertical' or 'both'; received ${inWords(flip)}.`)
  }
  for (const [name, value] of Object.entries({ crop, saturation })) {
    if (value !== undefined && !(typeof value === 'number' && value > 0 && value <= 1)) {
      throw new GraftError(`augment.${name} must be a number above 0, at most 1; received ${inWords(value)}.`)
    }
  }
  if (variants !== undefined && variants !== Infinity && !(Number.isInteger(variants) && variants > 0)) {
    throw new GraftError(`augment.variants must be a whole number above 0, or Infinity; received ${inWords(variants)}.`)
  }
  if (randAugment !== undefined && typeof randAugment !== 'boolean') {
    checkOptions('augment.randAugment', randAugment, { count: 'count', magnitude: 'part' })
  }
  return wish
}

const isExtent = (value: unknown, most: number): boolean => typeof value === 'number' ? value >= 0 && value <= most
  : Array.isArray(value) && value.length === 2 && value.every(one => typeof one === 'number' && Math.abs(one) <= most) &&
    value[0] <= value[1]
