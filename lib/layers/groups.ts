import type * as tfTypes from '@tensorflow/tfjs'
import { type Methods, prototypeOf, type TF } from './prototype.ts'
import { apart } from './slices.ts'

type Tensor = tfTypes.Tensor
type Shape = (number | null)[]
type Pair = [number, number]
type Triple = [number, number, number]
type Call = (inputs: Tensor | Tensor[], kwargs: object) => unknown

interface Convolution {
  strides: number[]
  padding: 'same' | 'valid' | 'causal'
  dataFormat: string
  dilationRate: number[]
  groups: number
  kernelSize: number[]
  kernel: { read(): Tensor }
  bias?: { read(): Tensor } | null
  activation?: { apply(x: Tensor): Tensor }
}

/**
 * Convolutions with `groups`: each group of output channels sees its own group of input channels (Keras's `groups`); and
 * those along a sequence with the padding `causal`, by which nothing sees what comes after it. A configuration that is read back
 * carries the number; on a new layer it is set as a property: `Object.assign(tf.layers.conv2d(…), { groups: 4 })`.
 */
export function repairGroups(tf: TF): void {
  const settings = { filters: 1, kernelSize: 1 }
  for (const layer of [tf.layers.conv1d(settings), tf.layers.conv2d(settings), tf.layers.conv3d(settings)]) repairRank(tf, layer)
}

function repairRank(tf: TF, layer: tfTypes.layers.Layer): void {
  const prototype = prototypeOf(layer) as Methods & { groups?: number }
  const call = prototype.call as unknown as Call, build = prototype.build as unknown as (shape: Shape) => void
  const computeOutputShape = prototype.computeOutputShape as unknown as (shape: Shape) => Shape
  const getConfig = prototype.getConfig as unknown as () => object, cls = prototype.constructor
  prototype.groups = 1
  cls.fromConfig = (make: new (config: object) => object, config: { groups?: number }) =>
    Object.assign(new make(config), { groups: config.groups ?? 1 })
  tf.serialization.registerClass(cls as never)
  prototype.build = function (this: Convolution & { inputSpec: unknown }, shapes: Shape | Shape[]) {
    const shape = (Array.isArray(shapes[0]) ? shapes[0] : shapes) as Shape,
      axis = this.dataFormat === 'channelsFirst' ? 1 : shape.length - 1
    build.call(this, shape.map((size, d) => d === axis ? size! / this.groups : size))
    this.inputSpec = [{ ndim: shape.length, axes: { [axis]: shape[axis] } }]
  }
  prototype.computeOutputShape = function (this: Convolution, shape: Shape) {
    if (this.padding !== 'causal') return computeOutputShape.call(this, shape)
    return computeOutputShape.call(this, (shape as Shape).with(1, shape[1] === null ? null : shape[1] + ahead(this)))
  }
  prototype.call = function (this: Convolution, inputs: Tensor | Tensor[], kwargs: object) {
    const dilated = this.kernelSize.length > 1 && this.dilationRate.some(rate => rate > 1)
    const plain = this.groups === 1 && this.padding !== 'causal' && !dilated
    if (plain || this.dataFormat === 'channelsFirst') return call.call(this, inputs, kwargs)
    return tf.tidy(() => {
      const y = convolve(tf, Array.isArray(inputs) ? inputs[0] : inputs, this.kernel.read(), this.groups, this)
      const biased = this.bias ? tf.add(y, this.bias.read()) : y
      return this.activation ? this.activation.apply(biased) : biased
    })
  }
  prototype.getConfig = function (this: Convolution) {
    return this.groups === 1 ? getConfig.call(this) : { ...getConfig.call(this), groups: this.groups }
  }
}

/** How many zeros stand before a sequence whose padding is causal. */
const ahead = ({ kernelSize, dilationRate }: Convolution): number => (kernelSize[0] - 1) * dilationRate[0]

function convolve(tf: TF, x: Tensor, kernel: Tensor, groups: number, layer: Convolution): Tensor {
  const { strides, padding, dilationRate } = layer, rank = kernel.rank - 2
  if (rank === 1) {
    const whole = padding === 'causal' ? tf.pad(x, [[0, 0], [ahead(layer), 0], [0, 0]]) : x
    return tf.squeeze(convolve(tf, tf.expandDims(whole, 1), tf.expandDims(kernel, 0), groups, {
      ...layer, strides: [1, ...strides], dilationRate: [1, ...dilationRate], padding: padding === 'causal' ? 'valid' : padding,
    }), [1])
  }
  const pad = padding as 'same', image = [strides as Pair, pad, 'NHWC', dilationRate as Pair] as const
  // Of volumes no engine has the gradients of a dilated kernel, which is one with zeros between its entries.
  const one = (x: Tensor, kernel: Tensor) => rank === 2 ? tf.conv2d(x as tfTypes.Tensor4D, kernel as tfTypes.Tensor4D, ...image)
    : tf.conv3d(x as tfTypes.Tensor5D, dilationRate.reduce((wide, rate, d) => apart(wide, d, rate), kernel) as tfTypes.Tensor5D,
      strides as Triple, pad)
  if (groups === 1) return one(x, kernel)
  const [depth, filters] = kernel.shape.slice(rank)
  if (rank === 2 && depth === 1) {
    const perChannel = tf.reshape(kernel, [kernel.shape[0], kernel.shape[1]!, groups, filters / groups]) as tfTypes.Tensor4D
    return tf.depthwiseConv2d(x as tfTypes.Tensor4D, perChannel, ...image)
  }
  const inputs = tf.split(x, groups, rank + 1), kernels = tf.split(kernel, groups, rank + 1)
  return tf.concat(inputs.map((part, i) => one(part, kernels[i])), rank + 1)
}
