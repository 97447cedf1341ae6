import { inspect } from 'node:util'
import type { LayersModel } from '@tensorflow/tfjs'
import { isModel } from '../customize/layers.ts'
import { randomFrom, shuffled } from '../data/random.ts'
import { GraftError, inWords } from '../error.ts'
import { displaySymbol, host, type MimeBundle } from '../host.ts'
import { comparisonBundle, runsBundle } from '../show/runs.ts'
import { progressBar } from '../show/progress.ts'
import { tf } from '../tf.ts'
import type { TrainingData } from './checks.ts'
import type { Run } from './run.ts'
import { openLayers, restore, snapshot, type Snapshot } from './snapshot.ts'
import type { TrainOptions } from './train.ts'

/** The values to try of each option: a list, or a range to draw from (with `count`), even on a logarithmic scale. */
export type Choices = Record<string, readonly unknown[] | { from: number, to: number, log?: boolean }>

/** Makes the model of a trial. */
export type Build = (values: Record<string, never>) => LayersModel | Promise<LayersModel>

export interface SweepOptions extends TrainOptions {
  /** How many trials to draw at random. Default: every combination. */
  count?: number
}

/** One trial: the values that were tried, and the run. */
export interface Trial { values: Record<string, unknown>, run: Run }

/** What came out of a sweep. It shows itself as a table and as curves, the best trial first. */
export class Sweep {
  /** The trials, the best first: by the lowest validation loss of an epoch (without a validation set: training loss). */
  readonly trials: Trial[]
  /** The model with the weights of the best trial. */
  readonly model: LayersModel
  /** How many trials were wanted; fewer are here after an interrupt. */
  readonly wanted: number

  constructor(trials: Trial[], model: LayersModel, wanted: number) {
    this.trials = trials.toSorted((a, b) => scoreOf(a.run) - scoreOf(b.run))
    this.model = model
    this.wanted = wanted
  }

  get best(): Trial {
    return this.trials[0]
  }

