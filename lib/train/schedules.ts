import { inspect } from 'node:util'
import { didYouMean, GraftError } from '../error.ts'

/**
 * How the learning rate goes over the run, as a factor of what was asked: `cosine` (down to 0, as Keras's CosineDecay), `linear`
 * (down to 0), `oneCycle` (up from 1/25, then down to 1/100,000), `constant`; or a function of the part that is done, 0 to 1,
 * that gives the factor.
 */
export type Schedule = 'constant' | 'cosine' | 'linear' | 'oneCycle' | ((done: number) => number)

const cosine = (from: number, to: number, part: number) => to + (from - to) * (1 + Math.cos(Math.PI * part)) / 2

const schedules: Record<string, (done: number) => number> = {
  constant: () => 1,
  // Loshchilov and Hutter, "SGDR" (2016), without restarts.
  cosine: done => cosine(1, 0, done),
  linear: done => 1 - done,
  // Smith, "Super-convergence" (2017), with fastai's numbers.
  oneCycle: done => done < 0.25 ? cosine(1 / 25, 1, done / 0.25) : cosine(1, 1e-5, (done - 0.25) / 0.75),
}

/**
 * The factor of the learning rate at each step.
 *
 * @param warmup Steps in which the rate grows from 0 before the schedule begins.
 * @throws GraftError for an unknown schedule
 */
export function factorOf(schedule: Schedule, steps: number, warmup: number): (step: number) => number {
  const curve = typeof schedule === 'function' ? schedule : Object.hasOwn(schedules, schedule) ? schedules[schedule] : undefined
  if (!curve) {
    throw new GraftError(`unknown schedule: ${inspect(schedule)}.${didYouMean(String(schedule), Object.keys(schedules))} ` +
      `Expected ${Object.keys(schedules).join(', ')}, or a function of the part done, e.g. done => 1 - done.`)
  }
  return step => step < warmup ? (step + 1) / (warmup + 1) : curve((step - warmup) / Math.max(1, steps - warmup))
}
