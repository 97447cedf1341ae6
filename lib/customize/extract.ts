import type { LayersModel } from '@tensorflow/tfjs'
import { checkOptions } from '../options.ts'
import { setTrainable } from './freeze.ts'
import { featuresOf, headOptions, withHead, type HeadOptions } from './head.ts'
import { checkModel } from './layers.ts'
import { report } from './report.ts'

/**
 * Feature extraction: the model stays as it is, frozen, and a new `Dense` layer learns the task from its features. Features
 * with a height and a width are averaged first; a classifier's own head is left out. The layers are shared with `base`, as in
 * Keras: `base` itself is frozen too.
 *
 * Source: "Transfer learning & fine-tuning", the Keras guides; Yosinski et al., "How transferable are features in deep neural
 * networks?" (2014).
 *
 * @throws GraftError for fewer than two classes, a class named twice, a base without features
 * @example
 * const model = customize.extract(base, { classes: digits.classes })
 * await train(model, digits, { epochs: 10 })
 */
export function extract(base: LayersModel, options: HeadOptions): LayersModel {
  checkModel(base)
  checkOptions<HeadOptions>('customize.extract', options, headOptions)
  const { features, old } = featuresOf(base), model = withHead(base, features, options)
  setTrainable(base, '*', false)
  if (options.show ?? true) report(model, base, leftOut(old))
  return model
}

/** The sentence on a classifier's own head. */
export const leftOut = (old: { name: string } | null): string[] => old ? [`The old head '${old.name}' is left out.`] : []
