import * as tf from '@tensorflow/tfjs'
import { prototypeOf } from './prototype.ts'

type Function = (x: tf.Tensor) => tf.Tensor

/** relu6(x + 3) / 6. */
const hardSigmoid: Function = x => tf.div(tf.relu6(tf.add(x, 3)), 6)

/** 1 where `x` is at least `least`, else 0. */
const from = (x: tf.Tensor, least: number): tf.Tensor => tf.cast(tf.greaterEqual(x, least), 'float32')

/**
 * What of the numbers along the last axis lies above a threshold. The threshold is Keras's, which adds up running sums where
 * Martins and Astudillo (2016) add up the numbers themselves.
 */
const sparsemax = tf.customGrad((x: tf.Tensor | tf.GradSaveFunc, save: tf.Tensor | tf.GradSaveFunc) => {
  const given = x as tf.Tensor, count = given.shape.at(-1)!, { values: sorted, indices } = tf.topk(given, count)
  const sums = tf.cumsum(sorted, given.rank - 1), above = tf.greater(tf.add(tf.mul(sorted, tf.range(1, count + 1)), 1), sums)
  const many = tf.sum(tf.cast(above, 'float32'), -1, true)
  const threshold = tf.div(tf.sub(tf.sum(tf.mul(sums, tf.cast(above, 'float32')), -1, true), 1), many)
  const value = tf.relu(tf.sub(given, threshold)), place = tf.cast(tf.topk(tf.neg(indices), count).indices, 'float32')
  // How much the threshold moves with each number.
  const share = tf.div(tf.relu(tf.sub(many, place)), many)
  ;(save as tf.GradSaveFunc)([value, share])
  return {
    value,
    gradFunc: (dy: tf.Tensor, [y, share]: tf.Tensor[]) => {
      const through = tf.mul(tf.cast(tf.greater(y, 0), 'float32'), dy)
      return tf.sub(through, tf.mul(share, tf.sum(through, -1, true)))
    },
  }
})

/** The first half of the last axis, as far as the second half lets it through. Source: Dauphin et al. (2017). */
const glu: Function = x => {
  const [given, gate] = tf.split(x, 2, -1)
  return tf.mul(given, tf.sigmoid(gate))
}

/**
 * Keras 3's activations that TensorFlow.js lacks, by its spelling of their names. `hardSigmoid3` is Keras 3's `hard_sigmoid`: the
 * one of Keras 2 and TensorFlow.js is 0.2·x + 0.5 between 0 and 1. Source: keras/src/activations/activations.py, with the
 * defaults that a name alone stands for.
 */
export const activations: Record<string, Function> = {
  celu: x => tf.elu(x),
  exponential: x => tf.exp(x),
  glu,
  hardShrink: x => tf.mul(x, tf.add(from(x, 0.5), from(tf.neg(x), 0.5))),
  hardSigmoid3: hardSigmoid,
  hardSilu: x => tf.mul(x, hardSigmoid(x)),
  hardTanh: x => tf.clipByValue(x, -1, 1),
  leakyRelu: x => tf.leakyRelu(x, 0.2),
  logSigmoid: x => tf.logSigmoid(x),
  softShrink: x => tf.sub(tf.relu(tf.sub(x, 0.5)), tf.relu(tf.sub(tf.neg(x), 0.5))),
  sparsePlus: x => tf.add(tf.div(tf.square(tf.clipByValue(tf.add(x, 1), 0, 2)), 4), tf.relu(tf.sub(x, 1))),
  sparsemax,
  sparseSigmoid: x => tf.clipByValue(tf.div(tf.add(x, 1), 2), 0, 1),
  squareplus: x => tf.div(tf.add(x, tf.sqrt(tf.add(tf.square(x), 4))), 2),
  tanhShrink: x => tf.sub(x, tf.tanh(x)),
}

/** Makes them known, so that a layer may name them. */
export function registerActivations(): void {
  const prototype = prototypeOf(tf.layers.activation({ activation: 'linear' }))
  prototype.computeOutputShape = function (this: { activation: { getClassName(): string } }, shape: tf.Shape) {
    return this.activation.getClassName() === 'glu' ? shape.with(-1, shape.at(-1)! / 2) : shape
  }
  for (const [className, compute] of Object.entries(activations)) {
    class KerasActivation extends tf.serialization.Serializable {
      static readonly className = className

      apply(x: tf.Tensor): tf.Tensor {
        return tf.tidy(() => compute(x))
      }

      getConfig(): tf.serialization.ConfigDict {
        return {}
      }
    }
    tf.serialization.registerClass(KerasActivation)
  }
}
