import type { LayersModel, Optimizer } from '@tensorflow/tfjs'
import type { ImageSet } from '../data/set.ts'
import { GraftError, inWords } from '../error.ts'
import { checkNumber } from './checks.ts'
import { objectiveOf, weighted, type Goal, type LossWish } from './objective.ts'
import { GroupedOptimizer, optimizerFrom } from './optimizers.ts'
import { ratesOf, type LearningRate } from './rates.ts'
import type { Objective } from './step.ts'
import type { TrainOptions } from './train.ts'

/** What a run trains with. */
export interface Prepared {
  goal: Goal
  /** What is measured on the validation set: without class weights, as in Keras. */
  judged: Objective
  optimizer: Optimizer
  learningRate: LearningRate
}

/** Objective and optimizer, and the model compiled with them, so that `model.evaluate` and `model.fit` work afterwards. */
export function prepare(model: LayersModel, set: ImageSet, options: TrainOptions): Prepared {
  const { plain, goal, judged } = goalsOf(model, set, options)
  const before = model.optimizer as Optimizer | undefined
  const keep = before && options.optimizer === undefined && options.learningRate === undefined
  const learningRate = options.learningRate ?? (before as { learningRate?: LearningRate } | undefined)?.learningRate ?? 1e-3
  const optimizer = keep ? before : optimizerFrom(options.optimizer, ratesOf(model, learningRate))
  if (optimizer instanceof GroupedOptimizer) {
    optimizer.learningRate = learningRate
    optimizer.rateOf = ratesOf(model, learningRate)
    optimizer.factor = 1
  } else if (options.schedule !== undefined || options.warmup !== undefined) {
    throw new GraftError(`a schedule needs an optimizer of the library's own: optimizer: 'adam'; received ` +
      `${optimizer.getClassName()}.`)
  }
  if (before instanceof GroupedOptimizer && before !== optimizer) before.dispose()
  compile(model, optimizer, options.loss ?? lossOf(model) ?? plain.name, plain)
  return { goal, judged, optimizer, learningRate }
}

/** What is aimed at: plainly, with weights and softened labels in learning, with softened labels in judging, as in Keras. */
export function goalsOf(
  model: LayersModel, set: ImageSet, options: Pick<TrainOptions, 'loss' | 'metrics' | 'classWeights' | 'labelSmoothing'>,
) {
  const plain = objectiveOf(model, options.loss ?? lossOf(model), options.metrics)
  const weights = weightsOf(set, options.classWeights), soft = smoothing(options)
  const judged = { ...plain, loss: weighted(plain.loss, null, soft) }
  return { plain, weights, goal: { ...plain, loss: weighted(plain.loss, weights, soft) }, judged }
}

/** Compiles the model; also after layers were frozen or opened, for TensorFlow.js keeps a list of what it trains. */
export function compile(model: LayersModel, optimizer: Optimizer, loss: LossWish, goal: Goal): void {
  const metrics = Object.entries(goal.plain).map(([name, metric]) => name === 'accuracy' ? name : metric)
  model.compile({ optimizer, loss: loss as string, metrics: metrics as string[] })
}

/** Gives an optimizer another learning rate, for its next step. @throws GraftError for what is none */
export function setRate(model: LayersModel, optimizer: Optimizer, rate: LearningRate): void {
  const rateOf = ratesOf(model, rate)
  if (optimizer instanceof GroupedOptimizer) {
    optimizer.learningRate = rate
    optimizer.rateOf = rateOf
    return
  }
  if (typeof rate !== 'number') {
    throw new GraftError(`rates by group need an optimizer of the library's own: optimizer: 'adam'; received ` +
      `${optimizer.getClassName()}.`)
  }
  const own = optimizer as unknown as { setLearningRate?(rate: number): void, learningRate: number }
  if (own.setLearningRate) own.setLearningRate(rate)
  else own.learningRate = rate
}

/** The loss that the user compiled the model with, if it is one for a single output. */
const lossOf = (model: LayersModel): LossWish | undefined =>
  typeof model.loss === 'string' || typeof model.loss === 'function' ? model.loss as LossWish : undefined

function smoothing({ labelSmoothing = 0 }: TrainOptions): number {
  if (labelSmoothing >= 0 && labelSmoothing < 1) return labelSmoothing
  throw new GraftError(`labelSmoothing must be a part from 0 to below 1, e.g. 0.1; received ${labelSmoothing}.`)
}

/** A weight per class; `balanced` gives each class the same total. */
function weightsOf(set: ImageSet, wish: TrainOptions['classWeights']): number[] | null {
  if (wish === undefined) return null
  if (wish === 'balanced') return set.counts.map(count => count ? set.length / (set.counts.filter(Boolean).length * count) : 0)
  if (typeof wish !== 'object' || wish === null || Array.isArray(wish)) {
    throw new GraftError(`classWeights must be 'balanced' or { class: weight }; received ${inWords(wish)}.`)
  }
  for (const name of Object.keys(wish)) {
    if (!set.classes.includes(name)) {
      throw new GraftError(`classWeights: '${name}' is no class. Expected some of ${set.classes.join(', ')}.`)
    }
    checkNumber(`classWeights.${name}`, wish[name], 'positive')
  }
  return set.classes.map(name => wish[name] ?? 1)
}
