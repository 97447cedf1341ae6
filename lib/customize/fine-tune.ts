import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs'
import { tf } from '../tf.ts'
import { leftOut } from './extract.ts'
import { freeze, unfreeze, type Selection } from './freeze.ts'
import { featuresOf, withHead, type HeadOptions } from './head.ts'
import { checkModel } from './layers.ts'
import { report } from './report.ts'

export interface FineTuneOptions extends HeadOptions {
  /**
   * What of the base learns too: how many of its last layers with weights, or which ones as {@link unfreeze} takes them, e.g. `'last 2 blocks'`.
   * Default 5.
   */
  unfreeze?: number | Selection
}

/**
 * Fine-tuning: a new head, and the last layers of the base learn the task too. Says which layers those are. The layers are shared
 * with `base`.
 *
 * Give the trunk a rate some hundred times lower than the head's, or the first steps destroy what it knows.
 * Source: "Transfer learning & fine-tuning", the Keras guides.
 *
 * @throws GraftError as {@link extract}, and for an unknown layer
 * @example
 * const model = customize.fineTune(base, { classes: digits.classes, unfreeze: 5 })
 * await train(model, digits, { epochs: 10, learningRate: { trunk: 1e-5, head: 1e-3 } })
 */
export function fineTune(base: LayersModel, options: FineTuneOptions): LayersModel {
  checkModel(base)
  const { unfreeze: which = 5 } = options
  const { features, old } = featuresOf(base), model = withHead(base, features, options)
  freeze(base)
  open(base, features, which)
  if (options.show ?? true) report(model, base, leftOut(old))
  return model
}

/** Opens layers of what is left of the base below `ends`: how many of the last with weights, or a selection. */
export function open(base: LayersModel, ends: SymbolicTensor[], which: number | Selection): void {
  const part = ends === base.outputs ? base : tf.model({ inputs: base.inputs, outputs: ends, name: base.name })
  unfreeze(part, typeof which === 'number' ? `last ${which}` : which)
}
