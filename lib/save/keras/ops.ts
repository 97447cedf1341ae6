import { GraftError } from '../../error.ts'
import { operationsOf, type Argument } from './operations.ts'
import { isObject, type Json } from './types.ts'

type Config = { [key: string]: Json }

/**
 * Operations on tensors, such as `x * 2 + y`, stand in Keras's files as nodes of their own: Keras 3 names a class of
 * `keras.src.ops`, tf_keras a function of TensorFlow in a `TFOpLambda`. Those that a layer computes become that layer, most others
 * a `TensorFlowOp`; the rest is refused by name.
 */
export function layerOfOp(layer: Json): Json {
  if (!isObject(layer) || !isObject(layer.config)) return layer
  // Keras 3's .h5 names no modules; but a layer always tells whether it trains.
  const plain = layer.module === undefined && !('trainable' in layer.config) && !('dtype' in layer.config)
  const keras3 = plain || /^keras\.src\.ops\b/.test(String(layer.module))
  const call = keras3 ? callOfKeras3(layer) : layer.class_name === 'TFOpLambda' ? callOfTfKeras(layer) : undefined
  if (!call) return layer
  const made = translate(call) ?? asOperations(call, keras3 && !plain ? layer : undefined)
  if (!made && plain) return layer
  if (!made) {
    throw new GraftError(
      `layer '${String(layer.name ?? layer.config.name)}' is the operation ${call.op} of ${call.inputs.map(say).join(' and ')}, ` +
        `which no layer computes here. Replace it by a layer of Keras and save the model again.`,
    )
  }
  const name = String(layer.name ?? layer.config.name)
  return { class_name: made.className, name, config: { ...made.config, name, trainable: true },
    inbound_nodes: [made.inputs.map(entry)] }
}

/** A tensor: a layer's output, by layer, call and output. */
type Tensor = [string, number, number]

/** What TensorFlow's operations compute where no layer does; the file's own words are kept for the next one. */
function asOperations({ op, inputs, shapes, settings }: Call, written: Config | undefined): Made | undefined {
  let tensor = 0
  const args = inputs.map((input): Argument => isTensor(input) ? { shape: shapes[tensor++] ?? [] } : input)
  if (shapes.length !== inputs.filter(isTensor).length) return undefined
  const made = operationsOf(op, args, settings)
  return made && { className: 'TensorFlowOp', inputs: inputs.filter(isTensor),
    config: { operation: { name: JSON.stringify({ ...made, ...written && { keras: written } }) } } }
}

/** An operation called once, on tensors and numbers. */
interface Call {
  op: string
  inputs: (Tensor | number | number[])[]
  /** Of the tensors, where the file tells them. */
  shapes: (number | null)[][]
  settings: Config
}

const isTensor = (value: unknown): value is Tensor => Array.isArray(value) && typeof value[0] === 'string'
const say = (value: Call['inputs'][number]): string => isTensor(value) ? `'${value[0]}'` : JSON.stringify(value)
const entry = ([name, call, output]: Tensor): Json => [name, call, output, {}]

function callOfKeras3({ class_name, config, inbound_nodes: nodes }: Config): Call | undefined {
  const [node, ...more] = Array.isArray(nodes) ? nodes : []
  if (!isObject(node) || more.length || !Array.isArray(node.args)) return undefined
  const op = String(class_name).toLowerCase(), [sliced, key] = node.args
  const args = (op === 'getitem' ? [sliced] : node.args)
    .flatMap((each): Json[] => Array.isArray(each) && each.some(isHistory) ? each : [each])
  const inputs = args.map(each => isHistory(each) ? historyOf(each) : operand(each))
  if (!inputs.every(each => each !== undefined)) return undefined
  const given: Config = { ...config as Config, ...isObject(node.kwargs) ? node.kwargs : {}, ...op === 'getitem' && { key } }
  const { name: _, ...settings } = given
  return { op, inputs, shapes: args.filter(isHistory).map(shapeOf), settings }
}

const isHistory = (value: Json): boolean => isObject(value) && value.class_name === '__keras_tensor__'
const historyOf = (value: Json): Tensor | undefined => {
  const history = isObject(value) && isObject(value.config) ? value.config.keras_history : undefined
  return Array.isArray(history) ? [String(history[0]), Number(history[1]), Number(history[2])] : undefined
}

const shapeOf = (value: Json): (number | null)[] => {
  const { shape } = isObject(value) && isObject(value.config) ? value.config : {}
  return Array.isArray(shape) ? shape as (number | null)[] : []
}

const operand = (value: Json): number | number[] | undefined =>
  typeof value === 'number' ? value
    : Array.isArray(value) && value.length > 0 && value.every(each => typeof each === 'number') ? value as number[]
    // Keras 3 writes an array with its type.
    : isObject(value) && isObject(value.config) ? operand(value.config.value ?? null) : undefined

