import { randomBytes } from 'node:crypto'
import type { LayersModel, Optimizer } from '@tensorflow/tfjs'
import { randomFrom, seedFrom, shuffled } from '../data/random.ts'
import type { ImageSet } from '../data/set.ts'
import { engine } from '../engine/index.ts'
import { GraftError } from '../error.ts'
import { host } from '../host.ts'
import { tf } from '../tf.ts'
import { checkFit, checkInput, checkNumber, partsOf, type TrainingData } from './checks.ts'
import { Feeder, turn } from './features.ts'
import { objectiveOf, truthOf, type LossWish, type MetricWish } from './objective.ts'
import { GroupedOptimizer, optimizerFrom, type OptimizerName } from './optimizers.ts'
import { borrowPrefix } from './prefixes.ts'
import { fingerprint } from './proof.ts'
import { ratesOf, type LearningRate } from './rates.ts'
import { Reporter } from './report.ts'
import { Run, type StopReason } from './run.ts'
import { isSound, restore, snapshot } from './snapshot.ts'
import { testStep, trainStep, type Measured, type Objective } from './step.ts'

export interface TrainOptions {
  /** How often to go through the training images. Default 10. */
  epochs?: number
  /** Images per step. Default: the data's, 32. */
  batch?: number
  /** One rate, or one per group: `{ trunk: 1e-5, head: 1e-3 }`. Default 1e-3. */
  learningRate?: LearningRate
  /** Default `adam`. Or a TensorFlow.js optimizer, which brings its own learning rate. */
  optimizer?: OptimizerName | Optimizer
  /** Default: cross-entropy, as the model's output asks for. */
  loss?: LossWish
  /** Default `['accuracy']`. */
  metrics?: MetricWish[]
  /** Another seed gives another order of images and other dropout. Default 1. */
  seed?: number
  /** Whether each epoch takes the images in another order. Default true. */
  shuffle?: boolean
  /** Whether to show a plot and progress. Default true. */
  show?: boolean
}

/** A run under way: await it for its result, or stop it. */
export interface Training extends Promise<Run> {
  /** Ends the run after the step it is in. What was learned and measured so far is kept. */
  stop(): void
}

const busy = new WeakSet<LayersModel>()

/**
 * Trains a model on images, with a live plot. What is frozen runs once per image, and the features are kept for the next epochs and runs. The
 * model is compiled if need be. Other cells run meanwhile where the training is not awaited.
 *
 * The same seed, data and first weights give the same history, bit for bit on the WASM engine. A loss that is not a number ends the run and
 * brings back the weights of the last good epoch.
 *
 * @param data What `data.images(…)` gives: its `train` part is learned, its `validation` part measured after each epoch.
 * @returns The finished {@link Run}; the promise has a `stop()`.
 * @throws GraftError before any work: nothing to train, no images, another size, pixel range or number of classes than the model's
 * @example
 * const run = await train(model, digits, { epochs: 10 })
 * run.history.valAccuracy
 * @example
 * const training = train(model, digits, { epochs: 100 })   // not awaited: other cells run
 * training.stop()
 */
export function train(model: LayersModel, data: TrainingData, options: TrainOptions = {}): Training {
  const signal = host().signal
  const control: { reason: StopReason | null } = { reason: null }
  const interrupt = () => { control.reason ??= 'interrupted' }
  signal.addEventListener('abort', interrupt, { once: true })
  const running = work(model, data, options, control).finally(() => signal.removeEventListener('abort', interrupt))
  return Object.assign(running, { stop() { control.reason ??= 'stopped' } })
}

async function work(model: LayersModel, data: TrainingData, options: TrainOptions, control: { reason: StopReason | null }): Promise<Run> {
  const parts = partsOf(data)
  const { epochs = 10, batch = 'batch' in data ? data.batch : 32, seed = 1 } = options
  checkNumber('epochs', epochs, 'count')
  checkNumber('batch', batch, 'count')
  checkFit(model, parts.train)
  if (parts.validation) checkInput(model, parts.validation)
  if (!model.trainableWeights.length) throw new GraftError(`nothing to train: every layer is frozen. unfreeze(model, 'last 5') lets some learn.`)
  if (busy.has(model)) throw new GraftError('this model is being trained already. Await that run, or end it by its stop().')
  busy.add(model)
  try {
    return await epochsOf(model, parts, { epochs, batch, seed, ...options }, control)
  } finally {
    busy.delete(model)
  }
}

type Settled = TrainOptions & { epochs: number, batch: number, seed: number }

