import { inspect } from 'node:util'
import type { LayersModel } from '@tensorflow/tfjs'
import { randomFrom, seedFrom, shuffled } from '../data/random.ts'
import { GraftError } from '../error.ts'
import { displaySymbol, host, type MimeBundle } from '../host.ts'
import { checkOptions } from '../options.ts'
import { rate as inLetters } from '../show/format.ts'
import { progressBar } from '../show/progress.ts'
import { tf } from '../tf.ts'
import { alone } from './busy.ts'
import { checkFit, partsOf, type TrainingData } from './checks.ts'
import { Feeder, turn } from './features.ts'
import { truthOf } from './objective.ts'
import { optimizerFrom, type GroupedOptimizer, type OptimizerName } from './optimizers.ts'
import { borrowPrefix } from './prefixes.ts'
import { goalsOf } from './prepare.ts'
import { ratesOf, type LearningRate } from './rates.ts'
import { openLayers, restore, snapshot } from './snapshot.ts'
import { trainStep } from './step.ts'
import { forgetFunctions } from './written.ts'
import type { TrainOptions } from './train.ts'

export interface RateTestOptions extends Pick<TrainOptions, 'batch' | 'loss' | 'classWeights' | 'labelSmoothing' | 'seed'> {
  /** The first rate. Default 1e-6. */
  from?: number
  /** The last rate, if the loss has not grown beyond measure before. Default 10. */
  to?: number
  /** How many steps lie between them. Default 100. */
  steps?: number
  /** Default `adam`. */
  optimizer?: OptimizerName
  /**
   * How the rates of groups stand to each other, e.g. `{ trunk: 0.01, head: 1 }`; the suggestion is then for 1. Default all
   * alike.
   */
  groups?: LearningRate
}

/** How the loss goes while the learning rate grows: {@link findLearningRate} measures it. It shows itself as a plot. */
export class RateTest {
  /** The rate of each step, and the loss of its batch before the step. */
  readonly rates: number[]
  readonly losses: number[]
  /** The losses, smoothed. */
  readonly smoothed: number[]
  /** The rate at which the loss falls fastest. */
  readonly suggestion: number

  constructor(rates: number[], losses: number[]) {
    this.rates = rates
    this.losses = losses
    this.smoothed = smooth(losses)
    this.suggestion = steepest(rates, this.smoothed)
  }

  async [displaySymbol](): Promise<MimeBundle> {
    const { Plot } = await import('../plot.ts')
    const points = this.rates.map((rate, i) => ({ rate, loss: this.losses[i], smoothed: this.smoothed[i] }))
    const top = Math.min(Math.max(...this.losses), 3 * Math.max(...this.smoothed.slice(0, Math.ceil(points.length / 2))))
    const plot = Plot.plot({
      width: 720, height: 320, grid: true, ariaLabel: inspect(this), marginLeft: 44,
      title: `Learning rate ${short(this.suggestion)} is suggested`,
      subtitle: `There the loss falls fastest. ${this.rates.length} steps; dots: each batch, line: smoothed`,
      x: {
        type: 'log', label: 'learning rate', ticks: 7,
        tickFormat: (rate: number) => Number.isInteger(Math.log10(rate)) ? inLetters(rate) : '',
      },
      y: { label: 'loss', domain: [0, top], clamp: true },
      marks: [
        Plot.dot(points, { x: 'rate', y: 'loss', r: 1.5, fill: '#8b949e' }),
        Plot.lineY(points, { x: 'rate', y: 'smoothed', stroke: '#0072b2', strokeWidth: 2 }),
        Plot.ruleX([this.suggestion], { stroke: '#d55e00', strokeDasharray: '5 3' }),
        Plot.text([{ rate: this.suggestion }],
          { x: 'rate', frameAnchor: 'top', text: () => short(this.suggestion), dx: 26, fill: '#b34700' }),
      ],
    })
    return (plot as unknown as Record<typeof displaySymbol, () => MimeBundle>)[displaySymbol]()
  }

  [inspect.custom](): string {
    return `Learning rate test: ${short(this.suggestion)} is suggested, where the loss falls fastest; ${this.rates.length} ` +
      `steps from ${short(this.rates[0])} to ${short(this.rates.at(-1)!)}`
  }
}

const short = (rate: number) => rate.toExponential(1).replace('.0', '')

