import type * as tfTypes from '@tensorflow/tfjs'
import type { TF } from './prototype.ts'

interface Container { layers: tfTypes.layers.Layer[], trainable_: boolean }

/**
 * `model.trainable = false` freezes every layer in it, nested models too, as in Keras; TensorFlow.js marks the weights only, so
 * that `layer.trainable` still said true and batch normalization went on moving its statistics. A Sequential model sets its inner
 * model's flag each time it is built: that must not reach the layers, which the user may have frozen one by one. The penalty on a
 * frozen layer's weights is no part of the loss, as in Keras.
 */
export function repairTrainable(tf: TF): void {
  const container = Object.getPrototypeOf(tf.LayersModel.prototype) as object
  const sequential = tf.Sequential.prototype as unknown as { build(...args: unknown[]): void }
  const { get } = Object.getOwnPropertyDescriptor(container, 'trainable')!, { build } = sequential
  const layer = tf.layers.Layer.prototype, { calculateLosses } = layer
  layer.calculateLosses = function () { return this.trainable ? calculateLosses.call(this) : [] }
  let building = 0
  Object.defineProperty(container, 'trainable', {
    configurable: true, get,
    set(this: Container, trainable: boolean) {
      if (!building) for (const layer of this.layers ?? []) layer.trainable = trainable
      this.trainable_ = trainable
    },
  })
  sequential.build = function (...args) {
    building++
    try {
      build.apply(this, args)
    } finally {
      building--
    }
  }
}