async function epochsOf(model: LayersModel, { train, validation }: { train: ImageSet, validation: ImageSet | null }, options: Settled,
  control: { reason: StopReason | null }): Promise<Run> {
  const { objective, optimizer, learningRate } = prepare(model, options)
  const before = await fingerprint(model)
  const { prefix, release } = borrowPrefix(model)
  const feeder = new Feeder(model, prefix)
  const count = (weights: LayersModel['weights']) => weights.reduce((n, weight) => n + weight.read().size, 0)
  const run = new Run(randomBytes(4).toString('hex'), {
    epochs: options.epochs, batch: options.batch, seed: options.seed, learningRate, loss: objective.name,
    optimizer: optimizer instanceof GroupedOptimizer ? optimizer.kind : optimizer.getClassName(), engine: [engine().name, prefix?.engine].filter(Boolean).join(' + '),
    images: { train: train.length, validation: validation?.length ?? 0 },
    weights: { trainable: count(model.trainableWeights), total: count(model.weights) },
  })
  const reporter = new Reporter(run, options.show ?? true, feeder.unseen(train) + (validation ? feeder.unseen(validation) : 0))
  feeder.onForward = count => reporter.forward(count)
  const started = performance.now(), stopped = () => control.reason !== null
  const tick = () => { run.seconds = (performance.now() - started) / 1000; run.trunkForwards = feeder.forwards }
  let good = await snapshot(model)
  try {
    for (let epoch = 0; epoch < options.epochs && !stopped(); epoch++) {
      run.batchLosses = []
      const all = Array.from(train.labels.keys())
      const order = options.shuffle === false ? all : shuffled(all, randomFrom(options.seed, 'order', epoch))
      const mean = new Means()
      for (let at = 0; at < order.length && !stopped(); at += options.batch) {
        const indices = order.slice(at, at + options.batch)
        const measured = await withBatch(feeder, train, indices, stopped, (inputs, truth) =>
          trainStep(feeder, objective, optimizer, inputs, truth, seedFrom(options.seed, 'step', epoch, at)))
        if (!measured) break
        mean.add(measured, indices.length)
        run.batchLosses.push(measured[0])
        if (!Number.isFinite(measured[0])) control.reason = 'not a number'
        tick()
        reporter.draw()
        await turn()
      }
      const learned = await snapshot(model)
      if (!isSound(learned)) control.reason ??= 'not a number'
      if (stopped()) break
      const tested = validation ? await measure(feeder, objective, validation, options.batch, stopped) : null
      if (stopped()) break
      const names = ['loss', ...Object.keys(objective.metrics)]
      names.forEach((name, i) => {
        (run.history[name] ??= []).push(mean.values[i])
        if (tested) (run.history[`val${name[0].toUpperCase()}${name.slice(1)}`] ??= []).push(tested[i])
      })
      good = learned
      tick()
      reporter.epoch()
    }
    run.stopped = control.reason
    if (run.stopped === 'not a number') {
      restore(good)
      run.notes.push(`The loss is not a number in epoch ${run.history.loss.length + 1}: the weights of the last good epoch are back. ` +
        `Try a lower learning rate than ${JSON.stringify(learningRate)}, and check the pixel range.`)
    }
    const after = await fingerprint(model)
    run.frozen = { ...before, unchanged: after.hash === before.hash }
  } finally {
    await release()
    run.finished = true
    tick()
    reporter.end()
  }
  return run
}

/** Objective and optimizer, and the model compiled with them, so that `model.evaluate` and `model.fit` work afterwards. */
function prepare(model: LayersModel, options: TrainOptions) {
  const objective = objectiveOf(model, options.loss ?? lossOf(model), options.metrics)
  const own = model.optimizer as Optimizer | undefined
  const keep = own && options.optimizer === undefined && options.learningRate === undefined
  const learningRate = options.learningRate ?? (own as { learningRate?: number } | undefined)?.learningRate ?? 1e-3
  const rateOf = ratesOf(model, options.learningRate ?? 1e-3)
  const optimizer = keep ? own : optimizerFrom(options.optimizer, rateOf)
  if (own instanceof GroupedOptimizer && own !== optimizer) own.dispose()
  const loss = options.loss ?? lossOf(model) ?? objective.name
  model.compile({ optimizer, loss: loss as string, metrics: Object.entries(objective.metrics).map(([name, metric]) =>
    name === 'accuracy' ? name : metric) as string[] })
  return { objective, optimizer, learningRate }
}

/** The loss that the user compiled the model with, if it is one for a single output. */
const lossOf = (model: LayersModel): LossWish | undefined =>
  typeof model.loss === 'string' || typeof model.loss === 'function' ? model.loss as LossWish : undefined

/** Hands a batch to a step and disposes it; `undefined` where the run was stopped before all its features were there. */
async function withBatch(feeder: Feeder, set: ImageSet, indices: number[], stopped: () => boolean,
  step: (inputs: tf.Tensor[], truth: tf.Tensor) => Promise<Measured>): Promise<Measured | undefined> {
  const inputs = await feeder.inputs(set, indices, stopped)
  if (!inputs.length) return undefined
  const truth = truthOf(indices.map(i => set.labels[i]), feeder.whole.outputs[0].shape[1]!)
  try {
    return await step(inputs, truth)
  } finally {
    tf.dispose([inputs, truth])
  }
}

/** The objective's measures over a whole set. */
async function measure(feeder: Feeder, objective: Objective, set: ImageSet, batch: number, stopped: () => boolean): Promise<Measured> {
  const mean = new Means()
  for (let at = 0; at < set.length && !stopped(); at += batch) {
    const indices = Array.from({ length: Math.min(batch, set.length - at) }, (_, i) => at + i)
    const measured = await withBatch(feeder, set, indices, stopped, (inputs, truth) => testStep(feeder, objective, inputs, truth))
    if (measured) mean.add(measured, indices.length)
    await turn()
  }
  return mean.values
}

/** Means over images, from means over batches. */
class Means {
  #sums: number[] = []
  #count = 0

  add(values: Measured, count: number): void {
    values.forEach((value, i) => { this.#sums[i] = (this.#sums[i] ?? 0) + value * count })
    this.#count += count
  }

  get values(): number[] {
    return this.#sums.map(sum => sum / this.#count)
  }
}
