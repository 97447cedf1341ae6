import { GraftError } from '../error.ts'
import { type Operand, tensorFlowOp } from '../layers/tensorflow-op.ts'
import { tf } from '../tf.ts'
import type { Node } from './graph.ts'
import type { Lifting } from './lifting.ts'
import { attributesOf } from './op-json.ts'

/** Larger constants than this inside a layer's configuration would make it unreadable: they become weights that do not train. */
const LARGEST_CONSTANT = 1024

/**
 * The last resort for one operation: a layer that is that operation, run by TensorFlow.js's graph executor. Its variables are
 * weights, so it trains; every tensor around it stays reachable. Throws a GraftError that names the operation where that cannot
 * be run either.
 */
export function opaque(node: Node, lift: Lifting): void {
  const values: Float32Array[] = []
  const operands = node.inputs.map((input): Operand => {
    if (lift.tensorOf(input)) return { from: 'input' }
    const known = lift.known(input)
    if (!known || known.dtype === 'string' || known.data.some(Number.isNaN))
      throw cannot(node, 'it depends on a size that is only known when it runs')
    const { shape } = known, dtype = /int/.test(known.dtype) ? 'int32' : known.dtype === 'bool' ? 'bool' : 'float32'
    if (dtype !== 'float32' || (!input.node.trained && known.data.length <= LARGEST_CONSTANT))
      return { from: 'constant', shape, dtype, values: Array.from(known.data) }
    values.push(Float32Array.from(known.data))
    return { from: 'weight', shape, trainable: input.node.variable?.trainable ?? false }
  })
  const results = lift.users(node).flatMap(user => user.inputs).filter(input => input.node === node).map(input => input.index)
  const inputs = node.inputs.filter(input => lift.tensorOf(input))
  if (!inputs.length) throw cannot(node, 'no image flows into it')
  try {
    const config = { op: node.op, attributes: attributesOf(node), operands, outputs: Math.max(0, ...results) + 1 }
    const make = (options: { name: string }) => {
      lift.report.opaque.push({ layer: options.name, op: node.op })
      let at = 0
      const weights = operands.filter(operand => operand.from === 'weight').map(operand => tf.tensor(values[at++], operand.shape))
      return tensorFlowOp(tf, { ...config, ...options }, weights)
    }
    lift.layer(make as never, {}, { named: node, inputs })
  } catch (error) {
    throw cannot(node, (error as Error).message)
  }
}

const cannot = (node: Node, why: string) =>
  new GraftError(
    `operation ${node.op} ('${node.path}') of the model cannot be opened as a layer: ${why}. ` +
      "Expected a network of convolutions, pooling, normalization and the like, as TF Hub's image models are.",
  )
