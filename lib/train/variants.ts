import type { ImageSet } from '../data/set.ts'
import type { Feeder } from './features.ts'

/**
 * How many variants of an image go through a frozen part where nothing was said: more take longer, fewer are learned by heart.
 */
const usual = 4

/** Which variant of the training images an epoch takes. */
export class Variants {
  readonly #set: ImageSet
  readonly #count: number

  private constructor(set: ImageSet, count: number) {
    this.#set = set
    this.#count = count
  }

  /** `frozen`: whether a part of the model is frozen, and runs once per variant. */
  static of(set: ImageSet, frozen: boolean): Variants {
    return new Variants(set, set.augmentation ? set.augmentation.variants ?? (frozen ? usual : Infinity) : 1)
  }

  at(epoch: number): ImageSet {
    return Number.isFinite(this.#count) ? this.#set.variant(1 + epoch % this.#count) : this.#set.variant(1 + epoch, true)
  }

  /** How many images are to go through the frozen part from one epoch to another. */
  unseen(feeder: Feeder, first: number, end: number): number {
    if (feeder.rest === feeder.whole) return 0
    if (!Number.isFinite(this.#count)) return (end - first) * this.#set.length
    const epochs = Array.from({ length: Math.min(end - first, this.#count) }, (_, i) => this.at(first + i))
    return epochs.reduce((sum, set) => sum + feeder.unseen(set), 0)
  }
}
