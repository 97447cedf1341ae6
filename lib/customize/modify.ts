import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs'
import { GraftError } from '../error.ts'
import { checkOptions } from '../options.ts'
import { fineTuneOptions, toOpen, type Normalization } from './fine-tune.ts'
import { setTrainable, type Selection } from './freeze.ts'
import { stack, withHead, type HeadOptions } from './head.ts'
import { checkModel, shapeOf, type Layer } from './layers.ts'
import type { At, NamesOf, Unknown } from './named.ts'
import { report } from './report.ts'
import { tap } from './tap.ts'

export interface ModifyOptions<N extends string = string, S extends string = never> extends HeadOptions {
  /** Where to cut the base, as {@link tap} takes it. Default `'last feature map'`. */
  at?: At<N> | Unknown<S> | 'last feature map' | { stride: number }
  /**
   * The layers to put there, one after the other; or a function from the tensor there to another one, for ways that part and
   * meet.
   */
  add?: Layer | Layer[] | ((x: SymbolicTensor) => SymbolicTensor)
  /** What of the base learns too, as in {@link fineTune}. Default nothing. */
  unfreeze?: number | Selection<N> | Unknown<S>
  /** As in {@link fineTune}. */
  normalization?: Normalization
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
export function modify<M extends LayersModel, S extends string = never>(base: M, options: ModifyOptions<NamesOf<M>, S>): LayersModel {
  checkModel(base)
  checkOptions<ModifyOptions<NamesOf<M>, S>>('customize.modify', options, { ...fineTuneOptions, at: null, add: null })
  const { at = 'last feature map', add = [], unfreeze: which = 0, normalization, ...head } = options
  const cut = tap(base, at), taken = new Set(base.layers.map(layer => layer.name))
  const x = typeof add === 'function' ? add(cut) : stack(cut, [add].flat(), taken, 'add')
  if (!x?.sourceLayer) {
    throw new GraftError('add: expected the function to give the tensor that comes out, e.g. x => tf.layers.conv2d({ … }).apply(x); ' +
      `received ${x}.`)
  }
  const model = withHead(base, [x], head, taken)
  const opened = which === 0 ? [] : toOpen(base, [cut], which, normalization)
  setTrainable(base, '*', false)
  if (opened.length) setTrainable(base, opened, true)
  if (options.show ?? true) report(model, base, [`cut    after '${cut.sourceLayer.name}' ${shapeOf(cut.shape)}`])
  return model
}
