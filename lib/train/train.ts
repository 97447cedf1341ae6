import type { LayersModel, Optimizer } from '@tensorflow/tfjs'
import { cardOf, setCard } from '../card.ts'
import type { ImageSet } from '../data/set.ts'
import { GraftError } from '../error.ts'
import { host } from '../host.ts'
import { checkOptions, type Kind } from '../options.ts'
import type { Settled } from './begin.ts'
import type { EarlyStopping } from './best.ts'
import { alone } from './busy.ts'
import { checkFit, checkInput, partsOf, type TrainingData } from './checks.ts'
import { Control } from './control.ts'
import { findLearningRate } from './find-rate.ts'
import { noteLive, type Training } from './live.ts'
import { loop, type Resumption } from './loop.ts'
import type { LossWish, MetricWish } from './objective.ts'
import type { OptimizerChoice, OptimizerName } from './optimizers.ts'
import type { LearningRate } from './rates.ts'
import { prepareResumption, type ResumeOptions } from './resume.ts'
import type { Run } from './run.ts'
import type { Schedule } from './schedules.ts'
import { sweep } from './sweep.ts'
import type { OldTask } from './watched.ts'

export interface TrainOptions {
  /** How often to go through the training images. Default 10. */
  epochs?: number
  /** Images per step. Default: the data's, 32. */
  batch?: number
  /** One rate, or one per group: `{ trunk: 1e-5, head: 1e-3 }`. Default 1e-3. */
  learningRate?: LearningRate
  /**
   * Default `adam`. Or one with settings, `{ name: 'adamw', weightDecay: 0.01, clipNorm: 1, accumulate: 4, emaMomentum: 0.99 }`;
   * or a TensorFlow.js optimizer, which brings its own learning rate.
   */
  optimizer?: OptimizerName | OptimizerChoice | Optimizer
  /** Default: cross-entropy, as the model's output asks for. */
  loss?: LossWish
  /** Of `accuracy`, `top3`, `top5`, `precision`, `recall`, `f1`, `auc`, the losses, and functions. Default `['accuracy']`. */
  metrics?: MetricWish[]
  /** Another seed gives another order of images and other dropout. Default 1. */
  seed?: number
  /** How the learning rate goes over the run. Default `constant`. */
  schedule?: Schedule
  /** Epochs (or a part of one) in which the learning rate grows from 0 to what was asked. Default 0. */
  warmup?: number
  /** Gradual unfreezing: epochs in which the head alone learns, before what is open of the trunk learns too. Default 0. */
  frozenEpochs?: number
  /** Ends the run after so many epochs without a better validation loss, and brings the best weights back. Default never. */
  earlyStopping?: number | EarlyStopping
  /**
   * Which weights the model has at the end, also after a stop: those of its `best` epoch or the `last`. Default `last`, with
   * early stopping `best`. Whichever it is, `runs.restore(model, run, 'best')` brings the best ones.
   */
  keep?: 'best' | 'last'
  /** What an image counts in the loss, by class; `balanced` gives each class the same total. Default 1 each. */
  classWeights?: 'balanced' | Record<string, number>
  /** How much of the certainty to spread over the other classes, e.g. `0.1`. Default 0. */
  labelSmoothing?: number
  /**
   * Older tasks to keep an eye on, by name: `{ letters: { model: oldModel, data: letters.test } }`. Each one's accuracy is
   * measured before the first and after each epoch, and a fall by more than 10 points is told. Default none.
   */
  watch?: Record<string, OldTask>
  /** A file to which the model is saved after each epoch that is the best so far, e.g. `best.h5`. Default none. */
  checkpoint?: string
  /** Whether each epoch takes the images in another order. Default true. */
  shuffle?: boolean
  /**
   * Whether the run is kept on disk, epoch by epoch, so that `train.resume` can go on with it. With `false` it is not among `runs`
   * either, and found by its id alone while the session lasts. Default true.
   */
  log?: boolean
  /** What the run is called in plots and lists, e.g. `'with dropout'`. Default: its id. */
  title?: string
  /** Whether to show a plot and progress; `'bar'` shows bars of epochs and steps alone. Default true. */
  show?: boolean | 'bar'
}

/** What {@link checkOptions} asks of the options. */
export const optionKinds: { [name in keyof Required<TrainOptions>]: Kind } = {
  epochs: 'count', batch: 'count', learningRate: null, optimizer: null, loss: null, metrics: 'list', seed: 'number',
  schedule: null, warmup: 'not negative', frozenEpochs: null, earlyStopping: null, keep: ['best', 'last'], classWeights: null,
  labelSmoothing: 'part', watch: null, checkpoint: 'text', shuffle: 'flag', log: 'flag', title: 'text', show: [true, false, 'bar'],
}

