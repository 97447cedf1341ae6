import type { LayersModel, Tensor } from '@tensorflow/tfjs'
import { outputActivation } from '../customize/layers.ts'
import { didYouMean, GraftError, inWords } from '../error.ts'
import { tf } from '../tf.ts'
import type { Measure, Objective } from './step.ts'

/** A loss by TensorFlow.js's or Keras's name, or a function of the truth and the prediction that gives a value per image. */
export type LossWish = string | Measure
/** A metric by name, or a function named as it shall appear in the history. */
export type MetricWish = string | Measure

const losses: Record<string, Measure> = {
  categoricalCrossentropy: (truth, prediction) => tf.metrics.categoricalCrossentropy(truth, prediction),
  binaryCrossentropy: (truth, prediction) => tf.metrics.binaryCrossentropy(truth, prediction),
  meanSquaredError: (truth, prediction) => tf.metrics.meanSquaredError(truth, prediction),
  meanAbsoluteError: (truth, prediction) => tf.metrics.meanAbsoluteError(truth, prediction),
}

const topK = (k: number): Measure => (truth, prediction) => {
  const label = truth.argMax(-1).expandDims(-1)
  return tf.topk(prediction, Math.min(k, prediction.shape.at(-1)!)).indices.equal(label).any(-1).toFloat()
}

const metrics: Record<string, Measure> = {
  ...losses,
  // One sigmoid output: above one half is the second class.
  accuracy: (truth, prediction) => prediction.shape.at(-1) === 1
    ? truth.greater(0.5).equal(prediction.greater(0.5)).mean(-1) : truth.argMax(-1).equal(prediction.argMax(-1)).toFloat(),
  binaryAccuracy: (truth, prediction) => truth.greater(0.5).equal(prediction.greater(0.5)).toFloat().mean(-1),
  top3: topK(3),
  top5: topK(5),
}

/** `categorical_crossentropy` → `categoricalCrossentropy` */
const camel = (name: string) => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())

/**
 * What the model is trained for: the given loss and metrics, or those that fit its output: cross-entropy over classes
 * (`softmax`), one yes or no per output (`sigmoid`).
 */
export function objectiveOf(model: LayersModel, loss?: LossWish,
  wishes: MetricWish[] = ['accuracy']): Objective & { name: string } {
  const activation = outputActivation(model)
  const usual = activation === 'sigmoid' ? 'binaryCrossentropy' : 'categoricalCrossentropy'
  const named = (wish: MetricWish): [string, Measure] => {
    if (typeof wish === 'function') return [wish.name || 'metric', giving('metric', wish)]
    if (typeof wish !== 'string') throw unknown('metric', metrics, wish)
    const name = wish === 'acc' ? 'accuracy' : camel(wish)
    if (name === 'accuracy' && activation === 'sigmoid') return [name, metrics.binaryAccuracy]
    return [name, find('metric', metrics, name)]
  }
  const wish = loss ?? usual
  if (typeof wish !== 'string' && typeof wish !== 'function') throw unknown('loss', losses, wish)
  return {
    name: typeof wish === 'string' ? camel(wish) : wish.name || 'loss',
    loss: typeof wish === 'string' ? find('loss', losses, camel(wish)) : giving('loss', wish),
    metrics: Object.fromEntries(wishes.map(named)),
  }
}

function find(what: string, table: Record<string, Measure>, name: string): Measure {
  if (Object.hasOwn(table, name)) return table[name]
  throw unknown(what, table, name)
}

function unknown(what: string, table: Record<string, Measure>, wish: unknown): GraftError {
  const known = Object.keys(table)
  return new GraftError(`unknown ${what}: ${inWords(wish)}.${didYouMean(String(wish), known)} Expected ${known.join(', ')}, ` +
    'or a function (truth, prediction) => a value per image.')
}

/** A function of the user's own, which must give a tensor. */
const giving = (what: string, measure: Measure): Measure => (truth, prediction) => {
  const value: unknown = measure(truth, prediction)
  if (value instanceof tf.Tensor) return value
  throw new GraftError(`the ${what} function must give a tensor with a value per image; it gave ${inWords(value)}.`)
}

/** Labels as the model's output has them: one-hot, or for a single output 0 and 1. */
export function truthOf(labels: ArrayLike<number>, units: number): Tensor {
  return units === 1 ? tf.tensor2d(Array.from(labels), [labels.length, 1])
    : tf.tidy(() => tf.oneHot(tf.tensor1d(Array.from(labels), 'int32'), units).toFloat())
}

/** A loss with softened labels and with each image weighted by its class, as Keras's `label_smoothing` and `class_weight`. */
export function weighted(loss: Measure, weights: number[] | null, smoothing: number): Measure {
  if (!weights && !smoothing) return loss
  return (truth, prediction) => {
    const units = truth.shape.at(-1)!
    const soft = smoothing ? truth.mul(1 - smoothing).add(smoothing / Math.max(units, 2)) : truth
    const values = loss(soft, prediction)
    if (!weights) return values
    // One output tells two classes apart: its truth is 0 or 1.
    const each = units === 1 ? truth.reshape([-1]).mul(weights[1] - weights[0]).add(weights[0])
      : truth.mul(tf.tensor1d(weights)).sum(-1)
    return values.mul(each)
  }
}
