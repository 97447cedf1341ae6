import { inspect } from 'node:util'
import type { LayersModel } from '@tensorflow/tfjs'
import { host } from '../host.ts'
import { withHead, type HeadOptions } from './extract.ts'
import { freeze, unfreeze, type Selection } from './freeze.ts'
import { checkModel } from './layers.ts'

export interface FineTuneOptions extends HeadOptions {
  /**
   * What of the base learns too: how many of its last layers with weights, or which ones as {@link unfreeze} takes them. Default
   * 5.
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
  const model = withHead(base, base.outputs, options)
  freeze(base)
  const change = unfreeze(base, typeof which === 'number' ? `last ${which}` : which)
  host().display({ 'text/plain': inspect(change) })
  return model
}
