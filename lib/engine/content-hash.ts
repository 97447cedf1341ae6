import { createHash } from 'node:crypto'
import type { Edge, Graph, Step } from './graph.ts'

/** Settings that say how a layer came to be, or how it trains, but not what it computes. */
const ignored = /^(name|trainable|dtype|batchInputShape|.*(Initializer|Regularizer|Constraint))$/

/** SHA-256 of what some steps of a graph compute: their classes, settings, wiring and weights, whatever they are called. */
export function contentHash({ inputs }: Graph, steps: Iterable<Step>): string {
  const hash = createHash('sha256'), numbers = new Map<Edge, number>(inputs.map((edge, i) => [edge, i]))
  hash.update(JSON.stringify(inputs.map(({ shape }) => shape)))
  for (const { layer, inputs, outputs } of steps) {
    const settings = Object.entries(layer.getConfig()).filter(([key]) => !ignored.test(key)).sort(([a], [b]) => a < b ? -1 : 1)
    hash.update(JSON.stringify([layer.getClassName(), settings, inputs.map((edge) => numbers.get(edge))]))
    for (const weight of layer.getWeights()) {
      const data = weight.dataSync()
      hash.update(JSON.stringify(weight.shape)).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    }
    for (const edge of outputs) numbers.set(edge, numbers.size)
  }
  return hash.digest('hex')
}
