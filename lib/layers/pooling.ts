import type * as tfTypes from '@tensorflow/tfjs'
import type { TF } from './prototype.ts'

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
