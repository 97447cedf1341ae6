import { GraftError } from '../error.ts'
import { type Operand, type Operation, tensorFlowOp, type TensorFlowOpConfig } from '../layers/tensorflow-op.ts'
import { tf } from '../tf.ts'
import { constantOf, type Node, type Value } from './graph.ts'
import type { Lifting } from './lifting.ts'
import { attributesOf } from './op-json.ts'
import { slices } from './slices.ts'

/** Larger constants than this inside a layer's configuration would make it unreadable: they become weights that do not train. */
const LARGEST_CONSTANT = 1024

/**
 * The last resort for one operation: a layer that is that operation, run by TensorFlow.js's graph executor, with the arithmetic
 * on sizes that it needs. Its variables are weights, so it trains; every tensor around it stays reachable. Throws a GraftError
 * that names the operation where that cannot be run either.
 */
export function opaque(node: Node, lift: Lifting): void {
  if (slices(node, lift)) return
  const part = new Part(input => lift.tensorOf(input) !== undefined, lift)
  part.add(node)
  if (!part.inputs.length) throw cannot(node, 'no image flows into it')
  const results = lift.users(node).flatMap(user => user.inputs).filter(input => input.node === node).map(input => input.index)
  const count = Math.max(0, ...results) + 1
  try {
    part.layer(node, Array.from({ length: count }, (_, index) => ({ node, index })), node.op)
  } catch (error) {
    throw cannot(node, (error as Error).message)
  }
}

/**
 * The last resort for a graph that cannot be taken apart, as where the size of one tensor decides how another is cut: all of it
 * as one layer. It trains, and its variables can be frozen; there is nothing inside to cut or to graft on.
 */
export function opaqueGraph(input: Value, outputs: Value[], lift: Lifting): void {
  const part = new Part(({ node }) => node === input.node, lift)
  for (const { node } of outputs) part.add(node)
  lift.report.opaque.length = 0
  part.layer(outputs[0].node, outputs, `a whole graph of ${part.operations.length} operations`)
  lift.note('the model could not be taken apart into layers: it is one layer, which can be trained and frozen but not cut')
}

/** Operations between tensors that layers give and a result, as one layer. */
class Part {
  readonly inputs: Value[] = []
  readonly operations: Operation[] = []
  readonly #operands: Operand[] = []
  readonly #weights: Float32Array[] = []
  readonly #references = new Map<Node, string[]>()
  readonly #isInput: (value: Value) => boolean
  readonly #lift: Lifting

  constructor(isInput: (value: Value) => boolean, lift: Lifting) {
    this.#isInput = isInput
    this.#lift = lift
  }

  /** Adds a node, and before it all that it needs; iteratively, since a graph may be deeper than a call stack. */
  add(last: Node): void {
    const stack = [last]
    while (stack.length) {
      const node = stack.at(-1)!
      const missing = node.inputs.filter(input => !this.#reference(input)).map(input => input.node)
      if (missing.length) stack.push(...missing)
      else {
        stack.pop()
        if (this.#references.has(node)) continue
        const name = `operation_${this.operations.length}`
        const inputs = node.inputs.map(input => this.#reference(input)!)
        this.operations.push({ name, op: node.op, attributes: attributesOf(node), inputs })
        this.#references.set(node, [name])
      }
    }
  }

  /** How the executor calls a value: an operand, or a result of an operation that was added. */
  #reference(value: Value): string | null {
    const { node, index } = value, known = this.#references.get(node)
    if (known) return known[index] ?? (/^operation/.test(known[0]) ? `${known[0]}:${index}` : this.#operand(value))
    return this.#isInput(value) || this.#numbers(value) ? this.#operand(value) : null
  }

  #operand(value: Value): string {
    const { node, index } = value, names = this.#references.get(node) ?? [], name = `operand_${this.#operands.length}`
    this.#operands.push(this.#isInput(value) ? { from: 'input' } : this.#number(value))
    if (this.#isInput(value)) this.inputs.push(value)
    names[index] = name
    this.#references.set(node, names)
    return name
  }

  #numbers(value: Value) {
    const known = this.#lift.flows(value) ? constantOf(value) : this.#lift.known(value)
    return known && known.dtype !== 'string' && !known.data.some(Number.isNaN) ? known : null
  }

  #number(value: Value): Operand {
    const { dtype: kind, shape, data } = this.#numbers(value)!
    const dtype = /int/.test(kind) ? 'int32' : kind === 'bool' ? 'bool' : 'float32'
    if (dtype !== 'float32' || !value.node.trained && data.length <= LARGEST_CONSTANT)
      return { from: 'constant', shape, dtype, values: Array.from(data) }
    this.#weights.push(Float32Array.from(data))
    return { from: 'weight', shape, trainable: value.node.variable?.trainable ?? false }
  }

  /** Makes the layer; `said` is what the report calls it. */
  layer(named: Node, results: Value[], said: string): void {
    const config: TensorFlowOpConfig = {
      operations: this.operations, operands: this.#operands, results: results.map(value => this.#reference(value)!),
    }
    const make = (options: { name: string }) => {
      const layer = tensorFlowOp(tf, { ...config, ...options }, this.#initial())
      this.#lift.report.opaque.push({ layer: options.name, op: said })
      return layer
    }
    const before = this.#lift.report.opaque.length
    try {
      this.#lift.layer(make as never, {}, { named, inputs: this.inputs })
    } catch (error) {
      this.#lift.report.opaque.length = before
      throw error
    }
  }

  #initial(): ReturnType<typeof tf.tensor>[] {
    let at = 0
    return this.#operands.flatMap(operand => operand.from === 'weight' ? [tf.tensor(this.#weights[at++], operand.shape)] : [])
  }
}

const cannot = (node: Node, why: string) =>
  new GraftError(
    `operation ${node.op} ('${node.path}') of the model cannot be opened as a layer: ${why}. ` +
      "Expected a network of convolutions, pooling, normalization and the like, as TF Hub's image models are.",
  )
