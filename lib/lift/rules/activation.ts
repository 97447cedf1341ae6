import { tf } from '../../tf.ts'
import type { Node } from '../graph.ts'
import type { Lifting, Rules } from '../lifting.ts'

/** Operations that are one of Keras's activations, by its name there. */
const NAMES: Record<string, string> = {
  Relu: 'relu',
  Relu6: 'relu6',
  Sigmoid: 'sigmoid',
  Tanh: 'tanh',
  Softmax: 'softmax',
  Elu: 'elu',
  Selu: 'selu',
  Softplus: 'softplus',
  Softsign: 'softsign',
  Exp: 'exponential',
}

/** Those that Keras also has as layers of their own, by the name that it gives such a layer. */
const LAYERS: Record<string, [name: string, make: (options: object) => tf.layers.Layer]> = {
  Relu: ['re_lu', tf.layers.reLU],
  Softmax: ['softmax', tf.layers.softmax],
  Elu: ['elu', tf.layers.elu],
}

function activate(node: Node, lift: Lifting) {
  const from = { named: node, inputs: [node.inputs[0]] }
  if (Object.hasOwn(LAYERS, node.op)) {
    const [name, make] = LAYERS[node.op]
    if (new RegExp(`(^|\\.)${name}(_\\d+)?$`).test(lift.names.scope(node))) return lift.layer(make, {}, from)
  }
  return lift.layer(tf.layers.activation, { activation: NAMES[node.op] }, from)
}

/** Activations with a layer of their own. */
export const activation: Rules = {
  ...Object.fromEntries(Object.keys(NAMES).map(op => [op, activate])),
  Relu(node, lift) {
    const bound = lift.nextInScope(node, 'Minimum'), maxValue = bound && lift.number(lift.other(bound, node))
    if (maxValue) return lift.layer(tf.layers.reLU, { maxValue }, { named: node, through: [bound], inputs: [node.inputs[0]] })
    return activate(node, lift)
  },
  Relu6: (node, lift) => lift.layer(tf.layers.reLU, { maxValue: 6 }, { named: node, inputs: [node.inputs[0]] }),
  LeakyRelu: (node, lift) =>
    lift.layer(
      tf.layers.leakyReLU,
      { alpha: Math.fround(node.attr('alpha').float ?? 0.2) },
      { named: node, inputs: [node.inputs[0]] },
    ),
}

/** The activation that follows `node` in the same layer, as Keras's `activation` option has it. */
export function fusedActivation(node: Node, lift: Lifting): { name: string, last: Node } | null {
  const next = lift.nextInScope(node, ...Object.keys(NAMES).filter(op => op !== 'Relu6'))
  return next ? { name: NAMES[next.op], last: next } : lift.composedActivation(node)
}