/**
 * Trains a model on images, with a live plot. What is frozen runs once per image, and the features are kept for the next epochs
 * and runs. The model is compiled if need be. Other cells run meanwhile where the training is not awaited, and can stop it, pause
 * it or change its learning rate.
 *
 * The same seed, data and first weights give the same history, bit for bit on the WASM engine. A loss that is not a number ends
 * the run and brings back the weights of the last good epoch. After each epoch the run is on disk, with its weights and the
 * optimizer's state: `runs` lists what there is, `train.resume(id)` goes on with a run that was cut off, in any process.
 *
 * @param data What `data.images(…)` gives: its `train` part is learned, its `validation` part measured after each epoch.
 * @returns The finished {@link Run}; the promise is a {@link Training}, with `stop()`, `pause()`, `run` and `learningRate`.
 * @throws GraftError before any work: nothing to train, no images, another size, pixel range or number of classes than the
 *   model's
 * @example
 * const run = await train(model, digits, { epochs: 10 })
 * run.history.valAccuracy
 * @example
 * const training = train(model, digits, { epochs: 100 })   // not awaited: other cells run
 * training.learningRate = 1e-4
 * training.stop()
 */
function trainModel(model: LayersModel, data: TrainingData, options: TrainOptions = {}): Training {
  return start(control => {
    checkOptions<TrainOptions>('train', options, optionKinds)
    return work(model, data, options, control)
  })
}

/**
 * Goes on with a run after its last whole epoch, with the same images in the same order: the losses are those that the run would
 * have had, bit for bit on the WASM engine. It keeps its id, and its history grows.
 *
 * In a new process the model comes from the run log, the images from where they came from; give `model` or `data` where that
 * cannot be (a model that Keras does not know, images that were tensors), and options that were functions. Other options stay as
 * they were; more `epochs` lead further.
 *
 * @param what A run or its id; {@link runs} lists them.
 * @throws GraftError for an unknown id, a run that is still under way or has no epoch left, other images or another frozen trunk
 *   than it had
 * @example
 * const run = await train(model, digits, { epochs: 3 })
 * await train.resume(run, { epochs: 5 })
 * @example
 * await train.resume(runs.last().id, { epochs: 8 })   // also in another session, days later
 */
function resume(what: Run | string, options: ResumeOptions = {}): Training {
  return start(async control => {
    checkOptions<ResumeOptions>('train.resume', options, { ...optionKinds, model: null, data: null })
    const { model, data, settings, from } = await prepareResumption(what, options)
    return work(model, data, settings, control, from)
  })
}

export const train = Object.assign(trainModel, { resume, findLearningRate, sweep })

/** Begins a training that this cell's interrupt ends. */
function start(begin: (control: Control) => Promise<Run>): Training {
  const { signal } = host(), control = new Control()
  const interrupt = () => control.end('interrupted')
  signal.addEventListener('abort', interrupt, { once: true })
  const running = (async () => begin(control))().finally(() => signal.removeEventListener('abort', interrupt))
  return Object.assign(Object.defineProperties(running, {
    run: { get: () => control.begun(), enumerable: true },
    paused: { get: () => control.paused, enumerable: true },
    learningRate: {
      get: () => control.begun().learningRate,
      set: (rate: LearningRate) => { control.begun(); control.changeRate!(rate) },
      enumerable: true,
    },
  }), { stop: () => control.end('stopped'), pause: () => control.pause(), resume: () => control.go() }) as Training
}

async function work(
  model: LayersModel, data: TrainingData, options: TrainOptions, control: Control, from?: Resumption,
): Promise<Run> {
  const parts = partsOf(data)
  const { epochs = 10, batch = 'batch' in data ? data.batch : 32, seed = 1 } = options
  checkFit(model, parts.train)
  if (parts.validation) checkInput(model, parts.validation)
  if (!model.trainableWeights.length) {
    throw new GraftError(`nothing to train: every layer is frozen. unfreeze(model, 'last 5') lets some learn.`)
  }
  return alone(model, async () => {
    learnNames(model, parts.train)
    const { loss } = model, settled: Settled = { ...options, epochs, batch, seed }
    try {
      const running = loop(model, parts, { ...settled, data }, control, from)
      if (control.run) noteLive(control.run, { model, data, options: settled, control })
      return await running
    } catch (error) {
      // The next run shall not take the loss of one that failed, perhaps because of it.
      model.loss = loss
      if (control.run) Object.assign(control.run, { finished: true, stopped: 'lost' })
      throw error
    }
  })
}

/** A model that does not know the names of its classes, such as one made by `tf.model`, has them from what it learns. */
function learnNames(model: LayersModel, { classes, size, range }: ImageSet): void {
  const card = cardOf(model)
  if (!card?.classes) setCard(model, { size, range, trunk: [], ...card, classes: [...classes] })
}
