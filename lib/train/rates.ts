import type { LayersModel } from '@tensorflow/tfjs'
import { cardOf } from '../card.ts'
import { blocksOf } from '../customize/blocks.ts'
import { findLayers, isModel, leaves, type Layer } from '../customize/layers.ts'
import { GraftError, inWords } from '../error.ts'
import { checkNumber } from './checks.ts'
import type { RateOf } from './optimizers.ts'

/**
 * One learning rate for all; or one per group of layers: `trunk` (what came from the hub) and `head` (what was added), or names
 * and patterns of layers (`'block_16*'`), which win over the two. With `decay`, e.g. 0.8, each block of the trunk has so much of
 * the rate of the block above it; the topmost has `trunk` (layer-wise decay; Howard and Ruder, "ULMFiT", 2018).
 */
export type LearningRate = number | { trunk?: number, head?: number, decay?: number, [layers: string]: number | undefined }

/** A layer, the group that gives it its learning rate (no name where all have one), and the rate. */
export interface Group { layer: Layer, name: string, rate: number }

/**
 * The learning rate of each weight.
 *
 * @throws GraftError for a rate that is no positive number, an unknown layer, a trainable weight without a rate
 */
export function ratesOf(model: LayersModel, wish: LearningRate): RateOf {
  const groups = groupsOf(model, wish)
  if (typeof wish === 'number') return () => wish
  const rates = new Map(groups.flatMap(({ layer, rate }) => layer.weights.map(weight => [weight.name, rate])))
  const without = leaves(model).filter(layer => layer.trainableWeights.some(weight => !rates.has(weight.name)))
  if (without.length) {
    throw new GraftError(`learningRate gives no rate for ${without.length} trainable layers, e.g. '${without[0].name}'. ` +
      `Freeze ${without.length === 1 ? 'it' : 'them'} or add a rate for ${
        cardOf(model)?.trunk?.includes(without[0].name) ? "'trunk'" : "'head'"}.`)
  }
  return variable => rates.get(variable)!
}

/**
 * The group of each layer that is given a rate.
 *
 * @throws GraftError for a rate that is no positive number, and an unknown layer
 */
export function groupsOf(model: LayersModel, wish: LearningRate): Group[] {
  const all = leaves(model)
  if (typeof wish === 'number') {
    checkNumber('learningRate', wish, 'positive')
    return all.map(layer => ({ layer, name: '', rate: wish }))
  }
  if (typeof wish !== 'object' || wish === null || Array.isArray(wish)) {
    throw new GraftError(`learningRate must be a number such as 1e-3, or rates by group, { trunk: 1e-5, head: 1e-3 }; received ${
      inWords(wish)}.`)
  }
  const groups = new Map<Layer, Group>(), trunk = new Set(cardOf(model)?.trunk)
  const give = (name: string, layers: Layer[], rate: number) => {
    for (const layer of layers) groups.set(layer, { layer, name, rate })
  }
  const { trunk: slow, head: fast, decay, ...named } = wish
  for (const [name, rate] of Object.entries(wish)) checkNumber(`learningRate.${name}`, rate!, 'positive')
  if ((slow ?? fast) !== undefined && !trunk.size) {
    throw new GraftError('learningRate: the model has no trunk to tell from a head. Give one number, or rates by layer name.')
  }
  if (slow !== undefined) give('trunk', all.filter(layer => trunk.has(layer.name)), slow)
  if (decay !== undefined) {
    if (slow === undefined || decay > 1) {
      throw new GraftError(`learningRate.decay must be a part up to 1 of the rate of the block above, beside a rate for ` +
        `'trunk': { trunk: 1e-4, head: 1e-3, decay: 0.8 }; received ${inWords(wish)}.`)
    }
    const blocks = blocksOf(model).map(({ layers }) => layers.filter(layer => trunk.has(layer.name)))
      .filter(layers => layers.length)
    blocks.reverse().forEach((layers, depth) => give('trunk', layers, slow * decay ** depth))
  }
  if (fast !== undefined) give('head', all.filter(layer => !trunk.has(layer.name)), fast)
  for (const [pattern, rate] of Object.entries(named)) {
    give(pattern, findLayers(model, pattern).flatMap(layer => isModel(layer) ? leaves(layer) : [layer]), rate!)
  }
  return [...groups.values()]
}
