import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs'
import { GraftError, inWords } from '../error.ts'
import type { At, NamesOf, Unknown } from './named.ts'
import { singlePaths } from '../show/layer-rows.ts'
import { checkModel, oneLayer, outputOf, shapeOf, type Layer } from './layers.ts'

/**
 * The tensor that comes out of a layer, to build on: `tf.layers.conv2d({ … }).apply(tap(base, 'last feature map'))`. The layers
 * up to there stay the model's own (shared, as in Keras).
 *
 * @param at A layer's name; its index (negative ones count from the end); `'last feature map'`: the last output with a height
 *   and a width, `[batch, height, width, channels]`, which is what a convolution or a pooling can follow; or `{ stride: 16
 *   }`: the last feature map whose pixels stand for 16 × 16 of the image's, as in timm's `features_only` (its `reduction`).
 *   Strides are rounded to powers of two, as nets that do not pad give 17 of 299 pixels.
 * @throws GraftError for an unknown layer, an index out of range, a model without a feature map or without one of that stride
 * @example
 * const x = tf.layers.globalAveragePooling2d({}).apply(tap(base, 'last feature map'))
 * @example
 * const pyramid = tf.model({ inputs: base.inputs, outputs: [8, 16, 32].map(stride => tap(base, { stride })) })
 */
export function tap<M extends LayersModel, S extends string = never>(model: M,
  at: At<NamesOf<M>> | Unknown<S> | 'last feature map' | { stride: number }): SymbolicTensor {
  checkModel(model)
  if (at === 'last feature map') return lastFeatureMap(model)
  if (!['string', 'number', 'object'].includes(typeof at) || at === null || Array.isArray(at)) {
    throw new GraftError(`tap: expected a layer's name or index, a layer, 'last feature map' or { stride: 16 }; received ${inWords(at)}.`)
  }
  if (typeof at === 'object' && 'stride' in at && !('apply' in at)) return atStride(model, at.stride)
  return outputOf(oneLayer(model, at as string | number | Layer))
}

/** The last place at which the network is a single path, so that nothing of it bypasses the tensor, and which has the stride. */
function atStride(model: LayersModel, stride: number): SymbolicTensor {
  const side = model.inputs[0].shape[1]
  if (!side) {
    throw new GraftError(`'${model.name}' takes images of any size, so that its maps have no sizes to compare. Fix it first: ` +
      'customize.resize(base, { size: 224 }), or tap by name.')
  }
  const cuts = singlePaths(model), found = new Map<number, SymbolicTensor>()
  for (const layer of model.layers) {
    const { output } = layer
    // What a padding adds belongs to the layer that follows.
    if (!cuts.has(layer.name) || Array.isArray(output) || output.shape.length !== 4 ||
      layer.getClassName() === 'ZeroPadding2D') continue
    const [, height] = output.shape
    if (height && height > 1) found.set(2 ** Math.round(Math.log2(side / height)), output)
  }
  const map = found.get(stride)
  if (map) return map
  throw new GraftError(`'${model.name}' has no feature map of stride ${stride}; it has ${[...found].map(([reached, { shape }]) =>
    `${reached} ${shapeOf(shape)}`).join(', ') || 'none at all'}.`)
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
