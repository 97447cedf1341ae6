import type * as tfTypes from '@tensorflow/tfjs'
import { prototypeOf, type TF } from './prototype.ts'

/** The Softmax layer along any axis, as Keras has it: TensorFlow.js knows the last alone. */
export function repairSoftmax(tf: TF): void {
  const prototype = prototypeOf(tf.layers.softmax())
  prototype.call = function (this: { axis: number }, inputs: tfTypes.Tensor | tfTypes.Tensor[]) {
    return tf.tidy(() => {
      const x = Array.isArray(inputs) ? inputs[0] : inputs, last = x.rank - 1
      const axis = this.axis < 0 ? this.axis + x.rank : this.axis
      if (axis === last) return tf.softmax(x)
      const exchanged = Array.from({ length: x.rank }, (_, d) => d === axis ? last : d === last ? axis : d)
      return tf.transpose(tf.softmax(tf.transpose(x, exchanged)), exchanged)
    })
  }
}