  get #words(): Record<string, string>[] {
    return this.trials.map(({ values }) =>
      Object.fromEntries(Object.entries(values).map(([name, value]) => [name, wordOf(value)])))
  }

  [displaySymbol](): MimeBundle {
    return comparisonBundle(this.trials.map(({ run }) => run), this.#words)
  }

  [inspect.custom](): string {
    const heading = `${this.trials.length} of ${this.wanted} trials, the best first`
    return String(runsBundle(this.trials.map(({ run }) => run), heading, this.#words)['text/plain'])
  }
}

const scoreOf = ({ history }: Run) => Math.min(...(history.valLoss ?? history.loss).filter(Number.isFinite), Infinity)
const wordOf = (value: unknown) => typeof value === 'string' ? value
  : typeof value === 'number' ? String(parseFloat(value.toPrecision(4))) : JSON.stringify(value) ?? inspect(value)

/**
 * Trains a model several times with other options, each time from the same first weights, and compares. Options of `train` go to
 * it; with a function that makes the model, any other name goes there, e.g. a dropout. Each trial is a run of its own in `runs`.
 * At the end the model has the weights of the best trial's best epoch.
 *
 * An interrupt ends the sweep with the trials that are done.
 *
 * @param what A model, or a function that makes one from the values of a trial.
 * @param choices The values to try of each option.
 * @param options Options that all trials share; `count` draws so many trials instead of taking every combination.
 * @throws GraftError for no choices, and for a name that `train` does not know where a model is given
 * @example
 * await train.sweep(model, digits, { learningRate: [1e-2, 1e-3, 1e-4], batch: [16, 32] }, { epochs: 5 })
 * @example
 * const sweep = await train.sweep(({ dropout }) => customize.extract(base, { classes: digits.classes, dropout }), digits,
 *   { dropout: [0, 0.2, 0.5], learningRate: { from: 1e-4, to: 1e-1, log: true } }, { epochs: 5, count: 8 })
 * sweep.model
 */
export async function sweep(
  what: LayersModel | Build, data: TrainingData, choices: Choices, options: SweepOptions = {},
): Promise<Sweep> {
  const { train, optionKinds } = await import('./train.ts'), { count, ...shared } = options
  const trials = trialsOf(choices, count, options.seed ?? 1), built = typeof what === 'function'
  if (!built && !isModel(what)) throw new GraftError(`train.sweep: expected a model, or a function that makes one; received ` +
    `${inWords(what)}.`)
  const others = Object.keys(choices).filter(name => !Object.hasOwn(optionKinds, name))
  if (!built && others.length) {
    throw new GraftError(`train.sweep: '${others[0]}' is no option of train. Give a function that makes the model from it: ` +
      `train.sweep(({ ${others.join(', ')} }) => …, data, choices).`)
  }
  const { signal } = host(), done: Trial[] = []
  const bar = shared.show === false ? null : progressBar({ label: 'Trials', total: trials.length })
  const first = built ? null : await snapshot(openLayers(what))
  let best: { model: LayersModel, own: string[], weights: Snapshot | null, score: number } | null = null
  try {
    for (const values of trials) {
      if (signal.aborted) break
      const known = Object.fromEntries(Object.entries(values).filter(([name]) => Object.hasOwn(optionKinds, name)))
      const title = Object.entries(values).map(([name, value]) => `${name} ${wordOf(value)}`).join(', ')
      const before = new Set(Object.keys(tf.engine().registeredVariables))
      const model = built ? await what(values as never) : what
      if (!isModel(model)) throw new GraftError(`train.sweep: the function must give a model; it gave ${inWords(model)}.`)
      if (first) restore(first)
      const run = await train(model, data, { keep: 'best', title, ...shared, ...known, show: (shared.show ?? true) && 'bar' })
      if (!run.history.loss.length) break
      done.push({ values, run })
      const score = scoreOf(run), own = model.weights.map(weight => weight.name).filter(name => !before.has(name))
      const trial = { model, own, weights: null, score }, better: boolean = !best || score < best.score
      const worse: { model: LayersModel, own: string[] } | null = better ? best : trial
      if (better) best = { ...trial, weights: first && await snapshot(openLayers(model)) }
      if (built && worse) forget(worse)
      bar?.tick()
    }
  } finally {
    if (best?.weights) restore(best.weights)
    else if (first) restore(first)
    bar?.done()
  }
  if (!best) throw new GraftError('train.sweep: it was ended before the first trial had an epoch.')
  return new Sweep(done, best.model, trials.length)
}

/** Frees what a trial's model has of its own; what it shares with the base stays. */
function forget({ model, own }: { model: LayersModel, own: string[] }): void {
  model.optimizer?.dispose()
  for (const name of own) tf.engine().registeredVariables[name]?.dispose()
}

/** The values of each trial. */
function trialsOf(choices: Choices, count: number | undefined, seed: number): Record<string, unknown>[] {
  const names = Object.keys(choices ?? {})
  if (!names.length) throw new GraftError('train.sweep: expected values to try, e.g. { learningRate: [1e-2, 1e-3] }.')
  if (count !== undefined && !(Number.isInteger(count) && count > 0)) {
    throw new GraftError(`train.sweep: count must be a whole number above 0; received ${inWords(count)}.`)
  }
  const ranges = names.filter(name => !Array.isArray(choices[name]))
  for (const name of ranges) {
    const { from, to, log } = choices[name] as { from: number, to: number, log?: boolean }
    if (!(Number.isFinite(from) && Number.isFinite(to) && from < to && (!log || from > 0))) {
      throw new GraftError(`train.sweep: the choices of '${name}' must be a list, or { from, to } with from below to (above ` +
        `0 for log); received ${inWords(choices[name])}.`)
    }
  }
  if (ranges.length && !count) throw new GraftError(`train.sweep: '${ranges[0]}' is a range: say how many trials to draw, { ` +
    `count: 10 }.`)
  const empty = names.find(name => Array.isArray(choices[name]) && !choices[name].length)
  if (empty) throw new GraftError(`train.sweep: no values to try of '${empty}'.`)
  const random = randomFrom(seed, 'sweep'), lists = names.filter(name => !ranges.includes(name))
  const grid = lists.reduce<Record<string, unknown>[]>((all, name) =>
    all.flatMap(values => (choices[name] as unknown[]).map(value => ({ ...values, [name]: value }))), [{}])
  if (!count) return grid
  // Each combination of the lists once before any comes again.
  const drawn: Record<string, unknown>[] = []
  while (drawn.length < count && (ranges.length || drawn.length < grid.length)) drawn.push(...shuffled(grid, random))
  return drawn.slice(0, count).map(values => ({ ...values, ...Object.fromEntries(ranges.map(name => {
    const { from, to, log } = choices[name] as { from: number, to: number, log?: boolean }
    return [name, log ? from * (to / from) ** random() : from + (to - from) * random()]
  })) }))
}
