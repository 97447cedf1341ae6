import type { LayersModel } from '@tensorflow/tfjs'
import { frozenPrefix, type FrozenPrefix } from '../engine/prefix.ts'
import { frozenLayers } from './proof.ts'

/** A frozen part that stands ready; `stamp` tells whether it is still the model's. */
interface Ready { model: WeakRef<LayersModel>, stamp: unknown[], prefix: FrozenPrefix | null, users: number }

const most = 2
let ready: Ready[] = []

/**
 * The frozen part of a model, made ready once and kept for the next call while nothing in it changes; two models' are kept. Call
 * `release` when done.
 */
export function borrowPrefix(model: LayersModel): { prefix: FrozenPrefix | null, release(): Promise<void> } {
  const stamp = stampOf(model)
  let entry = ready.find(one => one.model.deref() === model && same(one.stamp, stamp))
  if (!entry) {
    entry = { model: new WeakRef(model), stamp, prefix: frozenPrefix(model), users: 0 }
    ready.push(entry)
  }
  const used = entry
  used.users++
  return {
    prefix: used.prefix,
    async release() {
      used.users--
      const idle = ready.filter(one => one.users === 0)
      const stale = idle.filter(one => one !== used && one.model.deref() === used.model.deref())
      const closed = new Set([...stale, ...idle.slice(0, Math.max(0, ready.length - stale.length - most))])
      ready = ready.filter(one => !closed.has(one))
      for (const one of closed) await one.prefix?.dispose()
    },
  }
}

/** What is frozen, and where its values lie: TensorFlow.js gives a weight another place with every change. */
const stampOf = (model: LayersModel): unknown[] => [
  ...model.layers, ...frozenLayers(model).flatMap(layer => [layer, ...layer.weights.map(weight => weight.read().dataId)]),
]

const same = (a: unknown[], b: unknown[]) => a.length === b.length && a.every((value, i) => value === b[i])
