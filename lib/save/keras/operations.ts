import type { Operand, Operation, TensorFlowOpConfig } from '../../layers/tensorflow-op.ts'
import type { Json } from './types.ts'

type Config = { [key: string]: Json }

/** A tensor that an operation of Keras is called on. */
export interface Given { shape: (number | null)[] }

/** What an operation is called on: tensors and numbers, in order. */
export type Argument = Given | number | number[]

const isGiven = (value: Argument): value is Given => typeof value === 'object' && !Array.isArray(value)

const float = { T: { type: 'DT_FLOAT' } }
const unary: Record<string, string> = {
  exp: 'Exp', log: 'Log', sqrt: 'Sqrt', rsqrt: 'Rsqrt', square: 'Square', abs: 'Abs', absolute: 'Abs', sin: 'Sin', cos: 'Cos',
  expm1: 'Expm1', log1p: 'Log1p', reciprocal: 'Reciprocal', erf: 'Erf', floor: 'Floor', ceil: 'Ceil', sign: 'Sign', negative: 'Neg',
}
const binary: Record<string, string> = {
  add: 'Add', subtract: 'Sub', multiply: 'Mul', divide: 'RealDiv', truedivide: 'RealDiv', truediv: 'RealDiv', power: 'Pow',
  pow: 'Pow', maximum: 'Maximum', minimum: 'Minimum',
}
const reductions: Record<string, string> = {
  mean: 'Mean', sum: 'Sum', max: 'Max', amax: 'Max', min: 'Min', amin: 'Min', prod: 'Prod', reduce_mean: 'Mean', reduce_sum: 'Sum',
  reduce_max: 'Max', reduce_min: 'Min',
}

/** Collects operations of TensorFlow, each on the results of those before it, inputs and constants. */
class Steps {
  readonly operations: Operation[] = []
  readonly operands: Operand[] = []

  operand(value: Argument): string {
    if (isGiven(value)) return this.#operand({ from: 'input' })
    return this.floats([value].flat(), Array.isArray(value) ? [value.length] : [])
  }

  floats(values: number[], shape: number[] = []): string {
    return this.#operand({ from: 'constant', dtype: 'float32', shape, values })
  }

  whole(values: number[], shape: number[] = [values.length]): string {
    return this.#operand({ from: 'constant', dtype: 'int32', shape, values })
  }

  run(op: string, inputs: string[], attributes: Operation['attributes'] = {}): string {
    const name = `operation_${this.operations.length}`
    this.operations.push({ name, op, inputs, attributes: { ...float, ...attributes } })
    return name
  }

  #operand(operand: Operand): string {
    return `operand_${this.operands.push(operand) - 1}`
  }
}

/**
 * What an operation of Keras computes that no layer does, as operations of TensorFlow; undefined where it is none of those known
 * here. Operations that reach over the images of a batch are not among them.
 */
export function operationsOf(op: string, args: Argument[], settings: Config): TensorFlowOpConfig | undefined {
  const steps = new Steps(), results = compute(steps, op, args, settings)
  return results && { operations: steps.operations, operands: steps.operands, results }
}

function compute(steps: Steps, op: string, args: Argument[], settings: Config): string[] | undefined {
  const [first, second] = args
  if (op === 'matmul' && args.length === 2 && args.every(isGiven) && isGiven(first) && first.shape.length > 2)
    return [steps.run('BatchMatMulV2', args.map(each => steps.operand(each)), { adj_x: { b: false }, adj_y: { b: false } })]
  if (binary[op] && args.length === 2) return [steps.run(binary[op], args.map(each => steps.operand(each)))]
  if (args.length !== 1 || !isGiven(first) || second !== undefined) return undefined
  const x = steps.operand(first), rank = first.shape.length
  const axisOf = (value: Json | undefined) => typeof value === 'number' ? (value + rank) % rank : undefined
  const axesOf = (value: Json | undefined) => [value].flat().map(each => axisOf(each as Json))
  if (unary[op]) return [steps.run(unary[op], [x])]
  if (reductions[op]) {
    const axes = axesOf(settings.axis), keep = { keep_dims: { b: settings.keepdims === true } }
    const known = axes.every(axis => axis !== undefined && axis > 0) && (settings.initial ?? null) === null
    return known ? [steps.run(reductions[op], [x, steps.whole(axes as number[])], keep)] : undefined
  }
  switch (op) {
    case 'normalize': return normalized(steps, x, axesOf(settings.axis), settings)
    case 'split': {
      const axis = axisOf(settings.axis), count = settings.indices_or_sections
      if (!axis || typeof count !== 'number') return undefined
      const name = steps.run('Split', [steps.whole([axis], []), x], { num_split: { i: String(count) } })
      return Array.from({ length: count }, (_, i) => i ? `${name}:${i}` : name)
    }
    case 'expanddims': return typeof settings.axis === 'number' && settings.axis !== 0
      ? [steps.run('ExpandDims', [x, steps.whole([settings.axis], [])])] : undefined
    case 'squeeze': {
      const axes = axesOf(settings.axis)
      return axes.every(Boolean) ? sliced(steps, x, first.shape, first.shape.map((_, d) => axes.includes(d) ? 0 : all)) : undefined
    }
    case 'flip': {
      const axes = axesOf(settings.axis)
      return axes.every(Boolean) ? [steps.run('ReverseV2', [x, steps.whole(axes as number[])])] : undefined
    }
    case 'tile': return Array.isArray(settings.repeats) && settings.repeats.length === rank && settings.repeats[0] === 1
      ? [steps.run('Tile', [x, steps.whole(settings.repeats as number[])])] : undefined
    case 'pad': return padded(steps, x, settings)
    case 'leakyrelu': return [steps.run('LeakyRelu', [x], { alpha: { f: settings.negative_slope as number } })]
    case 'clip': {
      const { x_min: least, x_max: most } = settings
      return typeof least === 'number' && typeof most === 'number'
        ? [steps.run('Minimum', [steps.run('Maximum', [x, steps.floats([least])]), steps.floats([most])])] : undefined
    }
    case 'getitem': return sliced(steps, x, first.shape, settings.key)
    default: return undefined
  }
}

