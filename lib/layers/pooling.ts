import type * as tfTypes from '@tensorflow/tfjs'
import { prototypeOf, type TF } from './prototype.ts'

type Pair = [number, number]
interface PoolAttributes { filterSize: number | Pair, strides: number | Pair, pad: 'same' | 'valid' | number }

/**
 * The gradient of average pooling with padding. Forward, a window at the border is divided by the pixels it covers;
 * TensorFlow.js's gradient divides by the whole window. Scaling `dy` by window/covered first makes it TensorFlow's.
 */
export function repairPooling(tf: TF): void {
  tf.registerGradient({
    kernelName: 'AvgPool', inputsToSave: ['x'],
    gradFunc: (dy, [x], attrs) => {
      const { filterSize, strides, pad } = attrs as unknown as PoolAttributes
      return {
        x: () => tf.tidy(() => {
          const engine = tf.engine(), exact = tf.getKernel('ExactAvgPoolGrad', tf.getBackend())
          if (exact) return engine.runKernel('ExactAvgPoolGrad', { dy: dy as tfTypes.Tensor, input: x }, { filterSize, strides, pad }) as tfTypes.Tensor
          const share =
            pad === 'valid' || pad === 0
              ? null
              : shares(tf, x.shape as [number, number, number, number], filterSize, strides, pad)
          const scaled = share ? tf.mul(dy as tfTypes.Tensor, share) : dy as tfTypes.Tensor
          return engine.runKernel('AvgPoolGrad', { dy: scaled, input: x }, { filterSize, strides, pad }) as tfTypes.Tensor
        }),
      }
    },
  })
}

/** For each output pixel, the window's size over the number of input pixels it covers: [1, height, width, 1]. */
function shares(
  tf: TF,
  shape: [number, number, number, number],
  filterSize: number | Pair,
  strides: number | Pair,
  pad: 'same' | number,
): tfTypes.Tensor {
  const info = tf.backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad)
  const along = (size: number, out: number, stride: number, window: number, before: number) =>
    Array.from({ length: out }, (_, i) => {
      const start = i * stride - before
      return window / (Math.min(start + window, size) - Math.max(start, 0))
    })
  const rows = along(info.inHeight, info.outHeight, info.strideHeight, info.filterHeight, info.padInfo.top)
  const columns = along(info.inWidth, info.outWidth, info.strideWidth, info.filterWidth, info.padInfo.left)
  return tf.tensor(
    rows.flatMap(r => columns.map(c => r * c)),
    [1, rows.length, columns.length, 1],
  )
}

type Triple = [number, number, number]
type Pool = (x: tfTypes.Tensor4D, window: Pair, strides: Pair, pad: 'same' | 'valid') => tfTypes.Tensor4D

/**
 * Pooling of volumes, along the image's two sides first and the third one then, which comes to the same: the WASM engine of
 * TensorFlow.js gives no number below zero for the largest of a volume, and the gradient of the mean is mended for images alone.
 */
export function repairVolumePooling(tf: TF): void {
  const pools: [object, Pool][] = [
    [tf.layers.maxPooling3d({ poolSize: 1 }), (x, window, strides, pad) => tf.maxPool(x, window, strides, pad)],
    [tf.layers.averagePooling3d({ poolSize: 1 }), (x, window, strides, pad) => tf.avgPool(x, window, strides, pad)],
  ]
  for (const [layer, pool] of pools) {
    const prototype = prototypeOf(layer) as unknown as {
      poolingFunction(x: tfTypes.Tensor, size: Triple, strides: Triple, pad: 'same' | 'valid', dataFormat: string): tfTypes.Tensor
    }
    prototype.poolingFunction = (given, size, strides, pad, dataFormat) => tf.tidy(() => {
      const first = dataFormat === 'channelsFirst', x = first ? tf.transpose(given, [0, 2, 3, 4, 1]) : given
      const [batch, depth, height, width, channels] = x.shape as [number, number, number, number, number]
      const flat = pool(tf.reshape(x, [batch * depth, height, width, channels]), [size[1], size[2]], [strides[1], strides[2]], pad)
      const [, high, wide] = flat.shape
      const deep = pool(tf.reshape(flat, [batch, depth, high * wide, channels]), [size[0], 1], [strides[0], 1], pad)
      const pooled = tf.reshape(deep, [batch, deep.shape[1], high, wide, channels])
      return first ? tf.transpose(pooled, [0, 4, 1, 2, 3]) : pooled
    })
  }
}
