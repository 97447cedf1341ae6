import type { LayersModel, Tensor } from '@tensorflow/tfjs'
import type { ImageSet } from '../data/set.ts'
import type { FrozenPrefix } from './trunk.ts'
import { tf } from '../tf.ts'

/** Features by frozen part (its hash), then by image; kept for the session, so that the next run over the same images starts at once. */
const cache = new Map<string, Map<string, Float32Array[]>>()
const most = 2 ** 30
let held = 0

/** How long a piece of work may keep other cells waiting, in milliseconds. */
const patience = 100

/** Lets everything else that waits have its turn: other cells, output, an interrupt. */
export const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

/**
 * Gives a model's inputs for images. Where a part of the model is frozen, it runs once per image, outside of TensorFlow.js, and what
 * comes out of it is kept; {@link model} is the rest.
 */
export class Feeder {
  /** What is left to run in TensorFlow.js: the part after the frozen one, or the whole model. */
  readonly model: LayersModel
  /** How many images went through the frozen part. */
  forwards = 0
  readonly #prefix: FrozenPrefix | null
  readonly #known: Map<string, Float32Array[]> | undefined
  #chunk = 4

  constructor(model: LayersModel, prefix: FrozenPrefix | null) {
    this.model = prefix?.rest ?? model
    this.#prefix = prefix
    if (!prefix) return
    this.#known = cache.get(prefix.hash) ?? new Map()
    // Taken out and put back: the frozen part used last is the last to be forgotten.
    cache.delete(prefix.hash)
    cache.set(prefix.hash, this.#known)
  }

  /** The model's inputs for these images of the set, one tensor each; dispose them after use. */
  async inputs(set: ImageSet, indices: number[], stop?: () => boolean): Promise<Tensor[]> {
    if (!this.#prefix) {
      return [tf.tensor(await set.pixels(indices), [indices.length, ...set.size, set.channels])]
    }
    const fresh = new Map<string, Float32Array[]>()
    const unknown = new Map<string, number>()
    for (const i of indices) if (!this.#known!.has(set.ids[i])) unknown.set(set.ids[i], i)
    const queue = [...unknown]
    while (queue.length && !stop?.()) {
      const part = queue.splice(0, this.#chunk)
      const pixels = await set.pixels(part.map(([, i]) => i))
      const started = performance.now()
      const outputs = await this.#prefix.run(pixels, part.length)
      const ms = performance.now() - started
      if (ms > patience) this.#chunk = Math.max(1, this.#chunk >> 1)
      else if (ms < patience / 3 && part.length === this.#chunk) this.#chunk = Math.min(64, this.#chunk * 2)
      this.forwards += part.length
      part.forEach(([id], n) => {
        const features = outputs.map(output => output.slice(n * (output.length / part.length), (n + 1) * (output.length / part.length)))
        fresh.set(id, features)
        this.#keep(id, features)
      })
      await turn()
    }
    const rows = indices.map(i => this.#known!.get(set.ids[i]) ?? fresh.get(set.ids[i]))
    if (rows.includes(undefined)) return []
    return this.#prefix.shapes.map((shape, n) => {
      const each = rows[0]![n].length, all = new Float32Array(rows.length * each)
      rows.forEach((row, r) => all.set(row![n], r * each))
      return tf.tensor(all, [rows.length, ...shape.slice(1) as number[]])
    })
  }

  #keep(id: string, features: Float32Array[]): void {
    const bytes = features.reduce((n, { byteLength }) => n + byteLength, 0)
    for (const [hash, entries] of cache) {
      if (held + bytes <= most || entries === this.#known) break
      forget(hash, entries)
    }
    if (held + bytes > most) return
    this.#known!.set(id, features)
    held += bytes
  }
}

function forget(hash: string, entries: Map<string, Float32Array[]>): void {
  for (const features of entries.values()) for (const { byteLength } of features) held -= byteLength
  cache.delete(hash)
}

/** Empties the feature cache. */
export function forgetFeatures(): void {
  for (const [hash, entries] of cache) forget(hash, entries)
}