/**
 * Finds a learning rate: some steps with a rate that grows from tiny to huge, while the loss is watched (Smith, "Cyclical
 * learning rates", 2015; the test of fastai's `lr_find`). The model's weights are afterwards what they were.
 *
 * The loss at first stays, then falls, then explodes, where the test ends. {@link RateTest.suggestion} is the rate where it falls
 * fastest. An interrupt ends the test with what it has.
 *
 * @throws GraftError for what `train` refuses, and where the loss is never a number
 * @example
 * const test = await train.findLearningRate(model, digits)
 * await train(model, digits, { learningRate: test.suggestion })
 */
export async function findLearningRate(model: LayersModel, data: TrainingData, options: RateTestOptions = {}): Promise<RateTest> {
  checkOptions<RateTestOptions>('train.findLearningRate', options, {
    from: 'positive', to: 'positive', steps: 'count', batch: 'count', optimizer: ['adam', 'adamw', 'sgd', 'momentum', 'rmsprop'],
    groups: null, loss: null, classWeights: null, labelSmoothing: 'part', seed: 'number',
  })
  const { train } = partsOf(data), { from = 1e-6, to = 10, steps = 100, seed = 1 } = options
  if (!(to > from)) throw new GraftError(`from must be below to; received from: ${from}, to: ${to}.`)
  checkFit(model, train)
  if (!model.trainableWeights.length) {
    throw new GraftError("nothing to train: every layer is frozen. unfreeze(model, 'last 5') lets some learn.")
  }
  const batch = Math.min(options.batch ?? ('batch' in data ? data.batch : 32), train.length)
  const { goal } = goalsOf(model, train, { ...options, metrics: [] })
  const optimizer = optimizerFrom(options.optimizer, ratesOf(model, options.groups ?? 1)) as GroupedOptimizer
  const { signal } = host(), bar = progressBar({ label: 'Trying learning rates', total: steps })
  return alone(model, async () => {
    const before = await snapshot(openLayers(model))
    const { prefix, release } = borrowPrefix(model), feeder = new Feeder(model, prefix)
    const rates: number[] = [], losses: number[] = [], order = batches(train.length, batch, seed)
    try {
      for (let step = 0; step < steps && !signal.aborted; step++) {
        const indices = order(), inputs = await feeder.inputs(train, indices, () => signal.aborted)
        if (!inputs.length) break
        const truth = truthOf(train, indices, model.outputs[0].shape[1]!)
        optimizer.factor = from * (to / from) ** (step / (steps - 1 || 1))
        const [loss] = await trainStep(feeder, goal, optimizer, inputs, truth, seedFrom(seed, 'rate', step), () => signal.aborted)
        tf.dispose([inputs, truth])
        if (!Number.isFinite(loss)) break
        rates.push(optimizer.factor)
        losses.push(loss)
        bar.tick()
        const now = smooth(losses)
        if (step > 10 && now.at(-1)! > 4 * Math.min(...now)) break
        await turn()
      }
    } finally {
      forgetFunctions(feeder)
      restore(before)
      optimizer.dispose()
      await release()
      bar.total(losses.length)
      bar.done(losses.length < steps ? 'enough: the loss grows' : undefined)
    }
    if (!losses.length) signal.throwIfAborted()
    if (!losses.length) throw new GraftError('the loss is not a number from the first step on. Check the pixel range and ' +
      'the labels.')
    return new RateTest(rates, losses)
  })
}

/** Batches without an end: shuffled anew after each round; what does not fill a batch waits for the next round. */
function batches(count: number, batch: number, seed: number): () => number[] {
  let queue: number[] = [], round = 0
  return () => {
    if (queue.length < batch) queue = shuffled(Array.from({ length: count }, (_, i) => i), randomFrom(seed, 'order', round++))
    return queue.splice(0, batch)
  }
}

/** An exponential mean without the bias of its beginning, as fastai's. */
function smooth(values: number[], keep = 0.9): number[] {
  let mean = 0
  return values.map((value, i) => (mean = keep * mean + (1 - keep) * value) / (1 - keep ** (i + 1)))
}

/** Where a curve over the logarithm of the rate falls fastest, up to its lowest point. */
function steepest(rates: number[], losses: number[]): number {
  const end = losses.indexOf(Math.min(...losses))
  let best = Math.floor(end / 2), least = Infinity
  for (let i = 1; i < end; i++) {
    const slope = (losses[i + 1] - losses[i - 1]) / Math.log(rates[i + 1] / rates[i - 1])
    if (slope < least) [least, best] = [slope, i]
  }
  return rates[best]
}
