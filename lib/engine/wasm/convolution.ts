import * as tf from '@tensorflow/tfjs'
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import { GraftError } from '../../error.ts'
import { addressOf, withScratch } from './memory.ts'
import type { Kernel, Kernels, Module } from './memory.ts'

type Shape = [number, number, number, number]
type Pair = [number, number]

interface Attributes {
  strides: number | Pair
  pad: 'same' | 'valid' | number | tf.backend_util.ExplicitPadding
  dilations?: number | Pair | null
  dimRoundingMode?: 'floor' | 'round' | 'ceil'
  dataFormat?: string
  filterShape: Shape
  inputShape: Shape
}

/** Convolutions and their gradients, under TensorFlow.js's names for them. */
export function convolutionKernels(backend: BackendWasm, module: Module): Kernels {
  const at = (tensor: tf.TensorInfo) => addressOf(backend, tensor)

  function gradient(depthwise: boolean, ofFilter: boolean): Kernel {
    const compute = depthwise
      ? ofFilter ? module.depthwiseFilterGradient : module.depthwiseInputGradient
      : ofFilter ? module.convolutionFilterGradient : module.convolutionInputGradient
    return ({ x, dy, filter }, attributes) => {
      const { strides, dilations, pad, dimRoundingMode, dataFormat, filterShape, inputShape } = attributes as unknown as Attributes
      if (dataFormat === 'NCHW') {
        throw new GraftError('the gradient of a convolution: expected the data format NHWC, received NCHW.')
      }
      const image = ofFilter ? x.shape as Shape : inputShape, window = ofFilter ? filterShape : filter.shape as Shape
      const info = tf.backend_util.computeConv2DInfo(image, window, strides, dilations ?? 1, pad, dimRoundingMode, depthwise)
      const [n, h, w, c] = image, [kh, kw] = window
      const scratch = depthwise ? module.depthwiseScratch(h, w, c, window[3]) : module.convolutionScratch(kh * kw * c)
      const result = backend.makeOutput(ofFilter ? window : image, 'float32')
      withScratch(backend, scratch, (spare) => compute(
        at(result), at(ofFilter ? x : filter), at(dy), n, h, w, c, info.outHeight, info.outWidth, window[3], kh, kw,
        info.strideHeight, info.strideWidth, info.dilationHeight, info.dilationWidth, info.padInfo.top, info.padInfo.left, spare,
      ))
      return result
    }
  }

  /** The backend's own forward kernel, for windows smaller than their stride too: there its SAME padding may fall below zero. */
  function forward(name: string, depthwise: boolean): [string, Kernel] {
    const own = tf.getKernel(name, 'wasm').kernelFunc as unknown as (call: object) => tf.TensorInfo
    return [name, (inputs, attrs) => {
      const { strides, dilations, pad } = attrs as unknown as Attributes, { shape } = inputs.x
      if (pad !== 'same') return own({ inputs, attrs, backend })
      const info = tf.backend_util.computeConv2DInfo(shape as Shape, inputs.filter.shape as Shape, strides, dilations ?? 1, pad, undefined, depthwise)
      const { top, bottom, left, right } = info.padInfo
      const explicit = [[0, 0], [top, bottom], [left, right], [0, 0]]
      const short = (out: number, stride: number, window: number, size: number) => (out - 1) * stride + window < size
      const below = short(info.outHeight, info.strideHeight, info.effectiveFilterHeight, shape[1])
        || short(info.outWidth, info.strideWidth, info.effectiveFilterWidth, shape[2])
      return own({ inputs, backend, attrs: below ? { ...attrs, pad: explicit } : attrs })
    }]
  }

  return {
    ...Object.fromEntries([
      forward('Conv2D', false), forward('FusedConv2D', false), forward('DepthwiseConv2dNative', true), forward('FusedDepthwiseConv2D', true),
    ]),
    Conv2DBackpropFilter: gradient(false, true),
    Conv2DBackpropInput: gradient(false, false),
    DepthwiseConv2dNativeBackpropFilter: gradient(true, true),
    DepthwiseConv2dNativeBackpropInput: gradient(true, false),
  }
}
