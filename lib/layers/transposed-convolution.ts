import type * as tfTypes from '@tensorflow/tfjs'
import { type Methods, prototypeOf, type TF } from './prototype.ts'
import { apart } from './slices.ts'
import { transposed3d } from './volumes.ts'

type Shape = (number | null)[]
interface Transposed {
  kernelSize: number[]
  strides: number[]
  filters: number
  padding: 'same' | 'valid'
  dataFormat: string
  outputPadding: number[] | null
  dilationRate: number[]
  kernel: { read(): tfTypes.Tensor }
  bias: { read(): tfTypes.Tensor } | null
  activation: { apply(x: tfTypes.Tensor): tfTypes.Tensor } | null
}

/**
 * Transposed convolutions of images and volumes with Keras's `output_padding`, what lies beyond the least output that the strides
 * reach, and its `dilation_rate`. A configuration that is read back carries them; on a new layer the first is set as a property:
 * `Object.assign(tf.layers.conv2dTranspose(…), { outputPadding: [1, 1] })`. Without them that of images is as TensorFlow.js has it.
 * The sizes are those of `compute_conv_transpose_output_shape` in `keras/src/backend/common/backend_utils.py`.
 */
export function repairTransposed(tf: TF): void {
  const settings = { filters: 1, kernelSize: 1 }
  for (const layer of [tf.layers.conv2dTranspose(settings), tf.layers.conv3dTranspose(settings)]) repairRank(tf, layer)
}

function repairRank(tf: TF, layer: tfTypes.layers.Layer): void {
  const prototype = prototypeOf(layer) as Methods & { outputPadding?: unknown }
  const call = prototype.call as unknown as (inputs: tfTypes.Tensor | tfTypes.Tensor[], kwargs: object) => unknown
  const computeOutputShape = prototype.computeOutputShape as unknown as (shape: Shape) => Shape
  const getConfig = prototype.getConfig as unknown as () => object, cls = prototype.constructor
  const isPlain = ({ outputPadding, dilationRate }: Transposed) =>
    !outputPadding && dilationRate.length === 2 && dilationRate.every(rate => rate === 1)
  prototype.outputPadding = null
  cls.fromConfig = (make: new (config: object) => Transposed, config: { outputPadding?: number[] | number | null }) => {
    const { outputPadding = null } = config, layer = new make(config)
    return Object.assign(layer, {
      outputPadding: typeof outputPadding === 'number' ? layer.kernelSize.map(() => outputPadding) : outputPadding,
    })
  }
  tf.serialization.registerClass(cls as never)
  prototype.computeOutputShape = function (this: Transposed, shape: Shape) {
    if (isPlain(this)) return computeOutputShape.call(this, shape)
    const { outputPadding, kernelSize, strides, padding, dilationRate, dataFormat, filters } = this
    const first = dataFormat === 'channelsFirst' ? 2 : 1
    const sizes = kernelSize.map((kernel, d) => {
      const size = shape[first + d], window = (kernel - 1) * dilationRate[d] + 1
      if (size === null) return null
      if (!outputPadding) return padding === 'same' ? size * strides[d] : (size - 1) * strides[d] + Math.max(window, strides[d])
      return (size - 1) * strides[d] + (padding === 'same' ? window % 2 : window) + outputPadding[d]
    })
    return first === 2 ? [shape[0], filters, ...sizes] : [shape[0], ...sizes, filters]
  }
  prototype.call = function (this: Transposed, inputs: tfTypes.Tensor | tfTypes.Tensor[], kwargs: object) {
    if (isPlain(this)) return call.call(this, inputs, kwargs)
    return tf.tidy(() => {
      const given = Array.isArray(inputs) ? inputs[0] : inputs, rank = this.kernelSize.length
      const shape = prototype.computeOutputShape.call(this as never, given.shape as never) as number[]
      // A dilated kernel is one with zeros between its entries.
      const kernel = this.dilationRate.reduce((spread, rate, d) => apart(spread, d, rate), this.kernel.read())
      const first = this.dataFormat === 'channelsFirst', dimensions = Array.from({ length: rank }, (_, d) => d + 1)
      const x = first ? tf.transpose(given, [0, ...dimensions.map(d => d + 1), 1]) : given
      const sides = first ? shape.slice(2) : shape.slice(1, -1)
      let y: tfTypes.Tensor = rank === 3 ? transposed3d(x, kernel, sides, this.strides, this.padding)
        : tf.conv2dTranspose(x as tfTypes.Tensor4D, kernel as tfTypes.Tensor4D, [x.shape[0], sides[0], sides[1], this.filters],
          this.strides as [number, number], this.padding)
      if (this.bias) y = tf.add(y, this.bias.read())
      if (first) y = tf.transpose(y, [0, rank + 1, ...dimensions])
      return this.activation ? this.activation.apply(y) : y
    })
  }
  prototype.getConfig = function (this: Transposed) {
    const { outputPadding, dilationRate } = this
    const dilated = dilationRate.some(rate => rate > 1)
    return { ...getConfig.call(this), ...outputPadding && { outputPadding }, ...dilated && { dilationRate } }
  }
}