/** x through its length, as Keras computes it: by the root's inverse, at most 1 / epsilon. */
function normalized(steps: Steps, x: string, axes: (number | undefined)[], { order, epsilon }: Config): string[] | undefined {
  if (order !== 2 || !axes.every(axis => axis !== undefined && axis > 0)) return undefined
  const sum = steps.run('Sum', [steps.run('Square', [x]), steps.whole(axes as number[])], { keep_dims: { b: true } })
  const least = typeof epsilon === 'number' ? epsilon : 1e-7
  return [steps.run('Mul', [x, steps.run('Minimum', [steps.run('Rsqrt', [sum]), steps.floats([1 / least])])])]
}

function padded(steps: Steps, x: string, { pad_width: around, mode, constant_values: value = null }: Config): string[] | undefined {
  if (mode !== 'constant' || !Array.isArray(around) || JSON.stringify(around[0]) !== '[0,0]') return undefined
  if (value !== null && typeof value !== 'number') return undefined
  return [steps.run('PadV2', [x, steps.whole(around.flat() as number[], [around.length, 2]), steps.floats([value ?? 0])])]
}

/** `:`, all of a side. */
const all = { class_name: '__slice__', config: { start: null, stop: null, step: null } }

/** `x[:, 1:3, ..., 0]`: for each side where it starts, ends and by which steps; a number takes the side away. */
function sliced(steps: Steps, x: string, shape: (number | null)[], key: Json | undefined): string[] | undefined {
  const parts = Array.isArray(key) ? key : [key ?? null]
  const kind = (part: Json) => typeof part === 'object' && part !== null && !Array.isArray(part) ? part.class_name : typeof part
  const rest = Array.from({ length: shape.length - parts.filter(part => kind(part) !== '__ellipsis__').length }, (): Json => all)
  const at = parts.findIndex(part => kind(part) === '__ellipsis__')
  const whole = at < 0 ? [...parts, ...rest] : parts.toSpliced(at, 1, ...rest)
  const sides: Side[] = []
  for (const [d, part] of whole.entries()) {
    const size = shape[d]
    if (typeof part === 'number' && d > 0 && size !== null) {
      const start = part < 0 ? part + size : part
      sides.push({ start, stop: start + 1, step: 1, one: true })
    } else if (kind(part) === '__slice__') {
      const { start, stop, step } = (part as { config: Record<string, number | null> }).config
      if (d === 0 && (start || stop !== null || step !== null)) return undefined
      sides.push({ start, stop, step: step ?? 1 })
    } else return undefined
  }
  // By steps and to fewer sides at once is more than TensorFlow.js gets right.
  const stepping = sides.some(({ step }) => step !== 1)
  if (!stepping || !sides.some(({ one }) => one)) return [stridedSlice(steps, x, sides)]
  const stepped = stridedSlice(steps, x, sides.map(side => ({ ...side, one: false })))
  return [stridedSlice(steps, stepped, sides.map(({ one }) => one ? { start: 0, stop: 1, step: 1, one } : untouched))]
}

/** One side of a slice; of `one` entry it is taken away. */
interface Side { start: number | null, stop: number | null, step: number, one?: boolean }

const untouched: Side = { start: null, stop: null, step: 1 }

function stridedSlice(steps: Steps, x: string, sides: Side[]): string {
  const mask = (of: (side: Side) => boolean) => ({ i: String(sides.reduce((bits, side, d) => bits | (of(side) ? 1 << d : 0), 0)) })
  return steps.run('StridedSlice', [
    x, steps.whole(sides.map(({ start }) => start ?? 0)), steps.whole(sides.map(({ stop }) => stop ?? 0)),
    steps.whole(sides.map(({ step }) => step)),
  ], {
    Index: { type: 'DT_INT32' }, begin_mask: mask(({ start }) => start === null), end_mask: mask(({ stop }) => stop === null),
    ellipsis_mask: { i: '0' }, new_axis_mask: { i: '0' }, shrink_axis_mask: mask(({ one }) => one === true),
  })
}
