import type * as tfTypes from '@tensorflow/tfjs'
import * as tf from '@tensorflow/tfjs'
import { OneInput, type LayerConfig } from './one-input.ts'
import { prototypeOf, type TF } from './prototype.ts'

type Shape = (number | null)[]
interface GlobalPooling {
  keepdims?: boolean
  dataFormat?: string
}

/** The shape of what is pooled, with its sides as 1 where they are kept. */
const whole = ({ keepdims, dataFormat }: GlobalPooling, rank: number, [batch, channels]: Shape): Shape => {
  const sides = keepdims ? Array.from({ length: rank }, () => 1) : []
  return dataFormat === 'channelsFirst' ? [batch, channels, ...sides] : [batch, ...sides, channels]
}

/** The mean of the entries of sequences that count. */
const counted = (x: tf.Tensor, mask: tf.Tensor): tf.Tensor => {
  const counts = tf.cast(tf.expandDims(mask, -1), 'float32')
  return tf.div(tf.sum(tf.mul(x, counts), 1), tf.sum(counts, 1))
}

/**
 * Global pooling with Keras's `keepdims`, which keeps the sides of a sequence or an image as 1; the mean of a sequence is of what
 * its mask lets count. A configuration carries it.
 */
export function repairGlobalPooling(tf: TF): void {
  const layers = [
    [1, tf.layers.globalAveragePooling1d()], [1, tf.layers.globalMaxPooling1d()],
    [2, tf.layers.globalAveragePooling2d({})], [2, tf.layers.globalMaxPooling2d({})],
  ] as const
  const average = prototypeOf(layers[0][1]).constructor
  for (const [rank, layer] of layers) {
    const prototype = prototypeOf(layer), cls = prototype.constructor
    const call = prototype.call as unknown as (inputs: unknown, kwargs: object) => tfTypes.Tensor
    const computeOutputShape = prototype.computeOutputShape as unknown as (shape: Shape) => Shape
    const getConfig = prototype.getConfig as unknown as () => object
    cls.fromConfig = (make: new (config: object) => object, config: { keepdims?: boolean }) =>
      Object.assign(new make(config), config.keepdims && { keepdims: true })
    tf.serialization.registerClass(cls as never)
    prototype.call = function (this: GlobalPooling, inputs: unknown, kwargs: { mask?: tf.Tensor } = {}) {
      return tf.tidy(() => {
        const [x] = [inputs].flat() as tf.Tensor[]
        const pooled = kwargs.mask && cls === average ? counted(x, kwargs.mask) : call.call(this, inputs, kwargs)
        return this.keepdims ? tf.reshape(pooled, whole(this, rank, pooled.shape) as number[]) : pooled
      })
    }
    prototype.computeOutputShape = function (this: GlobalPooling, shape: Shape) {
      return whole(this, rank, computeOutputShape.call(this, shape))
    }
    prototype.getConfig = function (this: GlobalPooling) {
      return { ...getConfig.call(this), ...this.keepdims && { keepdims: true } }
    }
  }
}

function volumePooling(kind: 'Average' | 'Max'): tf.serialization.SerializableConstructor<tf.layers.Layer> {
  return class GlobalPooling3D extends OneInput<GlobalPooling> {
    static className = `Global${kind}Pooling3D`

    constructor({ dataFormat = 'channelsLast', keepdims = false, ...config }: LayerConfig<GlobalPooling> = {}) {
      super(config, { dataFormat, keepdims })
    }

    protected override compute(x: tf.Tensor): tf.Tensor {
      const { dataFormat, keepdims } = this.settings, axes = dataFormat === 'channelsFirst' ? [2, 3, 4] : [1, 2, 3]
      return kind === 'Max' ? tf.max(x, axes, keepdims) : tf.mean(x, axes, keepdims)
    }

    protected override shapeAfter(shape: tf.Shape): tf.Shape {
      return whole(this.settings, 3, [shape[0], this.settings.dataFormat === 'channelsFirst' ? shape[1] : shape[4]])
    }
  } as never
}

/** Keras's global pooling of volumes, which TensorFlow.js lacks. */
export const volumePoolingLayers = [volumePooling('Average'), volumePooling('Max')]
