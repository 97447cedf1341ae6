import type * as tfTypes from '@tensorflow/tfjs'
import { prototypeOf, type TF } from './prototype.ts'

interface ReLU {
  maxValue?: number | null
  negativeSlope?: number
  threshold?: number
}

/**
 * ReLU with a ceiling of 6, the one that mobile networks use, is one operation instead of two; and Keras's `negative_slope` and
 * `threshold`, which TensorFlow.js lacks: the ceiling from there on, x above the threshold, slope·(x − threshold) below. A
 * configuration carries them.
 */
export function repairRelu(tf: TF): void {
  const prototype = prototypeOf(tf.layers.reLU()), original = prototype.call as (inputs: unknown, kwargs: object) => unknown
  const getConfig = prototype.getConfig as unknown as () => object, cls = prototype.constructor
  cls.fromConfig = (make: new (config: object) => object, config: ReLU) =>
    Object.assign(new make(config), config.negativeSlope && { negativeSlope: config.negativeSlope },
      config.threshold && { threshold: config.threshold })
  tf.serialization.registerClass(cls as never)
  prototype.call = function (this: ReLU, inputs: tfTypes.Tensor | tfTypes.Tensor[], kwargs: object) {
    const x = Array.isArray(inputs) ? inputs[0] : inputs
    if (this.negativeSlope || this.threshold) return tf.tidy(() => bent(tf, this, x))
    return this.maxValue === 6 ? tf.relu6(x) : original.call(this, inputs, kwargs)
  }
  prototype.getConfig = function (this: ReLU) {
    const { negativeSlope, threshold } = this
    return { ...getConfig.call(this), ...negativeSlope && { negativeSlope }, ...threshold && { threshold } }
  }
}

function bent(tf: TF, { maxValue, negativeSlope = 0, threshold = 0 }: ReLU, x: tfTypes.Tensor): tfTypes.Tensor {
  const above = tf.mul(x, tf.cast(tf.greaterEqual(x, threshold), 'float32'))
  const below = tf.mul(tf.minimum(tf.sub(x, threshold), 0), negativeSlope)
  const both = tf.add(above, below)
  return maxValue === null || maxValue === undefined ? both : tf.minimum(both, maxValue)
}
