import * as tf from '@tensorflow/tfjs'
import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { Attributes } from '../attributes.ts'
import { ints } from '../backend.ts'
import type { Operand, TensorFlowBackend } from '../backend.ts'
import { activate } from './elementwise.ts'
import type { Kernel, Kernels } from './index.ts'

type Shape = [number, number, number, number]
type Info = tf.backend_util.Conv2DInfo
type Run = (name: string, inputs: Operand[], attributes?: Attributes) => TensorInfo

interface Wish {
  strides: number | [number, number]
  pad: 'same' | 'valid' | number | tf.backend_util.ExplicitPadding
  dilations?: number | [number, number] | null
  dimRoundingMode?: 'floor' | 'round' | 'ceil'
  dataFormat?: 'NHWC' | 'NCHW'
  filterShape: Shape
  inputShape: Shape
}

function infoOf(input: number[], filter: number[], wish: Record<string, unknown>, depthwise: boolean): Info {
  const { strides, dilations, pad, dimRoundingMode, dataFormat } = wish as unknown as Wish
  return tf.backend_util.computeConv2DInfo(input as Shape, filter as Shape, strides, dilations ?? 1, pad, dimRoundingMode, depthwise,
    dataFormat === 'NCHW' ? 'channelsFirst' : 'channelsLast')
}

/** How TensorFlow says strides, margins and dilation. */
function settings({ padInfo, strideHeight, strideWidth, dilationHeight, dilationWidth, dataFormat }: Info, dilated = true): Attributes {
  const { type, top, bottom, left, right } = padInfo, last = dataFormat === 'channelsLast'
  const spread = (h: number, w: number) => last ? [1, h, w, 1] : [1, 1, h, w]
  const margins = last ? [0, 0, top, bottom, left, right, 0, 0] : [0, 0, 0, 0, top, bottom, left, right]
  const named = type === 'SAME' || type === 'VALID'
  return {
    strides: spread(strideHeight, strideWidth), dilations: dilated ? spread(dilationHeight, dilationWidth) : undefined,
    padding: named ? type : 'EXPLICIT', explicit_paddings: named ? undefined : margins, data_format: last ? 'NHWC' : 'NCHW',
  }
}

function conv2d(run: Run, x: TensorInfo, filter: TensorInfo, wish: Record<string, unknown>): TensorInfo {
  return run('Conv2D', [x, filter], settings(infoOf(x.shape, filter.shape, wish, false)))
}

/**
 * TensorFlow's depthwise kernels know no dilation and one stride for both sides: dilation cuts the image into interleaved ones.
 */
function depthwise(run: Run, x: TensorInfo, filter: TensorInfo, wish: Record<string, unknown>): TensorInfo {
  const info = infoOf(x.shape, filter.shape, wish, true)
  const { dilationHeight, dilationWidth, padInfo, strideHeight, strideWidth } = info
  const plain = { data_format: 'NHWC', strides: [1, 1, 1, 1], padding: 'VALID' }
  if (dilationHeight > 1 || dilationWidth > 1) {
    const { top, bottom, left, right } = padInfo, rates = [dilationHeight, dilationWidth]
    const beyond = [top + bottom, left + right].map((margin, d) => (rates[d] - (x.shape[d + 1] + margin) % rates[d]) % rates[d])
    const cut = run('SpaceToBatchND', [x, ints(rates), ints([top, bottom + beyond[0], left, right + beyond[1]], [2, 2])])
    const y = run('DepthwiseConv2dNative', [cut, filter], plain)
    return run('BatchToSpaceND', [y, ints(rates), ints([0, beyond[0], 0, beyond[1]], [2, 2])])
  }
  if (strideHeight === strideWidth) return run('DepthwiseConv2dNative', [x, filter], settings(info, false))
  const { top, bottom, left, right } = padInfo
  const wide = run('DepthwiseConv2dNative', [run('Pad', [x, ints([0, 0, top, bottom, left, right, 0, 0], [4, 2])]), filter], plain)
  return run('StridedSlice', [wide, ints([0, 0, 0, 0]), ints(wide.shape), ints([1, strideHeight, strideWidth, 1])])
}

function filterGradient(op: string, isDepthwise: boolean): Kernel {
  return ({ x, dy }, attributes, backend) => {
    const shape = attributes.filterShape as number[], info = infoOf(x.shape, shape, attributes, isDepthwise)
    if (isDepthwise && info.strideHeight !== info.strideWidth) return unequalStrides(backend, info, x, dy, shape, true)
    return backend.run(op, [x, ints(shape), dy], settings(info, !isDepthwise))[0]
  }
}

