import type { LayersModel } from '@tensorflow/tfjs'
import { cardOf } from '../card.ts'
import { findLayers, isModel, leaves, type Layer } from '../customize/layers.ts'
import { GraftError, inWords } from '../error.ts'
import { checkNumber } from './checks.ts'
import type { RateOf } from './optimizers.ts'

/**
 * One learning rate for all; or one per group of layers: `trunk` (what came from the hub) and `head` (what was added), or names
 * and patterns of layers (`'block_16*'`), which win over the two.
 */
export type LearningRate = number | { trunk?: number, head?: number, [layers: string]: number | undefined }

/**
 * The learning rate of each weight.
 *
 * @throws GraftError for a rate that is no positive number, an unknown layer, a trainable weight without a rate
 */
export function ratesOf(model: LayersModel, wish: LearningRate): RateOf {
  if (typeof wish === 'number') {
    checkNumber('learningRate', wish, 'positive')
    return () => wish
  }
  if (typeof wish !== 'object' || wish === null || Array.isArray(wish)) {
    throw new GraftError(`learningRate must be a number such as 1e-3, or rates by group, { trunk: 1e-5, head: 1e-3 }; received ${
      inWords(wish)}.`)
  }
  const rates = new Map<string, number>(), trunk = new Set(cardOf(model)?.trunk)
  const give = (layers: Layer[], rate: number) => {
    for (const layer of layers) for (const weight of layer.weights) rates.set(weight.name, rate)
  }
  const { trunk: slow, head: fast, ...named } = wish
  for (const [name, rate] of Object.entries(wish)) checkNumber(`learningRate.${name}`, rate!, 'positive')
  if ((slow ?? fast) !== undefined && !trunk.size) {
    throw new GraftError('learningRate: the model has no trunk to tell from a head. Give one number, or rates by layer name.')
  }
  const all = leaves(model)
  if (slow !== undefined) give(all.filter(layer => trunk.has(layer.name)), slow)
  if (fast !== undefined) give(all.filter(layer => !trunk.has(layer.name)), fast)
  for (const [pattern, rate] of Object.entries(named)) {
    give(findLayers(model, pattern).flatMap(layer => isModel(layer) ? leaves(layer) : [layer]), rate!)
  }
  const without = all.filter(layer => layer.trainableWeights.some(weight => !rates.has(weight.name)))
  if (without.length) {
    throw new GraftError(`learningRate gives no rate for ${without.length} trainable layers, e.g. '${without[0].name}'. ` +
      `Freeze ${without.length === 1 ? 'it' : 'them'} or add a rate for ${trunk.has(without[0].name) ? "'trunk'" : "'head'"}.`)
  }
  return variable => rates.get(variable)!
}
