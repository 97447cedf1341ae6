import * as tf from '@tensorflow/tfjs'
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import { addressOf } from './memory.ts'
import type { Kernels, Module } from './memory.ts'

type Pair = [number, number]
type Shape = [number, number, number, number]

interface Attributes {
  filterSize: number | Pair
  strides: number | Pair
  pad: 'same' | 'valid' | number | tf.backend_util.ExplicitPadding
  dimRoundingMode?: 'floor' | 'round' | 'ceil'
}

/** The gradient of max pooling. The backend's own gives it to other pixels than the largest where windows overlap. */
export function poolingKernels(backend: BackendWasm, module: Module): Kernels {
  return {
    MaxPoolGrad({ input, dy }, attributes) {
      const { filterSize, strides, pad, dimRoundingMode } = attributes as unknown as Attributes
      const info = tf.backend_util.computePool2DInfo(input.shape as Shape, filterSize, strides, 1, pad, dimRoundingMode)
      const [n, h, w, c] = input.shape, dx = backend.makeOutput(input.shape, 'float32')
      const at = (tensor: tf.TensorInfo) => addressOf(backend, tensor)
      module.maxPoolGradient(
        at(dx), at(input), at(dy), n, h, w, c, info.outHeight, info.outWidth, info.filterHeight, info.filterWidth,
        info.strideHeight, info.strideWidth, info.dilationHeight, info.dilationWidth, info.padInfo.top, info.padInfo.left)
      return dx
    },
  }
}
