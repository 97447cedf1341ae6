import { Unsupported, weightsOf } from '../emitter.ts'
import type { Emitter, Rule, Value } from '../emitter.ts'

/** y = x·scale + offset for each channel, into the convolution that gave x. */
function fold({ weights, bias }: NonNullable<Value['convolution']>, scale: Float32Array, offset: Float32Array): void {
  const filter = weights.length / bias.length
  for (let channel = 0; channel < bias.length; channel++) {
    for (let i = channel * filter; i < (channel + 1) * filter; i++) weights[i] *= scale[channel]
    bias[channel] = bias[channel] * scale[channel] + offset[channel]
  }
}

/** The value times `scale` plus `offset`, one each per channel or one for all. */
function affine(e: Emitter, x: Value, scale: Float32Array, offset: Float32Array): Value {
  const dims = scale.length === 1 ? [] : x.channelsFirst ? [scale.length, 1, 1] : [scale.length]
  const scaled = e.node('Mul', [x.name, e.constant(scale, dims)])
  return { name: e.node('Add', [scaled, e.constant(offset, dims)]), shape: x.shape, channelsFirst: x.channelsFirst }
}

function lastAxisOnly(axis: unknown, shape: Value['shape']): void {
  const axes = (Array.isArray(axis) ? axis : [axis ?? -1]) as number[]
  if (axes.length !== 1 || (axes[0] + shape.length) % shape.length !== shape.length - 1) {
    throw new Unsupported('a normalization over other than the last axis')
  }
}

export const normalizationRules: Record<string, Rule> = {
  BatchNormalization: (e, layer, [x]) => {
    const { axis, epsilon = 1e-3 } = layer.getConfig() as { axis?: number, epsilon?: number }
    lastAxisOnly(axis, x.shape)
    const { gamma, beta, moving_mean: mean, moving_variance: variance } = weightsOf(layer)
    const scale = Float32Array.from(variance.data, (value, c) => (gamma?.data[c] ?? 1) / Math.sqrt(value + epsilon))
    const offset = Float32Array.from(mean.data, (value, c) => (beta?.data[c] ?? 0) - value * scale[c])
    if (x.convolution) {
      fold(x.convolution, scale, offset)
      return x
    }
    if (x.shape.length !== 4) return affine(e, x, scale, offset)
    const ones = new Float32Array(mean.data.length).fill(1), zeros = new Float32Array(mean.data.length)
    const inputs = [gamma?.data ?? ones, beta?.data ?? zeros, mean.data, variance.data].map((data) => e.constant(data))
    const name = e.node('BatchNormalization', [e.first(x), ...inputs], { epsilon: { float: epsilon } })
    return { name, shape: x.shape, channelsFirst: true }
  },

  LayerNormalization: (e, layer, [x]) => {
    const { axis, epsilon = 1e-3 } = layer.getConfig() as { axis?: number | number[], epsilon?: number }
    lastAxisOnly(axis, x.shape)
    const { gamma, beta } = weightsOf(layer), channels = x.shape.at(-1)!
    const inputs = [gamma?.data ?? new Float32Array(channels).fill(1), beta?.data ?? new Float32Array(channels)]
    const name = e.node('LayerNormalization', [e.last(x), ...inputs.map((data) => e.constant(data))], { axis: -1, epsilon: { float: epsilon } })
    return { name, shape: x.shape, channelsFirst: false }
  },

  GroupNormalization: (e, layer, [x]) => {
    const { groups: count, epsilon } = layer.getConfig() as { groups: number, epsilon: number }
    const [, height, width, channels] = x.shape, groups = count === -1 ? channels! : count
    if (x.shape.length !== 4 || !height || !width) throw new Unsupported('a group normalization of other than images of one size')
    const { gamma, beta } = weightsOf(layer), ones = new Float32Array(groups).fill(1)
    // Each group of channels is one instance.
    const apart = e.node('Reshape', [e.first(x), e.constant([0, groups, -1])])
    const normal = e.node('InstanceNormalization', [apart, e.constant(ones), e.constant(new Float32Array(groups))], { epsilon: { float: epsilon } })
    const name = e.node('Reshape', [normal, e.constant([0, channels!, height, width])])
    return affine(e, { name, shape: x.shape, channelsFirst: true },
      gamma?.data ?? new Float32Array(channels!).fill(1), beta?.data ?? new Float32Array(channels!))
  },

  Rescaling: (e, layer, [x]) => {
    const { scale, offset = 0 } = layer.getConfig() as { scale: number | number[], offset?: number | number[] }
    const length = Math.max(Array.isArray(scale) ? scale.length : 1, Array.isArray(offset) ? offset.length : 1)
    const spread = (value: number | number[]) => Float32Array.from({ length }, (_, i) => Array.isArray(value) ? value[i] : value)
    return affine(e, x, spread(scale), spread(offset))
  },
  Normalization: (e, layer, [x]) => {
    const { axis, mean, variance } = layer.getConfig() as { axis?: number, mean: number[], variance: number[] }
    lastAxisOnly(axis, x.shape)
    const scale = Float32Array.from(variance, (value) => 1 / Math.max(Math.sqrt(value), 1e-7))
    return affine(e, x, scale, scale.map((value, c) => -mean[c] * value))
  },

  LayerScale: (e, layer, [x]) => {
    const { data } = weightsOf(layer).gamma
    return affine(e, x, data, new Float32Array(data.length))
  },
}
