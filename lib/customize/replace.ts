import type { LayersModel } from '@tensorflow/tfjs'
import type { At, NamesOf, Unknown } from './named.ts'
import { expectedBy, Graft, layerAt, operate } from './surgery.ts'
import { GraftError } from '../error.ts'
import type { Layer } from './layers.ts'

/**
 * A new model with another layer, or several, in the place of one. The weights of all others are copies, the model given
 * stays as it is. The new layer may take the old one's name. A layer that is used several times is replaced everywhere.
 *
 * @throws GraftError for an unknown layer, a name that is taken, an input, or where the new layer or what follows it cannot
 *   stand there, with both shapes; no weight was moved then
 * @example
 * replace(model, 'predictions', tf.layers.dense({ units: 5, activation: 'softmax', name: 'predictions' }))   // a new head
 */
export function replace<M extends LayersModel, S extends string = never>(model: M, at: At<NamesOf<M>> | Unknown<S>,
  layers: Layer | Layer[]): LayersModel {
  const target = layerAt(model, at)
  if (target.getClassName() === 'InputLayer') {
    throw new GraftError(`replace: '${target.name}' is the model's input. For images of another size or number of channels, take ` +
      'customize.resize(model, { size, channels }).')
  }
  const graft = new Graft(model, layers, 'replace', [target])
  return operate(model, ({ layer }, inputs, usual) =>
    layer === target ? graft.on(inputs, `which is what ${expectedBy(target)}`) : usual(inputs), {}, graft)
}
