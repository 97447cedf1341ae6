import type { LayersModel } from '@tensorflow/tfjs'
import { cardOf, setCard } from '../card.ts'
import { seedFrom } from '../data/random.ts'
import { tf } from '../tf.ts'
import { checkModel, leaves } from './layers.ts'

/**
 * The same architecture with newly drawn weights, all of them trainable: what the pretraining is measured against. The model
 * given stays as it is.
 * Each layer draws from its own initializer, as when it was first made (Keras: `weights=None`).
 *
 * @param options.seed another seed gives other weights. Default 1.
 * @example
 * const untrained = await customize.scratch(model)
 * await train(untrained, digits, { epochs: 10 })
 */
export async function scratch(model: LayersModel, { seed = 1 }: { seed?: number } = {}): Promise<LayersModel> {
  checkModel(model)
  const topology = JSON.parse(model.toJSON() as string)
  prepare(topology, seed, '')
  const untrained = await tf.models.modelFromJSON({ modelTopology: topology })
  for (const layer of leaves(untrained)) layer.trainable = true
  const card = cardOf(model)
  if (card) setCard(untrained, { ...card, notes: [...card.notes ?? [], 'weights drawn at random, not pretrained'] })
  return untrained
}

/**
 * Gives every initializer of a model's configuration a seed of its own, found by its place. Published trunks average their batch
 * statistics over thousands of steps (momentum 0.99 and more); a short run from random weights would be judged by statistics it
 * never reached, so 0.9 at most.
 */
function prepare(node: unknown, seed: number, place: string): void {
  if (!node || typeof node !== 'object') return
  const { class_name: type, config } = node as { class_name?: string, config?: { momentum?: number } }
  if (type === 'BatchNormalization' && config?.momentum) config.momentum = Math.min(config.momentum, 0.9)
  for (const [key, value] of Object.entries(node)) {
    const here = `${place}/${key}`
    if (key.endsWith('_initializer') && value?.config && 'seed' in value.config) value.config.seed = seedFrom(seed, here)
    else prepare(value, seed, here)
  }
}
