import type * as tfTypes from '@tensorflow/tfjs'
import { type Methods, prototypeOf, type TF } from './prototype.ts'

type Pair = [number, number]
type Shape = (number | null)[]
interface Transposed {
  kernelSize: Pair
  strides: Pair
  padding: 'same' | 'valid'
  dataFormat: string
  outputPadding: Pair | null
  kernel: { read(): tfTypes.Tensor }
  bias: { read(): tfTypes.Tensor } | null
  activation: { apply(x: tfTypes.Tensor): tfTypes.Tensor } | null
}

/**
 * Conv2DTranspose with the `output_padding` of Keras: the rows and columns beyond the least output that the strides reach.
 * A configuration that is read back carries it; on a new layer it is set as a property:
 * `Object.assign(tf.layers.conv2dTranspose(…), { outputPadding: [1, 1] })`. Without it (`null`) all is as TensorFlow.js has it.
 * The sizes are those of `compute_conv_transpose_output_shape` in `keras/src/backend/common/backend_utils.py`.
 */
export function repairTransposed(tf: TF): void {
  const layer = tf.layers.conv2dTranspose({ filters: 1, kernelSize: 1 })
  const prototype = prototypeOf(layer) as Methods & { outputPadding?: unknown }
  const call = prototype.call as unknown as (inputs: tfTypes.Tensor | tfTypes.Tensor[], kwargs: object) => unknown
  const computeOutputShape = prototype.computeOutputShape as unknown as (shape: Shape) => Shape
  const getConfig = prototype.getConfig as unknown as () => object, cls = prototype.constructor
  prototype.outputPadding = null
  cls.fromConfig = (make: new (config: object) => object, config: { outputPadding?: Pair | number | null }) => {
    const { outputPadding = null } = config
    return Object.assign(new make(config), {
      outputPadding: typeof outputPadding === 'number' ? [outputPadding, outputPadding] : outputPadding,
    })
  }
  tf.serialization.registerClass(cls as never)
  prototype.computeOutputShape = function (this: Transposed, shape: Shape) {
    const plain = computeOutputShape.call(this, shape), { outputPadding, kernelSize, strides, padding } = this
    if (!outputPadding) return plain
    const first = this.dataFormat === 'channelsFirst' ? 2 : 1
    const sizes = outputPadding.map((beyond, d) => {
      const size = shape[first + d], window = padding === 'same' ? kernelSize[d] % 2 : kernelSize[d]
      return size === null ? null : (size - 1) * strides[d] + window + beyond
    })
    return plain.toSpliced(first, 2, ...sizes)
  }
  prototype.call = function (this: Transposed, inputs: tfTypes.Tensor | tfTypes.Tensor[], kwargs: object) {
    if (!this.outputPadding) return call.call(this, inputs, kwargs)
    return tf.tidy(() => {
      const given = (Array.isArray(inputs) ? inputs[0] : inputs) as tfTypes.Tensor4D, first = this.dataFormat === 'channelsFirst'
      const shape = prototype.computeOutputShape.call(this as never, given.shape as never) as number[]
      const kernel = this.kernel.read() as tfTypes.Tensor4D, x = first ? tf.transpose(given, [0, 2, 3, 1]) : given
      const size = (first ? [shape[0], shape[2], shape[3], shape[1]] : shape) as [number, number, number, number]
      let y: tfTypes.Tensor = tf.conv2dTranspose(x, kernel, size, this.strides, this.padding)
      if (this.bias) y = tf.add(y, this.bias.read())
      if (first) y = tf.transpose(y, [0, 3, 1, 2])
      return this.activation ? this.activation.apply(y) : y
    })
  }
  prototype.getConfig = function (this: Transposed) {
    return this.outputPadding ? { ...getConfig.call(this), outputPadding: this.outputPadding } : getConfig.call(this)
  }
}
