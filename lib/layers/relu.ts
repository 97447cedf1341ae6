import type * as tfTypes from '@tensorflow/tfjs'
import { prototypeOf, type TF } from './prototype.ts'

/** ReLU with a ceiling of 6, the one that mobile networks use, is one operation instead of two. */
export function repairRelu(tf: TF): void {
  const prototype = prototypeOf(tf.layers.reLU()), original = prototype.call as (inputs: unknown, kwargs: object) => unknown
  prototype.call = function (this: { maxValue?: number }, inputs: tfTypes.Tensor | tfTypes.Tensor[], kwargs: object) {
    if (this.maxValue !== 6) return original.call(this, inputs, kwargs)
    return tf.relu6(Array.isArray(inputs) ? inputs[0] : inputs)
  }
}
