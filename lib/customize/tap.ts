import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs'
import { GraftError } from '../error.ts'
import { checkModel, findLayers, outputOf, type Layer } from './layers.ts'

/**
 * The tensor that comes out of a layer, to build on: `tf.layers.conv2d({ … }).apply(tap(base, 'last feature map'))`. The layers
 * up to there stay the model's own (shared, as in Keras).
 *
 * @param at A layer's name; its index (negative ones count from the end); or `'last feature map'`: the last output with a height
 *   and a width, `[batch, height, width, channels]`, which is what a convolution or a pooling can follow.
 * @throws GraftError for an unknown layer, an index out of range, a model without a feature map
 * @example
 * const x = tf.layers.globalAveragePooling2d({}).apply(tap(base, 'last feature map'))
 */
export function tap(model: LayersModel, at: string | number | Layer): SymbolicTensor {
  checkModel(model)
  if (at === 'last feature map') return lastFeatureMap(model)
  if (typeof at !== 'number') return outputOf(findLayers(model, at)[0])
  const layer = model.layers.at(at)
  if (!layer || !Number.isInteger(at)) {
    throw new GraftError(`no layer ${at}: '${model.name}' has ${model.layers.length} layers, 0 to ` +
      `${model.layers.length - 1}, or -1 for the last.`)
  }
  return outputOf(layer)
}

/**
 * Where a network still sees where something is: the deepest output of rank 4 on the way to the model's output that is larger
 * than 1 × 1.
 */
function lastFeatureMap(model: LayersModel): SymbolicTensor {
  for (const layer of [...model.layers].reverse()) {
    for (const output of [layer.output].flat()) {
      const { shape } = output
      if (shape.length === 4 && !(shape[1] === 1 && shape[2] === 1)) return output
    }
  }
  throw new GraftError(`'${model.name}' has no feature map: no layer gives [batch, height, width, channels]. ` +
    `It ends in [${model.outputs[0].shape.map(n => n ?? 'batch').join(', ')}].`)
}
