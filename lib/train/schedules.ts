import { didYouMean, GraftError, inWords } from '../error.ts'
import { checkOptions } from '../options.ts'
import { directionOf, type History } from './run.ts'

/** Another rate after every so many epochs, as Keras's `ExponentialDecay(staircase=True)`. */
export interface Steps { every: number, factor?: number }
/** A rate that shrinks by this factor with each epoch, smoothly, as Keras's `ExponentialDecay`. */
export interface Exponential { exponential: number }
/**
 * A rate that is lowered where the measure has not become better for `plateau` epochs, as Keras's `ReduceLROnPlateau`, with its
 * defaults: `factor` 0.1, `minDelta` 1e-4, `cooldown` 0 epochs, `least` 0. `monitor` is `valLoss`, without a validation set
 * `loss`.
 */
export interface Plateau {
  plateau: number
  factor?: number
  monitor?: string
  minDelta?: number
  cooldown?: number
  least?: number
}

/**
 * How the learning rate goes over the run, as a factor of what was asked: `cosine` (down to 0, as Keras's CosineDecay), `linear`
 * (down to 0), `oneCycle` (up from 1/25, then down to 1/100,000), `constant`; {@link Steps}, {@link Exponential},
 * {@link Plateau}; or a function of the part that is done, 0 to 1, that gives the factor.
 */
export type Schedule =
  'constant' | 'cosine' | 'linear' | 'oneCycle' | Steps | Exponential | Plateau | ((done: number) => number)

const cosine = (from: number, to: number, part: number) => to + (from - to) * (1 + Math.cos(Math.PI * part)) / 2

const curves: Record<string, (done: number) => number> = {
  constant: () => 1,
  // Loshchilov and Hutter, "SGDR" (2016), without restarts.
  cosine: done => cosine(1, 0, done),
  linear: done => 1 - done,
  // Smith, "Super-convergence" (2017), with fastai's numbers.
  oneCycle: done => done < 0.25 ? cosine(1 / 25, 1, done / 0.25) : cosine(1, 1e-5, (done - 0.25) / 0.75),
}

/** Where in the run a step is: its number, all steps, steps per epoch, and those of the warm-up. */
export interface Course { steps: number, perEpoch: number, warmup: number }

/**
 * The factor of the learning rate at each step. In the warm-up it grows from 0 at the first step to 1, as in Keras's
 * `CosineDecay(warmup_steps=…)`; then the schedule begins.
 *
 * @throws GraftError for an unknown schedule
 */
export function factorOf(schedule: Schedule, { steps, perEpoch, warmup }: Course): (step: number) => number {
  const after = afterWarmup(schedule, Math.max(1, steps - warmup), perEpoch)
  return step => step < warmup ? step / warmup : after(step - warmup)
}

function afterWarmup(schedule: Schedule, steps: number, perEpoch: number): (step: number) => number {
  if (typeof schedule === 'function') return step => checked(schedule(step / steps))
  if (typeof schedule === 'string' && Object.hasOwn(curves, schedule)) return step => curves[schedule](step / steps)
  if (typeof schedule === 'object' && schedule !== null) {
    if ('every' in schedule) {
      const { every, factor = 0.1 } = schedule
      checkOptions<Steps>('schedule', schedule, { every: 'positive', factor: 'positive' })
      return step => factor ** Math.floor(step / (every * perEpoch))
    }
    if ('exponential' in schedule) {
      checkOptions<Exponential>('schedule', schedule, { exponential: 'positive' })
      return step => schedule.exponential ** (step / perEpoch)
    }
    // What a plateau does is seen after each epoch only.
    if ('plateau' in schedule) return () => 1
  }
  throw new GraftError(`unknown schedule: ${inWords(schedule)}.${didYouMean(String(schedule), Object.keys(curves))} Expected ` +
    `${Object.keys(curves).join(', ')}, { every: 3, factor: 0.1 }, { exponential: 0.9 }, { plateau: 2, factor: 0.5 }, or a ` +
    'function of the part done, e.g. done => 1 - done.')
}

function checked(factor: unknown): number {
  if (typeof factor === 'number' && Number.isFinite(factor) && factor >= 0) return factor
  throw new GraftError(`the schedule must give a factor of the learning rate, 0 or more; it gave ${inWords(factor)}.`)
}

/** Lowers the rate on plateaus; with another schedule it leaves it alone. */
export class Lowering {
  /** What it makes of the rate now. */
  factor = 1
  readonly #rule: Plateau | null
  readonly #monitor: string
  #best = NaN
  #waited = 0
  #cooldown = 0

  constructor(schedule: Schedule | undefined, validated: boolean, measures: string[]) {
    this.#rule = typeof schedule === 'object' && schedule !== null && 'plateau' in schedule ? schedule : null
    this.#monitor = this.#rule?.monitor ?? (validated ? 'valLoss' : 'loss')
    if (!this.#rule) return
    checkOptions<Plateau>('schedule', this.#rule, { plateau: 'count', factor: 'part', monitor: measures, minDelta: 'not negative',
      cooldown: 'not negative', least: 'not negative' })
  }

  /**
   * Takes the last epoch into account; true where the rate was lowered. `rate`: what the rate is now, for the least one.
   *
   * keras/src/callbacks/reduce_lr_on_plateau.py, on_epoch_end.
   */
  add(history: History, rate: number): boolean {
    if (!this.#rule) return false
    const { plateau, factor = 0.1, minDelta = 1e-4, cooldown = 0, least = 0 } = this.#rule
    const value = history[this.#monitor].at(-1)!
    if (this.#cooldown) {
      this.#cooldown--
      this.#waited = 0
    }
    if (Number.isNaN(this.#best) || directionOf(this.#monitor) * (value - this.#best) > minDelta) {
      this.#best = value
      this.#waited = 0
    } else if (!this.#cooldown && ++this.#waited >= plateau && rate > least) {
      this.factor *= Math.max(rate * factor, least) / rate
      this.#cooldown = cooldown
      this.#waited = 0
      return true
    }
    return false
  }

  /** Where it stands, to go on from there in {@link restore}. */
  get state(): number[] {
    return [this.factor, this.#best, this.#waited, this.#cooldown]
  }

  restore([factor, best, waited, cooldown]: (number | null)[]): void {
    this.factor = factor!
    this.#best = best ?? NaN
    this.#waited = waited!
    this.#cooldown = cooldown!
  }
}
