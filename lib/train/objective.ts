import type { LayersModel, Tensor } from '@tensorflow/tfjs'
import { outputActivation } from '../customize/layers.ts'
import type { ImageSet } from '../data/set.ts'
import { didYouMean, GraftError, inWords } from '../error.ts'
import { tf } from '../tf.ts'
import { metrics, type Metric } from './metrics.ts'
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

const known: Record<string, Metric> = {
  ...Object.fromEntries(Object.entries(losses).map(([name, measure]) => [name, { measure }])), ...metrics,
}

/** An objective with names: of the loss, and of what is kept in the history. */
export interface Goal extends Objective {
  name: string
  /** `loss`, then the metrics. */
  names: string[]
  /** One number for each name from the means over a set, which may be several for a metric. */
  read(means: number[]): number[]
  /** The metrics that are a plain mean over the images, as `model.compile` takes them. */
  plain: Record<string, Measure>
}

/** `categorical_crossentropy` → `categoricalCrossentropy` */
const camel = (name: string) => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())

/**
 * What the model is trained for: the given loss and metrics, or those that fit its output: cross-entropy over classes
 * (`softmax`), one yes or no per output (`sigmoid`).
 */
export function objectiveOf(model: LayersModel, loss?: LossWish, wishes: MetricWish[] = ['accuracy']): Goal {
  const activation = outputActivation(model), units = model.outputs[0].shape.at(-1) ?? 1
  const usual = activation === 'sigmoid' ? 'binaryCrossentropy' : 'categoricalCrossentropy'
  const named = (wish: MetricWish): [string, Metric] => {
    if (typeof wish === 'function') return [wish.name || 'metric', { measure: perImage(giving('metric', wish)) }]
    if (typeof wish !== 'string') throw unknown('metric', known, wish)
    const name = wish === 'acc' ? 'accuracy' : camel(wish)
    if (name === 'accuracy' && activation === 'sigmoid') return [name, known.binaryAccuracy]
    return [name, find('metric', known, name)]
  }
  const wish = loss ?? usual
  if (typeof wish !== 'string' && typeof wish !== 'function') throw unknown('loss', losses, wish)
  const chosen = Object.fromEntries(wishes.map(named)), measures = (all: [string, Metric][]) =>
    Object.fromEntries(all.map(([name, { measure }]) => [name, measure]))
  return {
    name: typeof wish === 'string' ? camel(wish) : wish.name || 'loss',
    loss: typeof wish === 'string' ? find('loss', losses, camel(wish)) : giving('loss', wish),
    metrics: measures(Object.entries(chosen)),
    names: ['loss', ...Object.keys(chosen)],
    plain: measures(Object.entries(chosen).filter(([, metric]) => !metric.from)),
    read: ([first, ...rest]) => [first, ...Object.values(chosen).map(({ width, from }) => {
      const own = rest.splice(0, width?.(units) ?? 1)
      return from ? from(own) : own[0]
    })],
  }
}

function find<T>(what: string, table: Record<string, T>, name: string): T {
  if (Object.hasOwn(table, name)) return table[name]
  throw unknown(what, table, name)
}

function unknown(what: string, table: object, wish: unknown): GraftError {
  const names = Object.keys(table)
  return new GraftError(`unknown ${what}: ${inWords(wish)}.${didYouMean(String(wish), names)} Expected ${names.join(', ')}, ` +
    'or a function (truth, prediction) => a value per image.')
}

/** A function of the user's own, which must give a tensor. */
const giving = (what: string, measure: Measure): Measure => (truth, prediction) => {
  const value: unknown = measure(truth, prediction)
  if (value instanceof tf.Tensor) return value
  throw new GraftError(`the ${what} function must give a tensor with a value per image; it gave ${inWords(value)}.`)
}

/** A value per image, whatever a measure of the user's own gives per image. */
const perImage = (measure: Measure): Measure => (truth, prediction) => {
  const value = measure(truth, prediction)
  return value.rank > 1 ? value.mean(Array.from({ length: value.rank - 1 }, (_, i) => i + 1)) : value
}

/** Labels as the model's output has them: one row of parts per image, or for a single output how much of the second class. */
export function truthOf(set: ImageSet, indices: number[], units: number): Tensor {
  const rows = indices.map(i => set.truth(i)), all = new Float32Array(indices.length * units)
  rows.forEach((row, n) => all.set(units === 1 ? row.subarray(1, 2) : row, n * units))
  return tf.tensor2d(all, [indices.length, units])
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
