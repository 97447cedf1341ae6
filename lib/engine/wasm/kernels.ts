import * as tf from '@tensorflow/tfjs'
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import { GraftError } from '../../error.ts'
import { guardHeap, instantiate, withScratch } from './memory.ts'
import type { Module } from './memory.ts'

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

type Inputs = Record<'x' | 'dy' | 'filter', tf.TensorInfo>
type Run = (inputs: Inputs, attributes: Attributes) => tf.TensorInfo

/**
 * Registers what TensorFlow.js 4.22's WASM backend lacks for training convolutional nets: both gradients of a depthwise convolution
 * and the filter's gradient of a convolution. The input's gradient is replaced by a faster one. All take every stride, padding,
 * dilation, channel count and channel multiplier, in NHWC, and give the same bits each time.
 */
export function addKernels(): void {
  const backend = tf.backend() as unknown as BackendWasm
  guardHeap(backend)
  tf.unregisterKernel('Conv2DBackpropInput', 'wasm')
  for (const [kernelName, run] of Object.entries(kernels(backend, instantiate(backend)))) {
    tf.registerKernel({
      kernelName,
      backendName: 'wasm',
      kernelFunc: ({ inputs, attrs }) => {
        if (attrs!.dataFormat === 'NCHW') throw new GraftError(`${kernelName}: expected the data format NHWC, received NCHW.`)
        return run(inputs as Inputs, attrs as unknown as Attributes)
      },
    })
  }
}

function kernels(backend: BackendWasm, module: Module): Record<string, Run> {
  const address = (tensor: tf.TensorInfo) => backend.dataIdMap.get(tensor.dataId).memoryOffset

  function gradient(depthwise: boolean, ofFilter: boolean): Run {
    const kernel = depthwise
      ? ofFilter ? module.depthwiseFilterGradient : module.depthwiseInputGradient
      : ofFilter ? module.convolutionFilterGradient : module.convolutionInputGradient
    return ({ x, dy, filter }, attributes) => {
      const image = (ofFilter ? x.shape : attributes.inputShape) as Shape
      const window = (ofFilter ? attributes.filterShape : filter.shape) as Shape
      const { strides, dilations, pad, dimRoundingMode } = attributes
      const info = tf.backend_util.computeConv2DInfo(image, window, strides, dilations ?? 1, pad, dimRoundingMode, depthwise)
      const [n, h, w, c] = image, [kh, kw] = window
      const scratch = depthwise ? module.depthwiseScratch(h, w, c, window[3]) : module.convolutionScratch(kh * kw * c)
      const result = backend.makeOutput(ofFilter ? window : image, 'float32')
      withScratch(backend, scratch, (at) => kernel(
        address(result), address(ofFilter ? x : filter), address(dy),
        n, h, w, c, info.outHeight, info.outWidth, window[3], kh, kw,
        info.strideHeight, info.strideWidth, info.dilationHeight, info.dilationWidth, info.padInfo.top, info.padInfo.left, at,
      ))
      return result
    }
  }

  return {
    Conv2DBackpropFilter: gradient(false, true),
    Conv2DBackpropInput: gradient(false, false),
    DepthwiseConv2dNativeBackpropFilter: gradient(true, true),
    DepthwiseConv2dNativeBackpropInput: gradient(true, false),
  }
}
