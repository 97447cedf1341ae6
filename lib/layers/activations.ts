import * as tf from '@tensorflow/tfjs'

type Function = (x: tf.Tensor) => tf.Tensor

/** relu6(x + 3) / 6. */
const hardSigmoid: Function = x => tf.div(tf.relu6(tf.add(x, 3)), 6)

/** 1 where `x` is at least `least`, else 0. */
const from = (x: tf.Tensor, least: number): tf.Tensor => tf.cast(tf.greaterEqual(x, least), 'float32')

/**
 * Keras 3's activations that TensorFlow.js lacks, by its spelling of their names. `hardSigmoid3` is Keras 3's `hard_sigmoid`: the
 * one of Keras 2 and TensorFlow.js is 0.2·x + 0.5 between 0 and 1. Source: keras/src/activations/activations.py, with the
 * defaults that a name alone stands for.
 */
export const activations: Record<string, Function> = {
  celu: x => tf.elu(x),
  exponential: x => tf.exp(x),
  hardShrink: x => tf.mul(x, tf.add(from(x, 0.5), from(tf.neg(x), 0.5))),
  hardSigmoid3: hardSigmoid,
  hardSilu: x => tf.mul(x, hardSigmoid(x)),
  hardTanh: x => tf.clipByValue(x, -1, 1),
  leakyRelu: x => tf.leakyRelu(x, 0.2),
  logSigmoid: x => tf.logSigmoid(x),
  softShrink: x => tf.sub(tf.relu(tf.sub(x, 0.5)), tf.relu(tf.sub(tf.neg(x), 0.5))),
  sparsePlus: x => tf.add(tf.div(tf.square(tf.clipByValue(tf.add(x, 1), 0, 2)), 4), tf.relu(tf.sub(x, 1))),
  sparseSigmoid: x => tf.clipByValue(tf.div(tf.add(x, 1), 2), 0, 1),
  squareplus: x => tf.div(tf.add(x, tf.sqrt(tf.add(tf.square(x), 4))), 2),
  tanhShrink: x => tf.sub(x, tf.tanh(x)),
}

/** Makes them known, so that a layer may name them. */
export function registerActivations(): void {
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
