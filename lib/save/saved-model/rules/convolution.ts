import type { layers } from '@tensorflow/tfjs'
import { boolAttr, intsAttr, type Shape, textAttr } from '../attributes.ts'
import { type Body, type Rule, Unsupported, type Value } from '../body.ts'
import { activate, elementwise } from './activation.ts'

type Pair = [number, number]
type Config = Record<string, unknown>

/** One number for both sides of an image, or one each. */
export const pair = (value: unknown, otherwise = 1): Pair =>
  Array.isArray(value) ? [value[0], value[1] ?? value[0]] : [Number(value ?? otherwise), Number(value ?? otherwise)]

/** Throws where a layer's images have their channels first, which TensorFlow computes on GPUs alone. */
export function channelsLast({ dataFormat }: Config): void {
  if (dataFormat === 'channelsFirst') throw new Unsupported('channels-first data')
}

/** Strides and padding as attributes of an operation. */
export function windowOf(config: Config, strides: unknown = config.strides): Record<string, Uint8Array> {
  channelsLast(config)
  const padding = String(config.padding ?? 'valid').toUpperCase()
  return { strides: intsAttr([1, ...pair(strides), 1]), padding: textAttr(padding) }
}

/** The bias added and the activation put on. */
export function finish(b: Body, layer: layers.Layer, x: Value): Value {
  const bias = b.weight(layer, 'bias')
  return activate(b, bias ? b.node('BiasAdd', [x, bias], x.shape) : x, layer.getConfig().activation)
}

function convolution(b: Body, x: Value, kernel: Value, config: Config, shape: Shape): Value {
  return b.node('Conv2D', [x, kernel], shape, { ...windowOf(config), dilations: intsAttr([1, ...pair(config.dilationRate), 1]) })
}

/** Filters of mean 0 and variance 1, as Big Transfer has them. */
function standardized(b: Body, kernel: Value): Value {
  const each = [1, 1, 1, kernel.shape[3]], axes = b.integers([0, 1, 2]), keep = { keep_dims: boolAttr(true) }
  const mean = b.node('Mean', [kernel, axes], each, keep)
  const variance = b.node('Mean', [b.node('SquaredDifference', [kernel, mean], kernel.shape), axes], each, keep)
  const deviation = elementwise(b, 'Sqrt', elementwise(b, 'AddV2', variance, b.number(1e-10)))
  return elementwise(b, 'RealDiv', elementwise(b, 'Sub', kernel, mean), deviation)
}

const plain = (prepare: (b: Body, kernel: Value) => Value): Rule => (b, layer, [x], shape) =>
  finish(b, layer, convolution(b, x, prepare(b, b.weight(layer, 'kernel')!), layer.getConfig(), shape))

/**
 * A filter for each channel. TensorFlow dilates none of these: the image is cut into interleaved ones and put together again, as
 * its own `depthwise_conv2d` does.
 */
function depthwise(b: Body, x: Value, kernel: Value, config: Config, shape: Shape): Value {
  const rate = pair(config.dilationRate), window = windowOf(config)
  if (rate.every(step => step === 1)) return b.node('DepthwiseConv2dNative', [x, kernel], shape, window)
  const [, height, width, channels] = x.shape
  if (height === null || width === null) throw new Unsupported('a dilated convolution of images of any size')
  const around = [0, 1].map(d => config.padding === 'same' ? (kernel.shape[d]! - 1) * rate[d] : 0)
  const before = around.map(margin => Math.floor(margin / 2)), after = around.map((margin, d) => margin - before[d])
  const whole = [height, width].map((side, d) => side + around[d])
  const more = whole.map((side, d) => (rate[d] - side % rate[d]) % rate[d])
  const pads = b.constant([before[0], after[0] + more[0], before[1], after[1] + more[1]], 'int32', [2, 2])
  const crops = b.constant([0, more[0], 0, more[1]], 'int32', [2, 2]), block = b.integers(rate)
  const apart = whole.map((side, d) => (side + more[d]) / rate[d])
  const pieces = b.node('SpaceToBatchND', [x, block, pads], [null, ...apart, channels])
  const valid = { strides: window.strides, padding: textAttr('VALID') }
  const convolved = b.node('DepthwiseConv2dNative', [pieces, kernel],
    [null, ...apart.map((side, d) => side - kernel.shape[d]! + 1), shape[3]], valid)
  return b.node('BatchToSpaceND', [convolved, block, crops], shape)
}

export const convolutionRules: Record<string, Rule> = {
  Conv2D: plain((_, kernel) => kernel),

  StandardizedConv2D: plain(standardized),

  DepthwiseConv2D: (b, layer, [x], shape) =>
    finish(b, layer, depthwise(b, x, b.weight(layer, 'depthwise_kernel')!, layer.getConfig(), shape)),

  SeparableConv2D: (b, layer, [x], shape) => {
    const deep = b.weight(layer, 'depthwise_kernel')!, point = b.weight(layer, 'pointwise_kernel')!
    const middle = [...shape.slice(0, 3), deep.shape[2]! * deep.shape[3]!]
    const y = depthwise(b, x, deep, layer.getConfig(), middle)
    return finish(b, layer, b.node('Conv2D', [y, point], shape, windowOf({ padding: 'valid' })))
  },

  Conv2DTranspose: (b, layer, [x], shape) => {
    const config = layer.getConfig(), [, ...sides] = shape
    if (config.dilationRate) throw new Unsupported('a dilated transposed convolution')
    if (sides.includes(null)) throw new Unsupported('a transposed convolution of images of any size')
    const size = b.sizes([b.side(x, 0), ...sides as number[]])
    return finish(b, layer, b.node('Conv2DBackpropInput', [size, b.weight(layer, 'kernel')!, x], shape,
      { ...windowOf(config), T: b.float }, 'float32'))
  },
}
