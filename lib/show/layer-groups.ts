import type { LayersModel, Optimizer } from '@tensorflow/tfjs'
import { cardOf } from '../card.ts'
import { GraftError } from '../error.ts'
import { GroupedOptimizer } from '../train/optimizers.ts'
import { groupsOf, type LearningRate } from '../train/rates.ts'
import { runOf } from '../train/run.ts'

/** What a layer learns with: the group that its learning rate belongs to, and the rate. */
export interface LearningGroup {
  /** `trunk`, `head`, or the pattern of names that was given; nothing where all learn alike. */
  name: string
  rate: number
}

/**
 * The group of each layer that trains, by the layer's name: from the optimizer that the model is compiled with, else from the run
 * that trained it last. Nothing for a model that was neither compiled nor trained.
 */
export function learningGroups(model: LayersModel): Map<string, LearningGroup> {
  const wish = rateOf(model.optimizer) ?? (runOf(model) as { learningRate?: LearningRate } | undefined)?.learningRate
  if (wish === undefined) return new Map()
  try {
    const groups = groupsOf(model, wish), trunk = new Set(cardOf(model)?.trunk)
    // One rate for all: the part of the model says more than no name.
    const part = (name: string) => trunk.size ? (trunk.has(name) ? 'trunk' : 'head') : ''
    return new Map(groups.map(({ layer, name, rate }) => [layer.name, { name: name || part(layer.name), rate }]))
  } catch (error) {
    // Rates that were given for another state of the model say nothing of this one.
    if (error instanceof GraftError) return new Map()
    throw error
  }
}

function rateOf(optimizer: Optimizer | undefined): LearningRate | undefined {
  if (optimizer instanceof GroupedOptimizer) return optimizer.learningRate
  const { learningRate } = (optimizer ?? {}) as { learningRate?: unknown }
  return typeof learningRate === 'number' ? learningRate : undefined
}