function inputGradient(op: string, isDepthwise: boolean): Kernel {
  return ({ dy, filter }, attributes, backend) => {
    const shape = attributes.inputShape as number[], info = infoOf(shape, filter.shape, attributes, isDepthwise)
    if (isDepthwise && info.strideHeight !== info.strideWidth) return unequalStrides(backend, info, filter, dy, shape, false)
    return backend.run(op, [ints(shape), filter, dy], settings(info, !isDepthwise))[0]
  }
}

/** The gradients of a depthwise convolution with two strides are those with stride 1 of a `dy` with zeros between its values. */
function unequalStrides(backend: TensorFlowBackend, info: Info, other: TensorInfo, dy: TensorInfo, shape: number[], ofFilter: boolean): TensorInfo {
  const { top, bottom, left, right } = info.padInfo
  const { strideHeight, strideWidth, inHeight, inWidth, filterHeight, filterWidth } = info
  const spread = [info.batchSize, inHeight + top + bottom - filterHeight + 1, inWidth + left + right - filterWidth + 1, dy.shape[3]]
  const plain = { data_format: 'NHWC', strides: [1, 1, 1, 1], padding: 'EXPLICIT', explicit_paddings: [0, 0, top, bottom, left, right, 0, 0] }
  return backend.compose(run => {
    const wide = run('StridedSliceGrad', [ints(spread), ints([0, 0, 0, 0]), ints(spread), ints([1, strideHeight, strideWidth, 1]), dy])
    return ofFilter ? run('DepthwiseConv2dNativeBackpropFilter', [other, ints(shape), wide], plain)
      : run('DepthwiseConv2dNativeBackpropInput', [ints(shape), other, wide], plain)
  })
}

function fused(plain: typeof conv2d): Kernel {
  return ({ x, filter, bias, preluActivationWeights }, attributes, backend) => backend.compose(run => {
    const y = plain(run, x, filter, attributes)
    const biased = bias ? run(bias.shape.length === 1 ? 'BiasAdd' : 'AddV2', [y, bias]) : y
    return activate(run, biased, attributes.activation as string, preluActivationWeights, attributes.leakyreluAlpha as number)
  })
}

interface Wish3D { strides: number | [number, number, number], pad: 'same' | 'valid', dilations: number | [number, number, number] }

function settings3d(attributes: Record<string, unknown>): Attributes {
  const { strides, pad, dilations = 1 } = attributes as unknown as Wish3D
  const spread = (sizes: number | number[]) => [1, ...(typeof sizes === 'number' ? [sizes, sizes, sizes] : sizes), 1]
  return { strides: spread(strides), padding: pad.toUpperCase(), data_format: 'NDHWC', dilations: spread(dilations) }
}

/** Convolutions and their gradients. */
export const convolution: Kernels = {
  Conv2D: ({ x, filter }, attributes, backend) => backend.compose(run => conv2d(run, x, filter, attributes)),
  Conv2DBackpropFilter: filterGradient('Conv2DBackpropFilter', false),
  Conv2DBackpropInput: inputGradient('Conv2DBackpropInput', false),
  DepthwiseConv2dNative: ({ x, filter }, attributes, backend) => backend.compose(run => depthwise(run, x, filter, attributes)),
  DepthwiseConv2dNativeBackpropFilter: filterGradient('DepthwiseConv2dNativeBackpropFilter', true),
  DepthwiseConv2dNativeBackpropInput: inputGradient('DepthwiseConv2dNativeBackpropInput', true),
  FusedConv2D: fused(conv2d),
  FusedDepthwiseConv2D: fused(depthwise),
  Conv3D: ({ x, filter }, attributes, backend) => backend.run('Conv3D', [x, filter], settings3d(attributes))[0],
  Conv3DBackpropFilterV2: ({ x, dy }, attributes, backend) =>
    backend.run('Conv3DBackpropFilterV2', [x, ints(attributes.filterShape as number[]), dy], settings3d(attributes))[0],
  Conv3DBackpropInputV2: ({ dy, filter }, attributes, backend) =>
    backend.run('Conv3DBackpropInputV2', [ints(attributes.inputShape as number[]), filter, dy], settings3d(attributes))[0],
}
