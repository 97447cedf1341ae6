import * as tf from '@tensorflow/tfjs'
import { prototypeOf } from './prototype.ts'

interface LayerNormalization {
  axis: number | number[]
  epsilon: number
  gamma?: { read(): tf.Tensor }
  beta?: { read(): tf.Tensor }
}

/** Layer normalization trains without scale or offset too; in TensorFlow.js its gradients crash then. */
export function repairLayerNormalization(): void {
  prototypeOf(tf.layers.layerNormalization()).call = function (this: LayerNormalization, inputs: tf.Tensor | tf.Tensor[]) {
    return tf.tidy(() => {
      const x = Array.isArray(inputs) ? inputs[0] : inputs, axes = tf.util.parseAxisParam(this.axis, x.shape)
      const difference = tf.sub(x, tf.mean(x, axes, true)), variance = tf.mean(tf.square(difference), axes, true)
      const normal = tf.mul(difference, tf.rsqrt(tf.add(variance, this.epsilon)))
      const along = (weight: tf.Tensor) => tf.reshape(weight, x.shape.map((size, d) => axes.includes(d) ? size : 1))
      const scaled = this.gamma ? tf.mul(normal, along(this.gamma.read())) : normal
      return this.beta ? tf.add(scaled, along(this.beta.read())) : scaled
    })
  }
}
