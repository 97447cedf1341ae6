import { Unsupported, weightsOf } from '../emitter.ts'
import type { Emitter, Rule, Value } from '../emitter.ts'

type Activate = (emitter: Emitter, value: Value) => Value

/** The value with one node put on it that works number by number, wherever the numbers lie. */
export function elementwise(e: Emitter, op: string, { name, shape, channelsFirst }: Value, attributes = {}, more: string[] = []): Value {
  return { name: e.node(op, [name, ...more], attributes), shape, channelsFirst }
}

const product = (e: Emitter, a: Value, b: Value) => elementwise(e, 'Mul', a, {}, [b.name])
const clip = (e: Emitter, value: Value, low: number, high: number) =>
  elementwise(e, 'Clip', value, {}, [e.scalar(low), e.scalar(high)])
const hardSigmoid = (alpha: number): Activate =>
  (e, value) => elementwise(e, 'HardSigmoid', value, { alpha: { float: alpha }, beta: { float: 0.5 } })

function softmax(e: Emitter, value: Value, axis: number, op = 'Softmax'): Value {
  const rank = value.shape.length, at = axis < 0 ? axis + rank : axis
  return elementwise(e, op, value, { axis: value.channelsFirst ? [0, 2, 3, 1][at] : at })
}

/** 0.5·x·(1 + erf(x/√2)), or its approximation by tanh (Hendrycks and Gimpel, 2016). */
function gelu(approximate: boolean): Activate {
  return (e, x) => {
    let inner = elementwise(e, 'Mul', x, {}, [e.scalar(Math.SQRT1_2)])
    if (approximate) {
      const cube = product(e, product(e, x, x), x)
      const sum = elementwise(e, 'Add', elementwise(e, 'Mul', cube, {}, [e.scalar(0.044715)]), {}, [x.name])
      inner = elementwise(e, 'Mul', sum, {}, [e.scalar(Math.sqrt(2 / Math.PI))])
    }
    const gate = elementwise(e, 'Add', elementwise(e, approximate ? 'Tanh' : 'Erf', inner), {}, [e.scalar(1)])
    return product(e, elementwise(e, 'Mul', x, {}, [e.scalar(0.5)]), gate)
  }
}

/** Activation functions by the names that TensorFlow.js and Keras give them. */
const activations: Record<string, Activate> = {
  linear: (_, value) => value,
  relu: (e, value) => elementwise(e, 'Relu', value),
  relu6: (e, value) => clip(e, value, 0, 6),
  sigmoid: (e, value) => elementwise(e, 'Sigmoid', value),
  tanh: (e, value) => elementwise(e, 'Tanh', value),
  elu: (e, value) => elementwise(e, 'Elu', value),
  selu: (e, value) => elementwise(e, 'Selu', value),
  softplus: (e, value) => elementwise(e, 'Softplus', value),
  softsign: (e, value) => elementwise(e, 'Softsign', value),
  exponential: (e, value) => elementwise(e, 'Exp', value),
  hardSigmoid: hardSigmoid(0.2),
  hardSigmoid3: hardSigmoid(1 / 6),
  hardSilu: (e, value) => elementwise(e, 'HardSwish', value),
  softmax: (e, value) => softmax(e, value, -1),
  logSoftmax: (e, value) => softmax(e, value, -1, 'LogSoftmax'),
  swish: (e, value) => product(e, value, elementwise(e, 'Sigmoid', value)),
  mish: (e, value) => product(e, value, elementwise(e, 'Tanh', elementwise(e, 'Softplus', value))),
  gelu: gelu(false),
  gelu_new: gelu(true),
}
const aliases: Record<string, string> = { silu: 'swish', hard_sigmoid: 'hardSigmoid', log_softmax: 'logSoftmax' }

/** The value after the activation function that a layer's config names. */
export function activate(e: Emitter, value: Value, name: unknown = 'linear'): Value {
  const activation = activations[aliases[String(name)] ?? String(name)]
  if (!activation) throw new Unsupported(`the activation '${name}'`)
  return activation(e, value)
}

export const activationRules: Record<string, Rule> = {
  Activation: (e, layer, [x]) => activate(e, x, layer.getConfig().activation),

  ReLU: (e, layer, [x]) => {
    const { maxValue, negativeSlope = 0, threshold = 0 } = layer.getConfig() as Record<string, number | null>
    if (threshold) throw new Unsupported('a ReLU with a threshold')
    if (negativeSlope) {
      const bent = elementwise(e, 'LeakyRelu', x, { alpha: { float: negativeSlope } })
      return maxValue == null ? bent : elementwise(e, 'Min', bent, {}, [e.scalar(maxValue)])
    }
    return maxValue == null ? elementwise(e, 'Relu', x) : clip(e, x, 0, maxValue)
  },

  LeakyReLU: (e, layer, [x]) => {
    const { alpha = 0.3 } = layer.getConfig() as { alpha?: number }
    return elementwise(e, 'LeakyRelu', x, { alpha: { float: alpha } })
  },

  ELU: (e, layer, [x]) => elementwise(e, 'Elu', x, { alpha: { float: (layer.getConfig().alpha as number | undefined) ?? 1 } }),

  ThresholdedReLU: (e, layer, [x]) => {
    const theta = (layer.getConfig().theta as number | undefined) ?? 1
    return elementwise(e, 'ThresholdedRelu', x, { alpha: { float: theta } })
  },

  Softmax: (e, layer, [x]) => softmax(e, x, (layer.getConfig().axis as number | undefined) ?? -1),

  PReLU: (e, layer, [x]) => {
    const { data, shape } = weightsOf(layer).alpha
    return { name: e.node('PRelu', [e.last(x), e.constant(data, shape)]), shape: x.shape, channelsFirst: false }
  },
}
