import { floatAttr, typeAttr } from '../attributes.ts'
import { type Body, type Rule, Unsupported, type Value } from '../body.ts'

/** The value with one operation put on it that works number by number; `more` are its other operands. */
export const elementwise = (b: Body, op: string, x: Value, ...more: Value[]): Value => b.node(op, [x, ...more], x.shape)

const product = (b: Body, x: Value, factor: number): Value => elementwise(b, 'Mul', x, b.number(factor))
const sum = (b: Body, x: Value, more: number): Value => elementwise(b, 'AddV2', x, b.number(more))
const clip = (b: Body, x: Value, low: number, high: number): Value =>
  elementwise(b, 'Minimum', elementwise(b, 'Maximum', x, b.number(low)), b.number(high))

/** 0.5·x·(1 + erf(x/√2)), or its approximation by tanh (Hendrycks and Gimpel, 2016). */
function gelu(b: Body, x: Value, approximate: boolean): Value {
  const cubic = () => elementwise(b, 'AddV2', product(b, elementwise(b, 'Pow', x, b.number(3)), 0.044715), x)
  const inner = approximate ? product(b, cubic(), Math.sqrt(2 / Math.PI)) : product(b, x, Math.SQRT1_2)
  return elementwise(b, 'Mul', product(b, x, 0.5), sum(b, elementwise(b, approximate ? 'Tanh' : 'Erf', inner), 1))
}

const hardSigmoid3 = (b: Body, x: Value): Value => product(b, elementwise(b, 'Relu6', sum(b, x, 3)), 1 / 6)

/** The value turned so that its axes have another order. */
export const transpose = (b: Body, x: Value, order: number[]): Value =>
  b.node('Transpose', [x, b.integers(order)], order.map(d => x.shape[d]))

function softmax(b: Body, x: Value, axis: number, op = 'Softmax'): Value {
  const rank = x.shape.length, at = axis < 0 ? axis + rank : axis
  if (at === rank - 1) return b.node(op, [x], x.shape)
  // Where the axis is not the last it changes places with it.
  const order = x.shape.map((_, d) => d === at ? rank - 1 : d === rank - 1 ? at : d), turned = transpose(b, x, order)
  return transpose(b, b.node(op, [turned], turned.shape), order)
}

type Activate = (b: Body, x: Value) => Value

const simple = (op: string): Activate => (b, x) => elementwise(b, op, x)

/** Activation functions by the names that TensorFlow.js and Keras give them. */
const activations: Record<string, Activate> = {
  linear: (_, x) => x,
  relu: simple('Relu'),
  relu6: simple('Relu6'),
  sigmoid: simple('Sigmoid'),
  tanh: simple('Tanh'),
  elu: simple('Elu'),
  selu: simple('Selu'),
  softplus: simple('Softplus'),
  softsign: simple('Softsign'),
  exponential: simple('Exp'),
  hardSigmoid: (b, x) => clip(b, sum(b, product(b, x, 0.2), 0.5), 0, 1),
  hardSigmoid3,
  hardSilu: (b, x) => elementwise(b, 'Mul', x, hardSigmoid3(b, x)),
  softmax: (b, x) => softmax(b, x, -1),
  logSoftmax: (b, x) => softmax(b, x, -1, 'LogSoftmax'),
  swish: (b, x) => elementwise(b, 'Mul', x, elementwise(b, 'Sigmoid', x)),
  mish: (b, x) => elementwise(b, 'Mul', x, elementwise(b, 'Tanh', elementwise(b, 'Softplus', x))),
  gelu: (b, x) => gelu(b, x, false),
  gelu_new: (b, x) => gelu(b, x, true),
}
const aliases: Record<string, string> = { silu: 'swish', hard_sigmoid: 'hardSigmoid', log_softmax: 'logSoftmax' }

/** The value after the activation function that a layer's config names. */
export function activate(b: Body, x: Value, name: unknown = 'linear'): Value {
  const activation = activations[aliases[String(name)] ?? String(name)]
  if (!activation) throw new Unsupported(`the activation '${name}'`)
  return activation(b, x)
}

/** The value where it is above a limit, else 0. */
function above(b: Body, x: Value, limit: number): Value {
  const passes = b.node('Greater', [x, b.number(limit)], x.shape, {}, 'bool')
  const mask = b.node('Cast', [passes], x.shape, { SrcT: typeAttr('bool'), DstT: b.float }, 'float32')
  return elementwise(b, 'Mul', x, mask)
}

const leaky = (b: Body, x: Value, alpha: number): Value => b.node('LeakyRelu', [x], x.shape, { alpha: floatAttr(alpha) })

export const activationRules: Record<string, Rule> = {
  Activation: (b, layer, [x]) => activate(b, x, layer.getConfig().activation),

  ReLU: (b, layer, [x]) => {
    const { maxValue, negativeSlope = 0, threshold = 0 } = layer.getConfig() as Record<string, number | null>
    if (threshold && negativeSlope) throw new Unsupported('a ReLU with a threshold and a slope')
    if (maxValue === 6 && !negativeSlope && !threshold) return elementwise(b, 'Relu6', x)
    const bent = threshold ? above(b, x, threshold) : negativeSlope ? leaky(b, x, negativeSlope) : elementwise(b, 'Relu', x)
    return maxValue == null ? bent : elementwise(b, 'Minimum', bent, b.number(maxValue))
  },

  LeakyReLU: (b, layer, [x]) => leaky(b, x, (layer.getConfig().alpha as number | undefined) ?? 0.3),

  ELU: (b, layer, [x]) => {
    const { alpha = 1 } = layer.getConfig() as { alpha?: number }, bent = elementwise(b, 'Elu', x)
    if (alpha === 1) return bent
    const passes = b.node('Greater', [x, b.number(0)], x.shape, {}, 'bool')
    return b.node('SelectV2', [passes, x, product(b, bent, alpha)], x.shape, { T: b.float }, 'float32')
  },

  ThresholdedReLU: (b, layer, [x]) => above(b, x, (layer.getConfig().theta as number | undefined) ?? 1),

  Softmax: (b, layer, [x]) => softmax(b, x, (layer.getConfig().axis as number | undefined) ?? -1),

  PReLU: (b, layer, [x]) => {
    const negative = elementwise(b, 'Relu', elementwise(b, 'Neg', x))
    const slope = elementwise(b, 'Mul', negative, elementwise(b, 'Neg', b.weight(layer, 'alpha')!))
    return elementwise(b, 'AddV2', elementwise(b, 'Relu', x), slope)
  },
}
