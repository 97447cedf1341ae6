import type { LayersModel } from '@tensorflow/tfjs'
import { cardOf } from '../card.ts'

/** The names of a model's classes by output, numbers where it has no names; a model of one output has two classes. */
export function labelsOf(model: LayersModel): string[] {
  const count = Math.max(2, model.outputs[0].shape[1] ?? 0), classes = cardOf(model)?.classes
  return classes?.length === count ? classes : Array.from({ length: count }, (_, i) => String(i))
}
