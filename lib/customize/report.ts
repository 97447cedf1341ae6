import type { LayersModel } from '@tensorflow/tfjs'
import { cardOf, titleOf } from '../card.ts'
import { host } from '../host.ts'
import { count, plural } from '../show/format.ts'
import { holdsWeights, leaves, type Layer } from './layers.ts'

/**
 * Says in a few lines what a method has built: the trunk and what of it learns, what stands on it, how many weights learn.
 *
 * @param steps what was done on the way, a sentence each
 */
export function report(model: LayersModel, base: LayersModel, steps: string[]): void {
  const trunk = new Set(cardOf(model)?.trunk), layers = leaves(model)
  const inTrunk = layers.filter(layer => trunk.has(layer.name)), open = inTrunk.filter(layer => layer.trainableWeights.length)
  const added = layers.filter(layer => !trunk.has(layer.name) && layer.getClassName() !== 'InputLayer')
  const size = (weights: Layer['weights']) => weights.reduce((sum, { shape }) => sum + shape.reduce<number>((n,
    side) => n * (side ?? 1), 1), 0)
  const lines = [
    ...steps,
    `trunk  ${titleOf(base)}: ${plural(inTrunk.length, 'layer')}, ${learning(inTrunk.filter(holdsWeights), open)}`,
    `head   ${added.map(layer => `${layer.getClassName()} '${layer.name}'`).join(', ')}`,
    `${count(size(model.trainableWeights))} of ${count(size(model.weights))} weights can learn.`,
  ]
  host().display({ 'text/plain': lines.join('\n') })
}

/** Which layers of the trunk learn, and by which statistics BatchNormalization normalizes. */
function learning(all: Layer[], open: Layer[]): string {
  if (!open.length) return 'all frozen'
  const learns = open.some(isNormalization), holders = learns ? all : all.filter(layer => !isNormalization(layer))
  const note = learns ? '; BatchNormalization among them uses the statistics of each batch'
    : holders.length < all.length ? '; BatchNormalization keeps its stored statistics' : ''
  if (open.length === holders.length) return `all ${holders.length} with weights learn${note}`
  const last = open.every(layer => holders.slice(-open.length).includes(layer))
  return `${last ? 'the last ' : ''}${open.length} of ${holders.length} layers with weights learn: ${namesOf(open)}${note}`
}

const isNormalization = (layer: Layer) => layer.getClassName() === 'BatchNormalization'

const namesOf = (layers: Layer[]) =>
  (layers.length > 8 ? [...layers.slice(0, 3), { name: '…' }, ...layers.slice(-3)] : layers).map(({ name }) => name).join(', ')
