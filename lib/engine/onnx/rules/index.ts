import { layers, serialization } from '@tensorflow/tfjs'
import type { Rule } from '../emitter.ts'
import { activationRules } from './activation.ts'
import { convolutionRules } from './convolution.ts'
import { denseRules } from './dense.ts'
import { mergeRules } from './merge.ts'
import { normalizationRules } from './normalization.ts'
import { poolingRules } from './pooling.ts'
import { shapeRules } from './shape.ts'

/** How each class of layers is written in ONNX, by its Keras name. */
const rules: Record<string, Rule> = {
  ...activationRules, ...convolutionRules, ...denseRules, ...mergeRules, ...normalizationRules, ...poolingRules, ...shapeRules,
}

/** TensorFlow.js's own class of that name, in whose place another stands that takes any alpha. */
const plainELU = layers.elu().constructor

/** How a layer is written in ONNX; nothing for a class that is not known, or one of the user's that took a known one's name. */
export function ruleOf(layer: layers.Layer): Rule | undefined {
  const kind = layer.getClassName(), [known] = serialization.SerializationMap.getMap().classNameMap[kind] ?? []
  const asKnown = (layer.constructor === known || layer.constructor === plainELU) && !Object.hasOwn(layer, 'call')
  return asKnown && Object.hasOwn(rules, kind) ? rules[kind] : undefined
}
