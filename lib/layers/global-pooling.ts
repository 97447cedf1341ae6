import type * as tfTypes from '@tensorflow/tfjs'
import { prototypeOf, type TF } from './prototype.ts'

type Shape = (number | null)[]
interface GlobalPooling {
  keepdims?: boolean
  dataFormat: string
}

/** Global pooling with Keras's `keepdims`, which keeps the image's two sides as 1. A configuration carries it. */
export function repairGlobalPooling(tf: TF): void {
  for (const layer of [tf.layers.globalAveragePooling2d({}), tf.layers.globalMaxPooling2d({})]) {
    const prototype = prototypeOf(layer), cls = prototype.constructor
    const call = prototype.call as unknown as (inputs: unknown, kwargs: object) => tfTypes.Tensor
    const computeOutputShape = prototype.computeOutputShape as unknown as (shape: Shape) => Shape
    const getConfig = prototype.getConfig as unknown as () => object
    const whole = ({ keepdims, dataFormat }: GlobalPooling, [batch, channels]: Shape): Shape =>
      !keepdims ? [batch, channels] : dataFormat === 'channelsFirst' ? [batch, channels, 1, 1] : [batch, 1, 1, channels]
    cls.fromConfig = (make: new (config: object) => object, config: { keepdims?: boolean }) =>
      Object.assign(new make(config), config.keepdims && { keepdims: true })
    tf.serialization.registerClass(cls as never)
    prototype.call = function (this: GlobalPooling, inputs: unknown, kwargs: object) {
      return tf.tidy(() => {
        const pooled = call.call(this, inputs, kwargs)
        return this.keepdims ? tf.reshape(pooled, whole(this, pooled.shape) as number[]) : pooled
      })
    }
    prototype.computeOutputShape = function (this: GlobalPooling, shape: Shape) {
      return whole(this, computeOutputShape.call(this, shape))
    }
    prototype.getConfig = function (this: GlobalPooling) {
      return { ...getConfig.call(this), ...this.keepdims && { keepdims: true } }
    }
  }
}
