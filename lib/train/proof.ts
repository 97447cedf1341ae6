import { createHash } from 'node:crypto'
import type { LayersModel } from '@tensorflow/tfjs'
import { isModel, type Layer } from '../customize/layers.ts'

/** What is frozen, and its fingerprint. */
export interface Fingerprint {
  layers: number
  /** Single numbers. */
  weights: number
  /** SHA-256 over the names, shapes and bytes of all frozen weights and statistics. */
  hash: string
}

/** Layers that hold weights and must not change: they are frozen themselves or stand in a frozen model. */
export function frozenLayers(model: LayersModel, within = model.trainable): Layer[] {
  return model.layers.flatMap(layer => isModel(layer) ? frozenLayers(layer, within && layer.trainable)
    : (!within || !layer.trainable) && layer.weights.length ? [layer] : [])
}

/** The fingerprint of everything frozen in a model; equal before and after a training run. */
export async function fingerprint(model: LayersModel): Promise<Fingerprint> {
  const hash = createHash('sha256'), layers = frozenLayers(model)
  let weights = 0
  for (const layer of layers) {
    for (const weight of layer.weights) {
      const value = weight.read()
      const data = await value.data()
      hash.update(`${weight.originalName}[${value.shape}]`).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
      weights += value.size
    }
  }
  return { layers: layers.length, weights, hash: hash.digest('hex') }
}
