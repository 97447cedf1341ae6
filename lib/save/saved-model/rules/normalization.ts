import type { layers } from '@tensorflow/tfjs'
import { boolAttr, floatAttr, type Shape } from '../attributes.ts'
import { type Body, type Rule, Unsupported, type Value, weightOf } from '../body.ts'
import { elementwise } from './activation.ts'

const keep = { keep_dims: boolAttr(true) }

/** Mean and variance over some axes, which stay as sides of 1. */
function moments(b: Body, x: Value, axes: number[]): { mean: Value, variance: Value } {
  const shape = x.shape.map((side, d) => axes.includes(d) ? 1 : side), over = b.integers(axes)
  const mean = b.node('Mean', [x, over], shape, keep)
  return { mean, variance: b.node('Mean', [elementwise(b, 'SquaredDifference', x, mean), over], shape, keep) }
}

/** `x·w + (beta − mean·w)` with `w = gamma / √(variance + epsilon)`, as Keras writes it; gamma and beta may be missing. */
function normalize(b: Body, x: Value, mean: Value, variance: Value, gamma: Value | undefined, beta: Value | undefined,
  epsilon: number): Value {
  const root = elementwise(b, 'Rsqrt', elementwise(b, 'AddV2', variance, b.number(epsilon)))
  const wide = gamma && gamma.shape.length > root.shape.length ? gamma.shape : root.shape
  const w = gamma ? b.node('Mul', [root, gamma], wide) : root
  const shift = b.node('Mul', [mean, w], w.shape)
  const rest = beta ? elementwise(b, 'Sub', beta, shift) : elementwise(b, 'Neg', shift)
  return elementwise(b, 'AddV2', elementwise(b, 'Mul', x, w), rest)
}

const axisOf = (layer: layers.Layer, rank: number): number[] => {
  const { axis = -1 } = layer.getConfig() as { axis?: number | number[] }
  return [axis].flat().map(each => each < 0 ? each + rank : each)
}

const scaled = (b: Body, layer: layers.Layer, x: Value): Value => {
  const gamma = b.weight(layer, 'gamma'), beta = b.weight(layer, 'beta'), wide = gamma ? elementwise(b, 'Mul', x, gamma) : x
  return beta ? elementwise(b, 'AddV2', wide, beta) : wide
}

/** The moving statistics go a step towards those of the batch: `moving −= (moving − batch)·(1 − momentum)`. */
function follow(b: Body, layer: layers.Layer, name: string, batch: Value, momentum: number): void {
  const weight = weightOf(layer, name)!, moving = b.read(weight)
  const step = elementwise(b, 'Mul', elementwise(b, 'Sub', moving, batch), b.number(1 - momentum))
  b.assign(weight, step, 'AssignSubVariableOp')
}

/** Channels last: TensorFlow's one operation for images. In training it measures the batch, unless the layer is frozen. */
function fused(b: Body, layer: layers.Layer, x: Value, epsilon: number, momentum: number, learns: boolean): Value {
  const channels = x.shape.at(-1)!, filled = (value: number) => b.constant(new Float32Array(channels).fill(value))
  const scale = b.weight(layer, 'gamma') ?? filled(1), offset = b.weight(layer, 'beta') ?? filled(0)
  const mean = b.weight(layer, 'moving_mean')!, variance = b.weight(layer, 'moving_variance')!
  const shapes: Shape[] = [x.shape, [channels], [channels]]
  if (!learns) {
    // TensorFlow does not look at this factor here; it tells the momentum of a layer that is frozen.
    const factor: Record<string, Uint8Array> = b.training ? { exponential_avg_factor: floatAttr(1 - momentum) } : {}
    return b.nodeOf('FusedBatchNormV3', [x, scale, offset, mean, variance], shapes,
      { U: b.float, epsilon: floatAttr(epsilon), is_training: boolAttr(false), ...factor })[0]
  }
  const none = b.constant([], 'float32', [0])
  const [y, batchMean, batchVariance] = b.nodeOf('FusedBatchNormV3', [x, scale, offset, none, none], shapes,
    { U: b.float, epsilon: floatAttr(epsilon), is_training: boolAttr(true) })
  follow(b, layer, 'moving_mean', batchMean, momentum)
  follow(b, layer, 'moving_variance', batchVariance, momentum)
  return y
}

