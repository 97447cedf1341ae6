import type { LayersModel } from '@tensorflow/tfjs'
import { GraftError } from '../error.ts'
import { tf } from '../tf.ts'
import type { Layer } from './layers.ts'
import { checkModel, shapeOf } from './layers.ts'
import { operate } from './surgery.ts'

export interface ResizeOptions {
  /** Height and width of the images, in pixels; one number for a square. Default as before. */
  size?: number | [height: number, width: number]
  /** Values per pixel: 1 for grey, 3 for colour, more for other measurements. Default as before. */
  channels?: number
}

/**
 * A new model for images of another size or with another number of channels; the weights are copies. The first convolution is
 * fitted to the channels: for one, its kernels are summed over the colours, so that grey gives what grey in colour gave; for
 * more, they are repeated and scaled so that the sums stay.
 *
 * Source: `adapt_input_conv` in PyTorch Image Models (`in_chans`).
 *
 * @throws GraftError for a size below 1, a model whose input is no image, or where a layer's weights belong to the old size
 *   (a `Dense` after a `Flatten`), with both shapes
 * @example
 * const small = customize.resize(base, { size: 96 })
 * const grey = customize.resize(base, { channels: 1 })
 */
export function resize(model: LayersModel, { size, channels }: ResizeOptions): LayersModel {
  checkModel(model)
  if (model.inputs.length !== 1 || model.inputs[0].shape.length !== 4) {
    throw new GraftError(`resize: expected a model with one input, [batch, height, width, channels]; '${model.name}' takes ` +
      `${model.inputs.map(({ shape }) => shapeOf(shape)).join(' and ')}.`)
  }
  const [batch, ...before] = model.inputs[0].shape
  const [height, width] = size === undefined ? before : typeof size === 'number' ? [size, size] : size
  const shape = [batch, height, width, channels ?? before[2]]
  for (const [name, side] of [['size', height], ['size', width], ['channels', shape[3]]] as const) {
    if (side !== null && !(Number.isInteger(side) && side > 0)) {
      throw new GraftError(`resize: ${name} must be whole and above 0, e.g. { size: 160, channels: 1 }; received ${side}.`)
    }
  }
  return operate(model, (_, inputs, usual) => usual(inputs), { inputShapes: [shape],
    adapt: before[2] === shape[3] ? undefined : fitChannels })
}

/** Kernels `[height, width, in, out]` for another number of channels, where a convolution without groups can have them. */
function fitChannels(layer: Layer, made: Layer): tf.Tensor[] | null {
  const before = layer.weights[0].shape as number[], after = made.weights[0]?.shape as number[]
  const rest = layer.weights.slice(1).every((weight, i) => String(weight.shape) === String(made.weights[i + 1].shape))
  if (layer.getClassName() !== 'Conv2D' || !rest || String([...before.slice(0, 2), before[3]]) !== String([...after.slice(0, 2),
    after[3]])) {
    return null
  }
  const [kernel, ...others] = layer.getWeights(), count = after[2]
  if (count === 1) return [kernel.sum(2, true), ...others]
  const repeated = tf.gather(kernel, Array.from({ length: count }, (_, i) => i % before[2]), 2)
  return [repeated.mul(before[2] / count), ...others]
}
