import { inspect } from 'node:util'
import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs'
import { GraftError } from '../error.ts'
import { host } from '../host.ts'
import { withHead, type HeadOptions } from './extract.ts'
import { freeze, unfreeze, type Selection } from './freeze.ts'
import { checkModel, type Layer } from './layers.ts'
import { tap } from './tap.ts'

export interface ModifyOptions extends HeadOptions {
  /** Where to cut the base, as {@link tap} takes it. Default `'last feature map'`. */
  at?: string | number | Layer
  /** The layers to put there, one after the other. */
  add?: Layer[]
  /** What of the base learns too, as in {@link fineTune}. Default nothing. */
  unfreeze?: number | Selection
}

/**
 * Architectural modification: the base up to a layer, then layers of your own, then a head. The base is frozen, unless `unfreeze`
 * says otherwise; its layers are shared.
 *
 * @throws GraftError as {@link extract} and {@link tap}; for a layer that cannot stand where it is put, with both shapes
 * @example
 * const model = customize.modify(base, {
 *   at: 'last feature map', add: [tf.layers.conv2d({ filters: 64, kernelSize: 3, activation: 'relu' })], classes: digits.classes,
 * })
 */
export function modify(base: LayersModel, options: ModifyOptions): LayersModel {
  checkModel(base)
  const { at = 'last feature map', add = [], unfreeze: which = 0, ...head } = options
  const cut = tap(base, at)
  let x = cut
  const taken = new Set(base.layers.map(layer => layer.name))
  for (const layer of add) {
    if (typeof layer?.apply !== 'function') {
      throw new GraftError(`add: expected layers such as tf.layers.conv2d({ filters: 64, kernelSize: 3 }); received ` +
        `${inspect(layer, { depth: 0 })}.`)
    }
    if (taken.has(layer.name)) {
      throw new GraftError(`add: the name '${layer.name}' is taken. Give the layer another one: { name: '${layer.name}_new' }.`)
    }
    taken.add(layer.name)
    x = layer.apply(x) as SymbolicTensor
  }
  const model = withHead(base, [x], head, taken)
  freeze(base)
  const change = typeof which === 'number' && which === 0
    ? null : unfreeze(base, typeof which === 'number' ? `last ${which}` : which)
  const added = add.map(layer => `${layer.getClassName()} '${layer.name}'`).join(', ') || 'nothing but the head'
  host().display({ 'text/plain': `After '${cut.sourceLayer.name}' [${cut.shape.slice(1).join(', ')}]: ` +
    `${added}.${change ? ` ${inspect(change)}` : ''}` })
  return model
}
