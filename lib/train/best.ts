import { inspect } from 'node:util'
import { GraftError } from '../error.ts'
import { checkNumber } from './checks.ts'
import { directionOf, type History } from './run.ts'
import type { Snapshot } from './snapshot.ts'

/**
 * When to end a run early, as Keras's EarlyStopping: after `patience` epochs in which the measure has not become better by
 * `minDelta`.
 */
export interface EarlyStopping {
  patience: number
  /** A measure of the history. Default `valLoss`, without a validation set `loss`. */
  monitor?: string
  /** Default 0. */
  minDelta?: number
}

/** Watches one measure over the epochs and keeps the weights of its best one. */
export class Best {
  readonly #patience: number
  readonly #monitor: string
  readonly #minDelta: number
  #value = NaN
  #waited = 0
  /** The weights of the best epoch. */
  weights: Snapshot | null = null
  /** The best epoch, counted from 1. */
  epoch = 0

  /** `known`: the measures of the history. */
  constructor(wish: number | EarlyStopping | undefined, validated: boolean, known: string[]) {
    const options: Partial<EarlyStopping> = typeof wish === 'number' ? { patience: wish } : wish ?? {}
    this.#patience = options.patience ?? Infinity
    this.#monitor = options.monitor ?? (validated ? 'valLoss' : 'loss')
    this.#minDelta = options.minDelta ?? 0
    if (wish !== undefined) checkNumber('earlyStopping.patience', this.#patience, 'count')
    if (wish !== undefined && !Number.isFinite(this.#minDelta)) {
      throw new GraftError(`earlyStopping.minDelta must be a number; received ${inspect(this.#minDelta)}.`)
    }
    if (!known.includes(this.#monitor)) {
      throw new GraftError(`earlyStopping.monitor: ${inspect(this.#monitor)} is not measured here. Expected ${known.join(', ')}.`)
    }
  }

  /** Takes the last epoch into account; true where it is time to stop. */
  add(history: History, weights: Snapshot): boolean {
    const values = history[this.#monitor], value = values.at(-1)!
    if (Number.isNaN(this.#value) || directionOf(this.#monitor) * (value - this.#value) > this.#minDelta) {
      this.#value = value
      this.#waited = 0
      this.weights = weights
      this.epoch = values.length
      return false
    }
    return ++this.#waited >= this.#patience
  }

  /** Where it stands, to go on from there in {@link restore}. */
  get state(): number[] {
    return [this.#value, this.#waited, this.epoch]
  }

  restore([value, waited, epoch]: (number | null)[], weights: Snapshot | null): void {
    this.#value = value ?? NaN
    this.#waited = waited!
    this.epoch = epoch!
    this.weights = weights
  }
}
