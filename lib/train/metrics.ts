import type { Tensor } from '@tensorflow/tfjs'
import { tf } from '../tf.ts'
import type { Measure } from './step.ts'

/**
 * A metric of a whole set of images. What it needs of a batch is one number or a row of numbers per image, whose means over any
 * number of batches are exact; `from` makes the metric of the means.
 */
export interface Metric {
  measure: Measure
  /** How many numbers there are per image, for a model with so many outputs. Default 1. */
  width?(units: number): number
  /** Default: the one mean itself. */
  from?(means: number[]): number
}

/** Where a prediction counts as yes. */
const threshold = 0.5
/** As many thresholds as keras.metrics.AUC has, at the same places: two lie just outside of 0 to 1. */
const thresholds = [-1e-7, ...Array.from({ length: 198 }, (_, i) => (i + 1) / 199), 1 + 1e-7]

const part = (some: number, all: number) => all ? some / all : 0

/** The answers as yes or no: above one half; of classes, the likeliest. */
const decided = (prediction: Tensor, classes: boolean): Tensor => classes
  ? tf.oneHot(prediction.argMax(-1), prediction.shape.at(-1)!).toFloat() : prediction.greater(threshold).toFloat()

/** Per image how many outputs were rightly said to be there, how many were said to be, how many are. */
const found: Measure = (truth, prediction) => {
  const said = decided(prediction, false)
  return tf.stack([said.mul(truth).sum(-1), said.sum(-1), truth.sum(-1)], 1)
}

/** The same three per output, one after the other. */
const foundEach: Measure = (truth, prediction) => {
  const said = decided(prediction, prediction.shape.at(-1)! > 1)
  return tf.concat([said.mul(truth), said, truth], 1)
}

/** Whether fewer than k classes are likelier than the true one; equally likely ones do not count against it, as in Keras. */
const topK = (k: number): Metric => ({
  measure: (truth, prediction) => {
    const right = tf.oneHot(truth.argMax(-1), truth.shape.at(-1)!).mul(prediction).sum(-1, true)
    return prediction.greater(right).sum(-1).less(k).toFloat()
  },
})

/**
 * Metrics with Keras's definitions: `precision` and `recall` over all outputs at one half (keras.metrics.Precision, Recall), `f1`
 * as the mean over the classes of the likeliest class (keras.metrics.F1Score, macro), `auc` the area under the ROC curve over all
 * outputs by 200 thresholds (keras.metrics.AUC), `top3` and `top5` (keras.metrics.TopKCategoricalAccuracy).
 */
export const metrics: Record<string, Metric> = {
  // One sigmoid output: above one half is the second class.
  accuracy: {
    measure: (truth, prediction) => prediction.shape.at(-1) === 1
      ? truth.greater(threshold).equal(prediction.greater(threshold)).mean(-1)
      : truth.argMax(-1).equal(prediction.argMax(-1)).toFloat(),
  },
  binaryAccuracy: {
    measure: (truth, prediction) => truth.greater(threshold).equal(prediction.greater(threshold)).toFloat().mean(-1),
  },
  precision: { measure: found, width: () => 3, from: ([right, said]) => part(right, said) },
  recall: { measure: found, width: () => 3, from: ([right, , there]) => part(right, there) },
  f1: {
    measure: foundEach, width: units => 3 * units,
    from: means => {
      const n = means.length / 3
      return Array.from({ length: n }, (_, c) => part(2 * means[c], means[n + c] + means[2 * n + c]))
        .reduce((sum, value) => sum + value) / n
    },
  },
  auc: {
    measure: (truth, prediction) => {
      const above = prediction.expandDims(1).greater(tf.tensor1d(thresholds).reshape([1, -1, 1])).toFloat()
      const there = truth.expandDims(1)
      return tf.concat([above.mul(there).sum(-1), above.mul(tf.sub(1, there)).sum(-1)], 1)
    },
    width: () => 2 * thresholds.length,
    from: means => {
      const n = thresholds.length, [there, absent] = [means[0], means[n]]
      let area = 0
      for (let t = 1; t < n; t++) {
        area += part(means[n + t - 1] - means[n + t], absent) * (part(means[t - 1], there) + part(means[t], there)) / 2
      }
      return area
    },
  },
  top3: topK(3),
  top5: topK(5),
}
