import type { DenseTensor } from '../../hub/tensor.ts'
import { ELU } from '../../layers/elu.ts'
import { tf } from '../../tf.ts'
import { erf, fold } from '../fold.ts'
import type { Node, Value } from '../graph.ts'
import type { Lifting, Rule, Rules } from '../lifting.ts'
import { sources } from '../region.ts'
import { shortest } from './normalization.ts'

/** Activations that TensorFlow writes as several operations, by Keras's name. */
const ACTIVATIONS: Record<string, (x: number) => number> = {
  swish: x => x / (1 + Math.exp(-x)),
  gelu: x => x * 0.5 * (1 + erf(x / Math.SQRT2)),
  gelu_new: x => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  hardSigmoid: x => Math.min(Math.max(0.2 * x + 0.5, 0), 1),
  mish: x => x * Math.tanh(Math.log1p(Math.exp(x))),
}

/** Layers with one number of their own, which is read off at −1; by their name in TensorFlow.js. */
interface WithNumber { at(x: number, alpha: number): number, alpha(atMinusOne: number): number, make: Make }
const WITH_NUMBER: Record<string, WithNumber> = {
  leakyReLU: { at: (x, alpha) => x > 0 ? x : alpha * x, alpha: y => -y, make: tf.layers.leakyReLU as never },
  elu: { at: (x, alpha) => x > 0 ? x : alpha * Math.expm1(x), alpha: y => y / Math.expm1(-1), make: config => new ELU(config) },
}
type Make = (config: { name?: string, alpha?: number, maxValue?: number }) => tf.layers.Layer

/** Where a candidate is compared with them. */
const SAMPLES = Float32Array.of(-5, -3.1, -2, -1.3, -1, -0.7, -0.2, 0, 0.1, 0.6, 1, 1.9, 3, 4.7, 7.5)
const ELEMENTWISE = new Set([
  'Add',
  'AddV2',
  'Sub',
  'Mul',
  'RealDiv',
  'Neg',
  'Square',
  'Pow',
  'Tanh',
  'Sigmoid',
  'Erf',
  'Erfc',
  'Softplus',
  'Exp',
  'Log',
  'Log1p',
  'Expm1',
  'Greater',
  'GreaterEqual',
  'Less',
  'Select',
  'SelectV2',
  'Maximum',
  'Minimum',
  'ClipByValue',
  'Relu',
  'Elu',
])
const FURTHEST = 8, LARGEST = 10

/**
 * Recognizes an activation by what it computes, not by how it is written: the operations around `node` that depend on one tensor
 * and on numbers alone are evaluated at some points. The smallest such group that equals an activation becomes it.
 */
const recognize: Rule = (node, lift) => {
  for (const root of sources(node, lift, ({ op }) => ELEMENTWISE.has(op), FURTHEST)) {
    const inside = new Map<Node, DenseTensor>()
    const start: DenseTensor = { dtype: 'float32', shape: [SAMPLES.length], data: SAMPLES }
    const valueOf = (input: Value): DenseTensor | null =>
      input.node === root.node && input.index === root.index
        ? start
        : (inside.get(input.node) ?? (lift.number(input) === null ? null : lift.constant(input)))
    const queue = [...lift.users(root.node)]
    for (let i = 0; i < queue.length && inside.size < LARGEST; i++) {
      const next = queue[i], inputs = next.inputs.map(valueOf)
      if (!ELEMENTWISE.has(next.op) || inside.has(next) || inputs.includes(null)) continue
      const [result] = fold(next, inputs) ?? []
      if (!result) continue
      inside.set(next, result)
      queue.push(...lift.users(next))
      if (inside.has(node) && claim(result, root, next, inside, lift)) return true
    }
  }
  return false
}

const equals = (result: DenseTensor, activation: (x: number) => number): boolean =>
  result.data.length === SAMPLES.length &&
  SAMPLES.every((x, i) => Math.abs(result.data[i] - activation(x)) <= 2e-6 * Math.max(1, Math.abs(x)))

function claim(result: DenseTensor, root: Value, last: Node, inside: Map<Node, unknown>, lift: Lifting): boolean {
  const needed = new Set([last])
  for (const node of needed) for (const { node: from } of node.inputs) if (inside.has(from)) needed.add(from)
  // In Keras's layouts a layer is a scope: what lies in several is several layers.
  const layer = lift.names.scope(last)
  if (lift.names.keras && ![...needed].every(node => `${lift.names.scope(node)}.`.startsWith(`${layer}.`))) return false
  const name = Object.keys(ACTIVATIONS).find(key => equals(result, ACTIVATIONS[key])), own = name ? null : layerOf(result)
  if (!name && !own) return false
  const claimed = lift.claim(last, [...needed], () => name
    ? lift.layer(tf.layers.activation, { activation: name }, { named: last, inputs: [root] })
    : lift.layer(own!.make as never, own!.options, { named: last, inputs: [root] }))
  if (claimed && name) lift.activates(root.node, name, last)
  return claimed
}

/** The layer with a number of its own that gives `result`. */
function layerOf(result: DenseTensor): { make: Make, options: Record<string, unknown> } | null {
  if (equals(result, x => Math.min(Math.max(x, 0), 6))) return { make: tf.layers.reLU as never, options: { maxValue: 6 } }
  const atMinusOne = result.data[SAMPLES.indexOf(-1)]
  for (const { at, alpha, make } of Object.values(WITH_NUMBER)) {
    const number = shortest(alpha(atMinusOne))
    if (number > 0 && equals(result, x => at(x, number))) return { make, options: { alpha: number } }
  }
  return null
}

/** `max(x, 0) − alpha·max(−x, 0)` with learned factors: Keras's PReLU. */
export const parametric: Rules = {
  Neg(node, lift) {
    const x = node.inputs[0], low = lift.next(node, 'Relu'), product = low && lift.next(low, 'Mul')
    const end = product && lift.next(product, 'Sub', 'AddV2'), high = end && lift.other(end, product)
    if (!high || high.node.op !== 'Relu' || high.node.inputs[0].node !== x.node || !lift.flows(x)) return false
    const factor = lift.other(product, low)
    const alpha = end.op === 'Sub' ? factor : factor.node.op === 'Neg' ? factor.node.inputs[0] : null
    const known = alpha && lift.known(alpha)
    if (!known || end.op === 'Sub' && end.inputs[1].node !== product) return false
    return lift.claim(end, [node, low, product, high.node, end], () => {
      const shape = lift.tensor(x).shape.slice(1)
      const factors = [...new Array<number>(shape.length - known.shape.length).fill(1), ...known.shape]
      const sharedAxes = factors.flatMap((size, d) => size === 1 && shape[d] !== 1 ? [d + 1] : [])
      lift.layer(tf.layers.prelu, sharedAxes.length ? { sharedAxes } : {},
        { named: end, inputs: [x], weights: { alphaInitializer: { tensor: known, as: 'zeros' } } })
    })
  },
}

export const composed: Rules = Object.fromEntries(
  ['Sigmoid', 'Erf', 'Erfc', 'Tanh', 'Select', 'SelectV2', 'Maximum', 'Minimum', 'ClipByValue'].map(op => [op, recognize]))