export const normalizationRules: Record<string, Rule> = {
  BatchNormalization: (b, layer, [x], _, { frozen }) => {
    const { epsilon = 1e-3, momentum = 0.99 } = layer.getConfig() as { epsilon?: number, momentum?: number }
    const rank = x.shape.length, [axis] = axisOf(layer, rank), learns = b.training && layer.trainable && !frozen
    if (rank === 4 && axis === 3) return fused(b, layer, x, epsilon, momentum, learns)
    const wide = x.shape.map((side, d) => d === axis ? side! : 1), last = axis === rank - 1
    const spread = (value: Value | undefined) => value && !last ? b.node('Reshape', [value, b.integers(wide)], wide) : value
    const [gamma, beta, mean, variance] =
      ['gamma', 'beta', 'moving_mean', 'moving_variance'].map(name => spread(b.weight(layer, name)))
    if (!learns) return normalize(b, x, mean!, variance!, gamma, beta, epsilon)
    const batch = moments(b, x, x.shape.map((_, d) => d).filter(d => d !== axis)), channels = [x.shape[axis]!]
    for (const [name, value] of [['moving_mean', batch.mean], ['moving_variance', batch.variance]] as const)
      follow(b, layer, name, b.node('Reshape', [value, b.integers(channels)], channels), momentum)
    return normalize(b, x, batch.mean, batch.variance, gamma, beta, epsilon)
  },

  LayerNormalization: (b, layer, [x]) => {
    const { epsilon = 1e-3 } = layer.getConfig() as { epsilon?: number }
    const { mean, variance } = moments(b, x, axisOf(layer, x.shape.length))
    return normalize(b, x, mean, variance, b.weight(layer, 'gamma'), b.weight(layer, 'beta'), epsilon)
  },

  GroupNormalization: (b, layer, [x]) => {
    const { groups: count, epsilon } = layer.getConfig() as { groups: number, epsilon: number }
    const channels = x.shape.at(-1)!, groups = count === -1 ? channels : count
    if (x.shape.slice(1).includes(null)) throw new Unsupported('a group normalization of images of any size')
    const apart = [...x.shape.slice(0, -1), groups, channels / groups], grouped = b.reshape(x, apart)
    const { mean, variance } = moments(b, grouped, apart.map((_, d) => d).filter(d => d !== 0 && d !== apart.length - 2))
    return scaled(b, layer, b.reshape(normalize(b, grouped, mean, variance, undefined, undefined, epsilon), x.shape))
  },

  Rescaling: (b, layer, [x]) => {
    const { scale, offset = 0 } = layer.getConfig() as { scale: number | number[], offset?: number | number[] }
    const value = (given: number | number[]) => typeof given === 'number' ? b.number(given) : b.constant(given)
    return elementwise(b, 'AddV2', elementwise(b, 'Mul', x, value(scale)), value(offset))
  },

  Normalization: (b, layer, [x]) => {
    const { mean, variance } = layer.getConfig() as { mean: number[], variance: number[] }
    const deviation = b.constant(variance.map(value => Math.max(Math.sqrt(value), 1e-7)))
    return elementwise(b, 'RealDiv', elementwise(b, 'Sub', x, b.constant(mean)), deviation)
  },

  AdaptedNormalization: (b, layer, [x]) => {
    const deviation = elementwise(b, 'Maximum', elementwise(b, 'Sqrt', b.weight(layer, 'variance')!), b.number(1e-7))
    return elementwise(b, 'RealDiv', elementwise(b, 'Sub', x, b.weight(layer, 'mean')!), deviation)
  },

  LayerScale: (b, layer, [x]) => elementwise(b, 'Mul', x, b.weight(layer, 'gamma')!),
}
