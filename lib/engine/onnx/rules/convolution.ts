import { standardized } from '../../../layers/standardized-convolution.ts'
import { tf } from '../../../tf.ts'
import { Unsupported, weightsOf } from '../emitter.ts'
import type { Emitter, Rule, Value } from '../emitter.ts'
import { activate } from './activation.ts'

type Pair = [number, number]

interface Window {
  kernelSize: Pair
  strides: Pair
  dilationRate: Pair
  padding: string
}

const pair = (value: unknown, otherwise: number): Pair =>
  Array.isArray(value) ? [value[0], value[1] ?? value[0]] : [Number(value ?? otherwise), Number(value ?? otherwise)]

/** The sliding window that a layer's config describes. Throws where its data are channels first. */
export function windowOf(config: Record<string, unknown>, sizeKey = 'kernelSize'): Window {
  if (config.dataFormat === 'channelsFirst') throw new Unsupported('channels-first data')
  const kernelSize = pair(config[sizeKey], 1)
  return {
    kernelSize, strides: pair(config.strides ?? (sizeKey === 'poolSize' ? kernelSize : 1), 1),
    dilationRate: pair(config.dilationRate, 1), padding: String(config.padding ?? 'valid'),
  }
}

/** TensorFlow's SAME as explicit margins, the odd pixel after the image; known sizes are needed for it. */
export function padding({ kernelSize, strides, dilationRate, padding }: Window, shape: Value['shape']): Record<string, number[] | string> {
  if (padding !== 'same') return {}
  if (shape[1] === null || shape[2] === null) return { auto_pad: 'SAME_UPPER' }
  const margins = [0, 1].map((axis) => {
    const size = shape[axis + 1]!, reach = (kernelSize[axis] - 1) * dilationRate[axis] + 1
    return Math.max((Math.ceil(size / strides[axis]) - 1) * strides[axis] + reach - size, 0)
  })
  const before = margins.map((margin) => Math.floor(margin / 2))
  return { pads: [...before, margins[0] - before[0], margins[1] - before[1]] }
}

/** Reorders a filter [kh, kw, a, b] to ONNX's [a', b', kh, kw] with a' and b' as `order` says: 'ab' or 'ba'. */
function reorder(data: Float32Array, [kh, kw, a, b]: number[], order: 'ab' | 'ba'): Float32Array<ArrayBuffer> {
  const result = new Float32Array(data.length), pixels = kh * kw
  const [ofA, ofB] = order === 'ab' ? [b * pixels, pixels] : [pixels, a * pixels]
  // In strips of what the processor reads at once: otherwise each number costs a look into memory.
  for (let strip = 0; strip < b; strip += 16) {
    const end = Math.min(strip + 16, b)
    for (let i = 0; i < a; i++) {
      for (let p = 0; p < pixels; p++) {
        for (let j = strip, from = (p * a + i) * b; j < end; j++) result[i * ofA + j * ofB + p] = data[from + j]
      }
    }
  }
  return result
}

function convolve(e: Emitter, x: Value, weights: Float32Array, dims: number[], bias: Float32Array, group: number, window: Window, shape: Value['shape']): Value {
  const name = e.node('Conv', [e.first(x), e.constant(weights, dims), e.constant(bias)], {
    kernel_shape: window.kernelSize, strides: window.strides, dilations: window.dilationRate, group, ...padding(window, x.shape),
  })
  return { name, shape, channelsFirst: true, convolution: { weights, bias } }
}

/** Either finished at once or, where there is no activation, still open to the folding of a normalization. */
function finish(e: Emitter, value: Value, activation: unknown): Value {
  return activation === undefined || activation === 'linear' ? value : activate(e, value, activation)
}

/** A plain convolution, its filters first changed by `prepare`. */
function plain(prepare: (kernel: { data: Float32Array, shape: number[] }) => Float32Array): Rule {
  return (e, layer, [x], shape) => {
    const config = layer.getConfig(), { kernel, bias } = weightsOf(layer)
    const [kh, kw, inputs, filters] = kernel.shape
    return finish(e, convolve(
      e, x, reorder(prepare(kernel), kernel.shape, 'ba'), [filters, inputs, kh, kw], bias?.data ?? new Float32Array(filters),
      x.shape[3]! / inputs, windowOf(config), shape,
    ), config.activation)
  }
}

export const convolutionRules: Record<string, Rule> = {
  Conv2D: plain(({ data }) => data),

  StandardizedConv2D: plain(({ data, shape }) => tf.tidy(() => standardized(tf.tensor(data, shape)).dataSync<'float32'>().slice())),

  DepthwiseConv2D: (e, layer, [x], shape) => {
    const config = layer.getConfig(), { depthwise_kernel: kernel, bias } = weightsOf(layer)
    const [kh, kw, channels, multiplier] = kernel.shape
    return finish(e, convolve(
      e, x, reorder(kernel.data, kernel.shape, 'ab'), [channels * multiplier, 1, kh, kw],
      bias?.data ?? new Float32Array(channels * multiplier), channels, windowOf(config), shape,
    ), config.activation)
  },

  SeparableConv2D: (e, layer, [x], shape) => {
    const config = layer.getConfig(), { depthwise_kernel: deep, pointwise_kernel: point, bias } = weightsOf(layer)
    const [kh, kw, channels, multiplier] = deep.shape, wide = channels * multiplier, filters = point.shape[3]
    const middle = [...shape.slice(0, 3), wide]
    const y = convolve(
      e, x, reorder(deep.data, deep.shape, 'ab'), [wide, 1, kh, kw], new Float32Array(wide), channels, windowOf(config), middle)
    return finish(e, convolve(
      e, y, reorder(point.data, point.shape, 'ba'), [filters, wide, 1, 1], bias?.data ?? new Float32Array(filters), 1,
      { kernelSize: [1, 1], strides: [1, 1], dilationRate: [1, 1], padding: 'valid' }, shape,
    ), config.activation)
  },

  Conv2DTranspose: (e, layer, [x], shape) => {
    const config = layer.getConfig(), { kernel, bias } = weightsOf(layer), window = windowOf(config)
    const [kh, kw, filters, inputs] = kernel.shape
    if (config.dilationRate) throw new Unsupported('a dilated transposed convolution')
    if (x.shape[1] === null || x.shape[2] === null) throw new Unsupported('a transposed convolution of images of any size')
    const margins = [0, 1].map((axis) =>
      (x.shape[axis + 1]! - 1) * window.strides[axis] + window.kernelSize[axis] - shape[axis + 1]!)
    const total = margins.map((margin) => Math.max(margin, 0)), before = total.map((margin) => Math.floor(margin / 2))
    const name = e.node('ConvTranspose', [
      e.first(x), e.constant(reorder(kernel.data, kernel.shape, 'ba'), [inputs, filters, kh, kw]),
      e.constant(bias?.data ?? new Float32Array(filters)),
    ], {
      kernel_shape: window.kernelSize, strides: window.strides, output_padding: margins.map((margin) => Math.max(-margin, 0)),
      pads: [...before, total[0] - before[0], total[1] - before[1]],
    })
    return finish(e, { name, shape, channelsFirst: true }, config.activation)
  },
}
