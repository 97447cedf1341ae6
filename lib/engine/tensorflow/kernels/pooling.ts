import * as tf from '@tensorflow/tfjs'
import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { Attributes } from '../attributes.ts'
import { ints } from '../backend.ts'
import type { TensorFlowBackend } from '../backend.ts'
import type { Kernels } from './index.ts'

type Shape = [number, number, number, number]
type Info = tf.backend_util.Conv2DInfo
interface Wish {
  filterSize: number | [number, number]
  strides: number | [number, number]
  pad: 'same' | 'valid' | number | tf.backend_util.ExplicitPadding
  dimRoundingMode?: 'floor' | 'round' | 'ceil'
}

function infoOf({ shape }: TensorInfo, attributes: Record<string, unknown>): Info {
  const { filterSize, strides, pad, dimRoundingMode } = attributes as unknown as Wish
  return tf.backend_util.computePool2DInfo(shape as Shape, filterSize, strides, 1, pad, dimRoundingMode)
}

const named = ({ padInfo: { type } }: Info) => type === 'SAME' || type === 'VALID'

function settings(info: Info): Attributes {
  const { top, bottom, left, right, type } = info.padInfo
  return {
    ksize: [1, info.filterHeight, info.filterWidth, 1], strides: [1, info.strideHeight, info.strideWidth, 1], data_format: 'NHWC',
    padding: named(info) ? type : 'EXPLICIT', explicit_paddings: named(info) ? undefined : [0, 0, top, bottom, left, right, 0, 0],
  }
}

/** Average pooling has no explicit margins: it is that of the image with its margin, over that of ones. */
function averageWithMargin(backend: TensorFlowBackend, x: TensorInfo, info: Info): TensorInfo {
  const { top, bottom, left, right } = info.padInfo, margin = ints([0, 0, top, bottom, left, right, 0, 0], [4, 2])
  const plain = { ...settings(info), padding: 'VALID', explicit_paddings: undefined }
  return backend.compose(run => run('RealDiv', [run('AvgPool', [run('Pad', [x, margin])], plain),
    run('AvgPool', [run('Pad', [run('OnesLike', [x]), margin])], plain)]))
}

const cube = (sizes: unknown) => [1, ...(typeof sizes === 'number' ? [sizes, sizes, sizes] : sizes as number[]), 1]
const settings3d = ({ filterSize, strides, pad }: Record<string, unknown>): Attributes =>
  ({ ksize: cube(filterSize), strides: cube(strides), padding: String(pad).toUpperCase(), data_format: 'NDHWC' })

/** Pooling and its gradients. */
export const pooling: Kernels = {
  AvgPool({ x }, attributes, backend) {
    const info = infoOf(x, attributes)
    return named(info) ? backend.run('AvgPool', [x], { ...settings(info), explicit_paddings: undefined })[0] : averageWithMargin(backend, x, info)
  },
  ExactAvgPoolGrad({ dy, input }, attributes, backend) {
    const info = infoOf(input, attributes)
    if (named(info)) {
      return backend.run('AvgPoolGrad', [ints(input.shape), dy], { ...settings(info), explicit_paddings: undefined })[0]
    }
    const { top, bottom, left, right } = info.padInfo, margin = ints([0, 0, top, bottom, left, right, 0, 0], [4, 2])
    const plain = { ...settings(info), padding: 'VALID', explicit_paddings: undefined }
    const [batch, height, width, channels] = input.shape, wide = [batch, height + top + bottom, width + left + right, channels]
    return backend.compose(run => {
      const shares = run('AvgPool', [run('Pad', [run('OnesLike', [input]), margin])], plain)
      const dx = run('AvgPoolGrad', [ints(wide), run('RealDiv', [dy, shares])], plain)
      return run('Slice', [dx, ints([0, top, left, 0]), ints(input.shape)])
    })
  },
  MaxPool: ({ x }, attributes, backend) => backend.run('MaxPool', [x], settings(infoOf(x, attributes)))[0],
  MaxPoolGrad: ({ dy, input, output }, attributes, backend) =>
    backend.run('MaxPoolGrad', [input, output, dy], settings(infoOf(input, attributes)))[0],
  AvgPool3D: ({ x }, attributes, backend) => backend.run('AvgPool3D', [x], settings3d(attributes))[0],
  AvgPool3DGrad: ({ dy, input }, attributes, backend) =>
    backend.run('AvgPool3DGrad', [ints(input.shape), dy], settings3d(attributes))[0],
  MaxPool3D: ({ x }, attributes, backend) => backend.run('MaxPool3D', [x], settings3d(attributes))[0],
  MaxPool3DGrad: ({ dy, input, output }, attributes, backend) =>
    backend.run('MaxPool3DGrad', [input, output, dy], settings3d(attributes))[0],
}
