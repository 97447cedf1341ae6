import type { LayersModel } from '@tensorflow/tfjs'
import type { Layer } from '../customize/layers.ts'
import { graphOf, type Edge, type Step } from '../engine/graph.ts'

/** What a layer costs for one image, and how much of the image a point of its output sees. */
export interface Cost {
  /** Floating point operations of a forward pass: a multiplication and an addition are two. */
  flops: number
  /** Numbers it gives. */
  outputs: number
  /** Height and width of the image's part that reaches one point, in pixels; `Infinity` after a global pooling. `NaN` for what is no map. */
  field: number
  /** How many pixels of the image lie between two neighbouring points. */
  stride: number
}

interface Reach {
  field: number
  stride: number
}

/**
 * The costs of a model's layers, those inside nested models included. Nothing for a model whose input has no fixed size.
 * Receptive fields are the theoretical ones (Araujo et al. 2019, "Computing Receptive Fields of Convolutional Neural
 * Networks"); where branches meet, the widest counts.
 *
 * @example
 * costs(base).get(base.getLayer('Conv1'))   // { flops: 21676032, outputs: 401408, field: 3, stride: 2 }
 */
export function costs(model: LayersModel): Map<Layer, Cost> {
  const found = new Map<Layer, Cost>()
  if (!model.inputs?.length || model.inputs.some(({ shape }) => shape.slice(1).includes(null))) return found
  const graph = graphOf(model),
    reach = new Map<Edge, Reach>(graph.inputs.map(edge => [edge, { field: 1, stride: 1 }]))
  for (const [i, edge] of graph.inputs.entries()) {
    found.set(model.inputs[i].sourceLayer, {
      flops: 0,
      outputs: size(edge.shape),
      field: edge.shape.length === 4 ? 1 : NaN,
      stride: 1,
    })
  }
  for (const step of graph.steps) {
    const own = reachOf(
      step,
      step.inputs.map(edge => reach.get(edge) ?? { field: NaN, stride: NaN }),
    )
    for (const edge of step.outputs) reach.set(edge, own)
    const before = found.get(step.layer),
      isMap = step.outputs[0].shape.length === 4
    found.set(step.layer, {
      flops: (before?.flops ?? 0) + flopsOf(step),
      outputs: (before?.outputs ?? 0) + step.outputs.reduce((sum, { shape }) => sum + size(shape), 0),
      field: isMap ? own.field : NaN,
      stride: isMap ? own.stride : NaN,
    })
  }
  return found
}

const size = (shape: (number | null)[]) => shape.slice(1).reduce<number>((n, side) => n * (side ?? 1), 1)

type Config = {
  kernelSize?: number | number[]
  poolSize?: number[]
  strides?: number | number[]
  dilationRate?: number | number[]
  groups?: number
}
const first = (value: number | number[] | undefined, usual = 1) => (Array.isArray(value) ? value[0] : value) ?? usual

/** How the window of a layer widens what its input saw. */
function reachOf({ layer, inputs, outputs }: Step, given: Reach[]): Reach {
  const field = Math.max(...given.map(one => one.field)),
    stride = Math.max(...given.map(one => one.stride))
  const config = layer as unknown as Config,
    kind = layer.getClassName()
  if (/^Global/.test(kind) || (inputs[0].shape.length === 4 && outputs[0].shape.length !== 4))
    return { field: Infinity, stride: Infinity }
  if (/UpSampling|Transpose/.test(kind))
    return {
      field: field + (first(config.kernelSize) - 1) * stride,
      stride: stride / first(config.strides ?? (layer as { size?: number[] }).size, 2),
    }
  if (!/Conv2D|Pooling2D/.test(kind)) return { field, stride }
  const window = (first(config.kernelSize ?? config.poolSize, 2) - 1) * first(config.dilationRate) + 1
  return {
    field: field + (window - 1) * stride,
    stride: stride * first(config.strides, /Pool/.test(kind) ? first(config.poolSize, 2) : 1),
  }
}

/** As TensorFlow's profiler counts: twice the multiplications of convolutions and products, one for each number of all else. */
function flopsOf({ layer, inputs, outputs }: Step): number {
  const kind = layer.getClassName(),
    out = size(outputs[0].shape),
    config = layer as unknown as Config
  const weights = layer.weights.map(({ shape }) => shape as number[])
  if (!weights.length)
    return /Pooling/.test(kind)
      ? /^Global/.test(kind)
        ? size(inputs[0].shape)
        : out * (config.poolSize ?? [2, 2]).reduce((a, b) => a * b, 1)
      : /Input|Flatten|Reshape|Permute|Dropout|ZeroPadding|Cropping|Concatenate/.test(kind)
        ? 0
        : out
  const product = (shape: number[]) => shape.reduce((a, b) => a * b, 1)
  if (/BatchNormalization/.test(kind)) return 2 * out
  if (/Normalization|LayerScale|PReLU/.test(kind)) return (/Layer|Group/.test(kind) ? 8 : 2) * out
  const bias = weights.some(shape => shape.length === 1) ? out : 0
  if (/Transpose/.test(kind)) return (2 * product(weights[0]) * size(inputs[0].shape)) / weights[0][3] + bias
  if (/^Separable/.test(kind)) {
    const points = size(outputs[0].shape) / weights[1][3]
    return 2 * points * (product(weights[0]) + product(weights[1])) + bias
  }
  if (/^Depthwise/.test(kind)) return 2 * out * weights[0][0] * weights[0][1] + bias
  // A kernel [height, width, inputs per group, outputs], or [inputs, outputs]: each number of the output sums over all but the last side.
  return 2 * out * product(weights[0].slice(0, -1)) + bias
}
