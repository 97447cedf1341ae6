import type { Rule } from '../emitter.ts'
import { activationRules } from './activation.ts'
import { convolutionRules } from './convolution.ts'
import { denseRules } from './dense.ts'
import { mergeRules } from './merge.ts'
import { normalizationRules } from './normalization.ts'
import { poolingRules } from './pooling.ts'
import { shapeRules } from './shape.ts'

/** How each class of layers is written in ONNX, by its Keras name. */
export const rules: Record<string, Rule> = {
  ...activationRules, ...convolutionRules, ...denseRules, ...mergeRules, ...normalizationRules, ...poolingRules, ...shapeRules,
}
