import type { LayersModel } from '@tensorflow/tfjs'
import { GraftError } from '../error.ts'
import type { At, NamesOf, Unknown } from './named.ts'
import { layerAt, operate } from './surgery.ts'

export interface RemoveOptions<N extends string = string, S extends string = never> {
  /** Which of a layer's several inputs goes on in its place. */
  keep?: At<N> | Unknown<S>
}

/**
 * A new model without a layer: what came into it goes to what followed. The weights are copies, the model given stays as it
 * is. Layers that nothing needs any more go too, e.g. a branch whose `Add` was removed.
 *
 * @throws GraftError for an unknown layer, an input, a layer with several inputs where `keep` does not say which, or where
 *   what follows cannot stand on what came before, with both shapes
 * @example
 * remove(customize.extract(base, { classes: 10, dropout: 0.2 }), 'dropout')
 * remove(base, 'block_5_add', { keep: 'block_4_add' })   // the shortcut alone: drops the block
 */
export function remove<M extends LayersModel, S extends string = never>(model: M, at: At<NamesOf<M>> | Unknown<S>,
  { keep }: RemoveOptions<NamesOf<M>, S> = {}): LayersModel {
  const target = layerAt(model, at), kept = keep === undefined ? undefined : layerAt(model, keep)
  if (target.getClassName() === 'InputLayer') {
    throw new GraftError(`remove: '${target.name}' is the model's input. For images of another size or number of channels, take ` +
      'customize.resize(model, { size, channels }).')
  }
  return operate(model, ({ layer, from }, inputs, usual) => {
    if (layer !== target) return usual(inputs)
    const at = kept ? from.indexOf(kept) : 0, sources = from.map(({ name }) => `'${name}'`).join(', ')
    if (at < 0) throw new GraftError(`remove: '${target.name}' gets nothing from '${kept!.name}'; it gets its input from ${sources}.`)
    if (inputs.length > 1 && !kept) {
      throw new GraftError(`remove: '${target.name}' has ${inputs.length} inputs, from ${sources}. Say which goes on: ` +
        `remove(model, '${target.name}', { keep: '${from[0].name}' }).`)
    }
    const outputs = [target.output].flat().length
    if (outputs > 1) throw new GraftError(`remove: '${target.name}' gives ${outputs} tensors; nothing can stand for them. Take replace.`)
    return [inputs[at]]
  })
}
