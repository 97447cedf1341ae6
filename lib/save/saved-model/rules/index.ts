import type { Rule } from '../body.ts'
import { activationRules } from './activation.ts'
import { convolutionRules } from './convolution.ts'
import { denseRules } from './dense.ts'
import { mergeRules } from './merge.ts'
import { noiseRules } from './noise.ts'
import { normalizationRules } from './normalization.ts'
import { poolingRules } from './pooling.ts'
import { shapeRules } from './shape.ts'
import { tensorFlowOpRule } from './tensorflow-op.ts'

/** How each class of layers is written as operations of TensorFlow, by its Keras name. */
export const rules: Record<string, Rule> = {
  ...activationRules, ...convolutionRules, ...denseRules, ...mergeRules, ...noiseRules, ...normalizationRules, ...poolingRules,
  ...shapeRules,
  TensorFlowOp: tensorFlowOpRule,
}
