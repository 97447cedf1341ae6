import type * as tfTypes from '@tensorflow/tfjs'
import { prototypeOf, type TF } from './prototype.ts'

type Tensor = tfTypes.Tensor
type Tensor4D = tfTypes.Tensor4D
type Pair = [number, number]
interface Variable { read(): Tensor }
interface Convolution {
  strides: Pair
  padding: 'same' | 'valid'
  dataFormat: string
  dilationRate: Pair
  kernelSize: Pair
  useBias: boolean
  depthwiseKernel: Variable
  bias?: Variable
  depthwiseConstraint?: tfTypes.serialization.Serializable | null
  activation?: { apply(x: Tensor): Tensor }
}

/** Dilated depthwise convolution, and the gradients of dilated convolutions, as in TensorFlow. */
export function repairConvolution(tf: TF): void {
  repairDepthwise(tf)
  dilatedGradients(tf)
}

function finish(tf: TF, layer: Convolution, y: Tensor): Tensor {
  const biased = layer.useBias ? tf.add(y, layer.bias!.read()) : y
  return layer.activation ? layer.activation.apply(biased) : biased
}

const isDilated = (rate: Pair | undefined): boolean => rate !== undefined && rate.some(d => d > 1)

type Call = (inputs: Tensor | Tensor[], kwargs: object) => unknown
type Shape = (number | null)[]

function repairDepthwise(tf: TF): void {
  const prototype = prototypeOf(tf.layers.depthwiseConv2d({ kernelSize: 1 }))
  const call = prototype.call as unknown as Call,
    computeOutputShape = prototype.computeOutputShape as unknown as (shape: Shape) => Shape,
    getConfig = prototype.getConfig as unknown as () => object
  prototype.call = function (this: Convolution, inputs: Tensor | Tensor[], kwargs: object) {
    if (!isDilated(this.dilationRate) || this.dataFormat === 'channelsFirst') return call.call(this, inputs, kwargs)
    return tf.tidy(() => {
      const x = (Array.isArray(inputs) ? inputs[0] : inputs) as Tensor4D
      return finish(
        tf,
        this,
        tf.depthwiseConv2d(x, this.depthwiseKernel.read() as Tensor4D, this.strides, this.padding, 'NHWC', this.dilationRate),
      )
    })
  }
  // TensorFlow.js writes the regularizer in the constraint's place.
  prototype.getConfig = function (this: Convolution) {
    const { depthwiseConstraint: own } = this, config = own && { className: own.getClassName(), config: own.getConfig() }
    return { ...getConfig.call(this), depthwiseConstraint: config ?? null }
  }
  prototype.computeOutputShape = function (this: Convolution, shape: Shape) {
    const [batch, height, width, channels] = computeOutputShape.call(this, shape)
    if (!isDilated(this.dilationRate) || this.padding === 'same') return [batch, height, width, channels]
    const [rows, columns] = this.kernelSize.map((size, d) => (size - 1) * (this.dilationRate[d] - 1))
    return [batch, height && height - rows, width && width - columns, channels]
  }
}

interface ConvAttributes {
  strides: number | Pair
  pad: 'same' | 'valid' | number
  dilations: number | Pair | null
  dataFormat?: 'NHWC'
  dimRoundingMode?: 'floor'
}

/**
 * Gradients of dilated convolutions: with stride 1 a dilated convolution is a plain one on the image cut into d·d interleaved
 * ones (space to batch), so its gradients are the plain ones on those.
 */
function dilatedGradients(tf: TF): void {
  for (const [kernelName, depthwise] of [['Conv2D', false], ['DepthwiseConv2dNative', true]] as const) {
    const [byInput, byFilter] = depthwise
      ? ['DepthwiseConv2dNativeBackpropInput', 'DepthwiseConv2dNativeBackpropFilter']
      : ['Conv2DBackpropInput', 'Conv2DBackpropFilter']
    const run = (name: string, inputs: Record<string, Tensor>, attrs: object) =>
      tf.engine().runKernel(name, inputs, attrs as never) as Tensor
    tf.registerGradient({
      kernelName, inputsToSave: ['x', 'filter'],
      gradFunc: (dy, [x, filter], attributes) => {
        const { strides, pad, dilations, dataFormat = 'NHWC', dimRoundingMode } = attributes as unknown as ConvAttributes
        const rate = (typeof dilations === 'number' ? [dilations, dilations] : dilations ?? [1, 1]) as Pair
        const shared = { strides, pad, dataFormat, dimRoundingMode, ...(depthwise ? { dilations: [1, 1] } : {}) }
        if (!isDilated(rate)) {
          return {
            x: () => run(byInput, { dy: dy as Tensor, filter }, { ...shared, inputShape: x.shape }),
            filter: () => run(byFilter, { x, dy: dy as Tensor }, { ...shared, filterShape: filter.shape }),
          }
        }
        const info = tf.backend_util.computeConv2DInfo(
          x.shape as never,
          filter.shape as never,
          strides,
          rate,
          pad as 'same',
          dimRoundingMode,
          depthwise,
        )
        const { top, bottom, left, right } = info.padInfo
        const beyond = [
          (rate[0] - ((x.shape[1]! + top + bottom) % rate[0])) % rate[0],
          (rate[1] - ((x.shape[2]! + left + right) % rate[1])) % rate[1],
        ]
        const around = [[top, bottom + beyond[0]], [left, right + beyond[1]]]
        const cut = () => tf.spaceToBatchND(x, rate, around),
          dyCut = () =>
            tf.spaceToBatchND(dy as Tensor, rate, [
              [0, beyond[0]],
              [0, beyond[1]],
            ])
        const plain = { ...shared, strides: [1, 1], pad: 'valid' }
        return {
          x: () =>
            tf.tidy(() =>
              tf.batchToSpaceND(run(byInput, { dy: dyCut(), filter }, { ...plain, inputShape: cut().shape }), rate, around),
            ),
          filter: () => tf.tidy(() => run(byFilter, { x: cut(), dy: dyCut() }, { ...plain, filterShape: filter.shape })),
        }
      },
    })
  }
}
