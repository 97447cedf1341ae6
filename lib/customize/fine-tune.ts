import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs'
import { GraftError } from '../error.ts'
import { checkOptions } from '../options.ts'
import { tf } from '../tf.ts'
import { leftOut } from './extract.ts'
import { select, setTrainable, type Selection } from './freeze.ts'
import { featuresOf, headOptions, withHead, type HeadOptions } from './head.ts'
import { checkModel, holdsWeights, leaves, type Layer } from './layers.ts'
import type { NamesOf, Unknown } from './named.ts'
import { report } from './report.ts'

/** By which statistics BatchNormalization normalizes in training. */
export type Normalization = 'stored' | 'batch'

export interface FineTuneOptions<N extends string = string, S extends string = never> extends HeadOptions {
  /**
   * What of the base learns too: how many of its last layers with weights, or which ones as {@link unfreeze} takes them, e.g.
   * `'last 2 blocks'`. Default 5. What is counted does not count BatchNormalization; what is named is taken as it is.
   */
  unfreeze?: number | Selection<N> | Unknown<S>
  /**
   * What BatchNormalization normalizes by. `stored` (default): it stays frozen, with the statistics of its own training, as
   * the Keras guides advise: a short training never gets its moving statistics to where the batches' are, so that it is
   * judged by others than it learned with (bundled trunk, 20 textures per class, trunk rate 1e-5: 69 % right in place of 56
   * %). `batch`: it counts as a layer with weights and learns.
   */
  normalization?: Normalization
}

/**
 * Fine-tuning: a new head, and the last layers of the base learn the task too. Says which layers those are. The layers are shared
 * with `base`.
 *
 * Give the trunk a rate some hundred times lower than the head's, or the first steps destroy what it knows. Source: "Transfer
 * learning & fine-tuning", the Keras guides.
 *
 * @throws GraftError as {@link extract}, and for an unknown layer
 * @example
 * const model = customize.fineTune(base, { classes: digits.classes, unfreeze: 5 })
 * await train(model, digits, { epochs: 10, learningRate: { trunk: 1e-5, head: 1e-3 } })
 */
export function fineTune<M extends LayersModel, S extends string = never>(base: M, options: FineTuneOptions<NamesOf<M>, S>): LayersModel {
  checkModel(base)
  checkOptions<FineTuneOptions<NamesOf<M>, S>>('customize.fineTune', options, fineTuneOptions)
  const { unfreeze: which = 5 } = options
  const { features, old } = featuresOf(base), model = withHead(base, features, options)
  const opened = toOpen(base, features, which, options.normalization)
  setTrainable(base, '*', false)
  setTrainable(base, opened, true)
  if (options.show ?? true) report(model, base, leftOut(old))
  return model
}

/** What each option may be, for {@link checkOptions}. */
export const fineTuneOptions = { ...headOptions, unfreeze: null, normalization: ['stored', 'batch'] } as const

/**
 * The layers to open of what is left of the base below `ends`: how many of the last with weights, or a selection. What is only
 * counted leaves BatchNormalization out, unless it shall use the batch.
 */
export function toOpen(base: LayersModel, ends: SymbolicTensor[], which: number | Selection,
  normalization: Normalization = 'stored'): Layer[] {
  const part = ends === base.outputs ? base : tf.model({ inputs: base.inputs, outputs: ends, name: base.name })
  const selection = typeof which === 'number' ? `last ${which}` as const : which
  if (normalization === 'batch' || typeof selection !== 'string' || !/^(first|last|block) /.test(selection)) {
    return select(part, selection)
  }
  const others = (layer: Layer) => layer.getClassName() !== 'BatchNormalization'
  const last = /^last (\d+)$/.exec(selection), holders = leaves(part).filter(layer => holdsWeights(layer) && others(layer))
  if (!last) {
    return select(part, selection).filter(others)
  }
  const n = Number(last[1])
  if (n > holders.length) {
    throw new GraftError(`'${selection}': '${base.name}' has ${holders.length} layers with weights besides BatchNormalization.`)
  }
  return holders.slice(holders.length - n)
}
