import type { LayersModel, Optimizer } from '@tensorflow/tfjs'
import { cardOf, setCard } from '../card.ts'
import type { ImageSet } from '../data/set.ts'
import { GraftError } from '../error.ts'
import { host } from '../host.ts'
import { checkOptions } from '../options.ts'
import type { EarlyStopping } from './best.ts'
import { checkFit, checkInput, partsOf, type TrainingData } from './checks.ts'
import { loop, type Control } from './loop.ts'
import type { LossWish, MetricWish } from './objective.ts'
import type { OptimizerName } from './optimizers.ts'
import type { LearningRate } from './rates.ts'
import type { Run } from './run.ts'
import type { Schedule } from './schedules.ts'

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
   * early stopping `best`.
   */
  keep?: 'best' | 'last'
  /** What an image counts in the loss, by class; `balanced` gives each class the same total. Default 1 each. */
  classWeights?: 'balanced' | Record<string, number>
  /** How much of the certainty to spread over the other classes, e.g. `0.1`. Default 0. */
  labelSmoothing?: number
  /** A file to which the model is saved after each epoch that is the best so far, e.g. `best.h5`. Default none. */
  checkpoint?: string
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
 * Trains a model on images, with a live plot. What is frozen runs once per image, and the features are kept for the next epochs
 * and runs. The model is compiled if need be. Other cells run meanwhile where the training is not awaited.
 *
 * The same seed, data and first weights give the same history, bit for bit on the WASM engine. A loss that is not a number ends
 * the run and brings back the weights of the last good epoch.
 *
 * @param data What `data.images(…)` gives: its `train` part is learned, its `validation` part measured after each epoch.
 * @returns The finished {@link Run}; the promise has a `stop()`.
 * @throws GraftError before any work: nothing to train, no images, another size, pixel range or number of classes than the
 *   model's
 * @example
 * const run = await train(model, digits, { epochs: 10 })
 * run.history.valAccuracy
 * @example
 * const training = train(model, digits, { epochs: 100 })   // not awaited: other cells run
 * training.stop()
 */
export function train(model: LayersModel, data: TrainingData, options: TrainOptions = {}): Training {
  const signal = host().signal
  const control: Control = { reason: null }
  const interrupt = () => { control.reason ??= 'interrupted' }
  signal.addEventListener('abort', interrupt, { once: true })
  const running = work(model, data, options, control).finally(() => signal.removeEventListener('abort', interrupt))
  return Object.assign(running, { stop() { control.reason ??= 'stopped' } })
}

async function work(model: LayersModel, data: TrainingData, options: TrainOptions, control: Control): Promise<Run> {
  checkOptions<TrainOptions>('train', options, {
    epochs: 'count', batch: 'count', learningRate: null, optimizer: null, loss: null, metrics: 'list', seed: 'number',
    schedule: null, warmup: 'not negative', frozenEpochs: null, earlyStopping: null, keep: ['best', 'last'], classWeights: null,
    labelSmoothing: 'part', checkpoint: 'text', shuffle: 'flag', show: 'flag',
  })
  const parts = partsOf(data)
  const { epochs = 10, batch = 'batch' in data ? data.batch : 32, seed = 1 } = options
  checkFit(model, parts.train)
  if (parts.validation) checkInput(model, parts.validation)
  if (!model.trainableWeights.length) {
    throw new GraftError(`nothing to train: every layer is frozen. unfreeze(model, 'last 5') lets some learn.`)
  }
  if (busy.has(model)) throw new GraftError('this model is being trained already. Await that run, or end it by its stop().')
  busy.add(model)
  learnNames(model, parts.train)
  const { loss } = model
  try {
    return await loop(model, parts, { ...options, epochs, batch, seed }, control)
  } catch (error) {
    // The next run shall not take the loss of one that failed, perhaps because of it.
    model.loss = loss
    throw error
  } finally {
    busy.delete(model)
  }
}

/** A model that does not know the names of its classes, such as one made by `tf.model`, has them from what it learns. */
function learnNames(model: LayersModel, { classes, size, range }: ImageSet): void {
  const card = cardOf(model)
  if (!card?.classes) setCard(model, { size, range, trunk: [], ...card, classes: [...classes] })
}
