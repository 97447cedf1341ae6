import type { DenseTensor } from '../../hub/tensor.ts'
import { tf } from '../../tf.ts'
import { erf, fold } from '../fold.ts'
import type { Node, Value } from '../graph.ts'
import type { Lifting, Rule, Rules } from '../lifting.ts'

/** Activations that TensorFlow writes as several operations, by Keras's name. */
const ACTIVATIONS: Record<string, (x: number) => number> = {
  swish: x => x / (1 + Math.exp(-x)),
  gelu: x => x * 0.5 * (1 + erf(x / Math.SQRT2)),
  gelu_new: x => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  mish: x => x * Math.tanh(Math.log1p(Math.exp(x))),
}

/** Where a candidate is compared with them. */
const SAMPLES = Float32Array.of(-5, -3.1, -2, -1.3, -0.7, -0.2, 0, 0.1, 0.6, 1, 1.9, 3, 4.7)
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
])
const FURTHEST = 4, LARGEST = 10

/**
 * Recognizes an activation by what it computes, not by how it is written: the operations around `node` that depend on one tensor
 * and on numbers alone are evaluated at some points. The smallest such group that equals an activation becomes it.
 */
const recognize: Rule = (node, lift) => {
  for (const root of rootsOf(node, lift)) {
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
      const name = inside.has(node) && Object.keys(ACTIVATIONS).find(key => equals(result, ACTIVATIONS[key]))
      if (name && claim(name, root, next, inside, lift)) return true
    }
  }
  return false
}

/** Tensors from which `node` is computed with numbers only, the nearest first. */
function rootsOf(node: Node, lift: Lifting): Value[] {
  const roots: Value[] = []
  for (let at: Node = node; roots.length < FURTHEST;) {
    const flowing = at.inputs.filter(input => lift.flows(input))
    if (!flowing.length || flowing.some(input => input.node !== flowing[0].node)) break
    roots.push(flowing[0])
    if (!ELEMENTWISE.has(flowing[0].node.op)) break
    at = flowing[0].node
  }
  return roots
}

const equals = (result: DenseTensor, activation: (x: number) => number): boolean =>
  result.data.length === SAMPLES.length &&
  SAMPLES.every((x, i) => Math.abs(result.data[i] - activation(x)) <= 2e-6 * Math.max(1, Math.abs(x)))

function claim(name: string, root: Value, last: Node, inside: Map<Node, unknown>, lift: Lifting): boolean {
  const needed = new Set([last])
  for (const node of needed) for (const { node: from } of node.inputs) if (inside.has(from)) needed.add(from)
  const claimed = lift.claim(last, [...needed], () =>
    lift.layer(tf.layers.activation, { activation: name }, { named: last, inputs: [root] }),
  )
  if (claimed) lift.activates(root.node, name, last)
  return claimed
}

export const composed: Rules = { Sigmoid: recognize, Erf: recognize, Erfc: recognize, Tanh: recognize }
