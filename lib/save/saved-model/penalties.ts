import type { layers } from '@tensorflow/tfjs'
import { Body, weightOf } from './body.ts'
import { functionDef, type Handle, type Signature } from './functions.ts'
import { elementwise } from './rules/activation.ts'

type Weight = layers.Layer['weights'][number]

/** What a weight adds to the loss in training, as Keras's `L1L2` has it: `l1·Σ|w| + l2·Σw²`. */
export interface Penalty { weight: Weight, l1: number, l2: number }

/** The names of weights whose regularizers are called otherwise in a layer's configuration. */
const names: Record<string, string> = { depthwise: 'depthwise_kernel', pointwise: 'pointwise_kernel' }

/** The penalties of these layers on weights that can be trained. */
export function penaltiesOf(all: layers.Layer[]): Penalty[] {
  return [...new Set(all)].filter(({ trainable }) => trainable).flatMap(layer =>
    Object.entries(layer.getConfig()).flatMap(([key, value]) => {
      const [, short] = /^(\w+)Regularizer$/.exec(key) ?? [], weight = short && weightOf(layer, names[short] ?? short)
      const { l1 = 0, l2 = 0 } = (value as { config?: { l1?: number, l2?: number } } | null)?.config ?? {}
      return weight && (l1 || l2) ? [{ weight, l1, l2 }] : []
    }))
}

/** The function that computes a penalty from its variable. */
export function penaltyFunction(signature: Signature, { weight, l1, l2 }: Penalty): Uint8Array {
  const handle: Handle = { name: 'variable_0', shape: weight.shape as number[] }
  const b = new Body(new Map([[weight, handle.name]]), true)
  b.enter('penalty')
  const w = b.read(weight), axes = b.integers(weight.shape.map((_, d) => d))
  const term = (op: string, factor: number) =>
    b.node('Mul', [b.node('Sum', [elementwise(b, op, w), axes], []), b.number(factor)], [])
  const terms = [...l1 ? [term('Abs', l1)] : [], ...l2 ? [term('Square', l2)] : []]
  const sum = terms.reduce((left, right) => b.node('AddV2', [left, right], []))
  return functionDef(signature, [handle], b.nodes, [sum])
}
