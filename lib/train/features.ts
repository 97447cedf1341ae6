import type { LayersModel, Tensor } from '@tensorflow/tfjs'
import type { ImageSet } from '../data/set.ts'
import type { FrozenPrefix } from '../engine/prefix.ts'
import { tf } from '../tf.ts'
import { FeatureStore } from './feature-store.ts'

/**
 * Features by frozen part (its hash), then by image; kept for the session, so that the next run over the same images starts at
 * once.
 */
const cache = new Map<string, Map<string, Float32Array[]>>()
const most = 2 ** 30
let held = 0

/** Images between two looks at whether the run shall stop. */
const atOnce = 8

/** Lets everything else that waits have its turn: other cells, output, an interrupt. */
export const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

/**
 * Gives a model's inputs for images. Where a part of the model is frozen, it runs once per image, outside of TensorFlow.js, and
 * what comes out of it is kept in memory and, where it is worth it, on disk.
 */
export class Feeder {
  readonly whole: LayersModel
  /** What is left to run in TensorFlow.js: the part after the frozen one, or the whole model. */
  readonly rest: LayersModel
  /** How many images went through the frozen part. */
  forwards = 0
  /** Told of each few images that went through it. */
  onForward: (count: number) => void = () => {}
  readonly #prefix: FrozenPrefix | null
  readonly #known: Map<string, Float32Array[]> | undefined
  readonly #store: FeatureStore | null = null
  /** Features of the latest images, kept or not: a forecast asks for the first batch before training does. */
  #latest = new Map<string, Float32Array[]>()

  constructor(model: LayersModel, prefix: FrozenPrefix | null) {
    this.whole = model
    this.rest = prefix?.rest ?? model
    this.#prefix = prefix
    if (!prefix) return
    this.#store = FeatureStore.of(prefix)
    this.#known = cache.get(prefix.hash) ?? new Map()
    // Taken out and put back: the frozen part used last is the last to be forgotten.
    cache.delete(prefix.hash)
    cache.set(prefix.hash, this.#known)
  }

  /** The model's inputs for these images of the set, one tensor each; dispose them after use. Nothing where `stop` came first. */
  async inputs(set: ImageSet, indices: number[], stop?: () => boolean): Promise<Tensor[]> {
    if (!this.#prefix) {
      return [tf.tensor(await set.pixels(indices), [indices.length, ...set.size, set.channels])]
    }
    const rows = await this.#features(set, indices, stop)
    return rows.length ? this.#prefix.shapes.map((shape, n) => {
      const each = rows[0][n].length, all = new Float32Array(rows.length * each)
      rows.forEach((row, r) => all.set(row[n], r * each))
      return tf.tensor(all, [rows.length, ...shape])
    }) : []
  }

  /** How many images of a set the frozen part has not seen. */
  unseen(set: ImageSet): number {
    return this.#known ? new Set(set.ids.filter(id => !this.#known!.has(id))).size : 0
  }

  /** What comes out of the frozen part for these images. */
  async #features(set: ImageSet, indices: number[], stop?: () => boolean): Promise<Float32Array[][]> {
    const prefix = this.#prefix!, wanted = new Map(indices.map(i => [set.ids[i], i]))
    const fresh = new Map([...this.#latest].filter(([id]) => wanted.has(id)))
    const queue = [...wanted].filter(([id]) => !this.#known!.has(id) && !fresh.has(id))
    const store = set.fleeting ? null : this.#store
    while (queue.length) {
      if (stop?.()) return []
      const next = queue.splice(0, atOnce), stored = await Promise.all(next.map(([id]) => store?.read(id)))
      next.forEach(([id], n) => { if (stored[n]) fresh.set(id, this.#keep(id, stored[n])) })
      const part = next.filter(([id]) => !fresh.has(id))
      if (!part.length) continue
      const outputs = await prefix.run(await set.pixels(part.map(([, i]) => i)), part.length)
      this.forwards += part.length
      this.onForward(part.length)
      part.forEach(([id], n) => {
        const features = outputs.map(output => output.slice(n * (output.length / part.length),
          (n + 1) * (output.length / part.length)))
        fresh.set(id, features)
        if (!set.fleeting) this.#keep(id, features)
      })
      for (const [id] of part) await store?.write(id, fresh.get(id)!)
      await turn()
    }
    if (fresh.size) await store?.end()
    this.#latest = fresh
    return indices.map(i => this.#known!.get(set.ids[i]) ?? fresh.get(set.ids[i])!)
  }

  /** Keeps features in memory, where there is room. */
  #keep(id: string, features: Float32Array[]): Float32Array[] {
    const bytes = features.reduce((n, { byteLength }) => n + byteLength, 0)
    for (const [hash, entries] of cache) {
      if (held + bytes <= most || entries === this.#known) break
      forget(hash, entries)
    }
    if (held + bytes > most) return features
    this.#known!.set(id, features)
    held += bytes
    return features
  }
}

function forget(hash: string, entries: Map<string, Float32Array[]>): void {
  for (const features of entries.values()) for (const { byteLength } of features) held -= byteLength
  cache.delete(hash)
}

/** Empties the feature cache in memory. */
export function forgetFeatures(): void {
  for (const [hash, entries] of cache) forget(hash, entries)
}
