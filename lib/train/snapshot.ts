import type { LayersModel } from '@tensorflow/tfjs'
import { leaves } from '../customize/layers.ts'
import { tf } from '../tf.ts'
import { frozenLayers } from './proof.ts'

type Weight = LayersModel['weights'][number]

/** Weights as they were at one moment, outside of the engine's memory. */
export type Snapshot = Map<Weight, { values: Float32Array, shape: number[] }>

/** Copies every weight and statistic that training may change. */
export async function snapshot(model: LayersModel): Promise<Snapshot> {
  const frozen = new Set(frozenLayers(model)), kept: Snapshot = new Map()
  for (const layer of leaves(model)) {
    if (frozen.has(layer)) continue
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
