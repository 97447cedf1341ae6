import type { LayersModel } from '@tensorflow/tfjs'
import { leaves, type Layer } from '../customize/layers.ts'
import { tf } from '../tf.ts'
import { frozenLayers } from './proof.ts'

type Weight = LayersModel['weights'][number]

/** Weights as they were at one moment, outside of the engine's memory. */
export type Snapshot = Map<Weight, { values: Float32Array, shape: number[] }>

/** The layers that training may change. */
export function openLayers(model: LayersModel): Layer[] {
  const frozen = new Set(frozenLayers(model))
  return leaves(model).filter(layer => !frozen.has(layer))
}

/** Copies every weight and statistic of these layers. */
export async function snapshot(layers: Layer[]): Promise<Snapshot> {
  const kept: Snapshot = new Map()
  for (const layer of layers) {
    for (const weight of layer.weights) {
      const tensor = weight.read()
      kept.set(weight, { values: Float32Array.from(await tensor.data()), shape: tensor.shape })
    }
  }
  return kept
}

/** Puts the weights back as they were. */
export function restore(kept: Snapshot): void {
  tf.tidy(() => {
    for (const [weight, { values, shape }] of kept) weight.write(tf.tensor(values, shape))
  })
}

/** Whether every weight is a number, neither infinite nor NaN. */
export const isSound = (kept: Snapshot): boolean => [...kept.values()].every(({ values }) => values.every(Number.isFinite))

/** How far each layer's weights are from what they were: the length of the change over their length then, by the layer's name. */
export function moved(layers: Layer[], before: Snapshot, now: Snapshot): Record<string, number> {
  const far = (layer: Layer) => {
    let change = 0, length = 0
    for (const weight of layer.weights) {
      const was = before.get(weight)!.values
      now.get(weight)!.values.forEach((value, i) => {
        change += (value - was[i]) ** 2
        length += was[i] ** 2
      })
    }
    return Math.sqrt(change / (length || 1))
  }
  return Object.fromEntries(layers.filter(layer => layer.weights.length).map(layer => [layer.name, far(layer)]))
}