function callOfTfKeras({ config, inbound_nodes: nodes }: Config): Call | undefined {
  const [node, ...more] = Array.isArray(nodes) ? nodes : []
  if (!Array.isArray(node) || more.length) return undefined
  const [from, index, third, kwargs] = (Array.isArray(node[0]) ? node[0] : node) as [string, number, Json, Json]
  const first = from === '_CONSTANT_VALUE' ? operand(third) : [from, index, Number(third)] as Tensor
  const { y, name: _, ...settings } = isObject(kwargs) ? kwargs : {}
  const second = isTensor(y) ? [String(y[0]), Number(y[1]), Number(y[2])] as Tensor : y === undefined ? undefined : operand(y)
  if (first === undefined || (y !== undefined && second === undefined)) return undefined
  const op = String((config as Config).function).replace(/^.*\./, '').toLowerCase()
  return { op, inputs: second === undefined ? [first] : [first, second], shapes: [], settings }
}

interface Made {
  className: string
  config: Config
  inputs: Tensor[]
}

const merges: Record<string, string> =
  { add: 'Add', subtract: 'Subtract', sub: 'Subtract', multiply: 'Multiply', mul: 'Multiply', maximum: 'Maximum',
    minimum: 'Minimum' }
const activations: Record<string, string> = {
  relu: 'relu', relu6: 'relu6', sigmoid: 'sigmoid', tanh: 'tanh', silu: 'silu', swish: 'silu', softplus: 'softplus',
  softsign: 'softsign', selu: 'selu', elu: 'elu', hardsigmoid: 'hard_sigmoid', hardsilu: 'hard_silu', logsigmoid: 'log_sigmoid',
}

function translate({ op, inputs, shapes, settings }: Call): Made | undefined {
  const tensors = inputs.filter(isTensor), [a, b] = inputs
  if (inputs.length === 1 && tensors.length === 1) {
    const activation = activations[op]
    const plain = Object.values(settings).every(value => value === null || value === 1)
    if (activation && plain) return { className: 'Activation', config: { activation }, inputs: tensors }
    const [className, config] = unary(op, settings, shapes[0]?.length ?? 4) ?? []
    return className && config ? { className, config, inputs: tensors } : undefined
  }
  if (tensors.length === inputs.length && inputs.length >= 2) {
    if (op === 'concatenate') return { className: 'Concatenate', config: { axis: settings.axis ?? -1 }, inputs: tensors }
    return merges[op] && inputs.length === 2 ? { className: merges[op], config: {}, inputs: tensors } : undefined
  }
  if (inputs.length !== 2 || tensors.length !== 1) return undefined
  const scaled = isTensor(a) ? affine(op, b as number | number[]) : affineFrom(op, a as number | number[])
  return scaled && { className: 'Rescaling', config: scaled, inputs: tensors }
}

/** The layer, and its configuration, that computes an operation of Keras on one tensor. */
function unary(op: string, settings: Config, rank: number): [string, Config] | undefined {
  const { axis, axes, newshape, keepdims, size, x_min: least, x_max: most } = settings
  const spatial = rank === 4 && JSON.stringify(axis) === '[1,2]' && (settings.initial ?? null) === null
  switch (op) {
    case 'mean': return spatial ? ['GlobalAveragePooling2D', { keepdims: keepdims === true }] : undefined
    case 'max': return spatial ? ['GlobalMaxPooling2D', { keepdims: keepdims === true }] : undefined
    case 'softmax': return typeof axis === 'number' ? ['Softmax', { axis }] : undefined
    case 'logsoftmax': return axis === -1 ? ['Activation', { activation: 'log_softmax' }] : undefined
    case 'gelu': return settings.approximate === false ? ['Activation', { activation: 'gelu' }] : undefined
    case 'negative': return ['Rescaling', { scale: -1, offset: 0 }]
    case 'clip': return least === 0 && typeof most === 'number' ? ['ReLU', { max_value: most }] : undefined
    // Both begin with the batch, which a layer leaves out.
    case 'reshape': return Array.isArray(newshape) && (newshape[0] === -1 || newshape[0] === null)
      && newshape.slice(1).every(each => typeof each === 'number' && each >= 0)
      ? ['Reshape', { target_shape: newshape.slice(1) }] : undefined
    case 'transpose': return Array.isArray(axes) && axes[0] === 0 ? ['Permute', { dims: axes.slice(1) }] : undefined
    case 'resize': {
      const { size: _, interpolation, name: __, ...rest } = settings
      return Array.isArray(size) ? ['Resizing', { height: size[0], width: size[1], interpolation, ...rest }] : undefined
    }
    default: return undefined
  }
}

const each = (value: number | number[], of: (number: number) => number): number | number[] =>
  Array.isArray(value) ? value.map(of) : of(value)

/** `x op value` as a factor and an offset. */
function affine(op: string, value: number | number[]): Config | undefined {
  switch (merges[op] ?? op) {
    case 'Add': return { scale: 1, offset: value }
    case 'Subtract': return { scale: 1, offset: each(value, number => -number) }
    case 'Multiply': return { scale: value, offset: 0 }
    case 'truediv':
    case 'divide':
    case 'truedivide': return { scale: each(value, number => 1 / number), offset: 0 }
    default: return undefined
  }
}

/** `value op x` as a factor and an offset. */
const affineFrom = (op: string, value: number | number[]): Config | undefined =>
  merges[op] === 'Subtract' ? { scale: -1, offset: value } : /^(Add|Multiply)$/.test(merges[op] ?? '') ? affine(op, value)
    : undefined
