import { type DenseTensor, type Numbers, sizeOf } from '../hub/tensor.ts'
import type { Node } from './graph.ts'

type Folder = (node: Node, inputs: DenseTensor[]) => DenseTensor[] | null

/**
 * Computes an operation whose inputs are all known: shape arithmetic, conditions, weights that are stored in another form. An
 * unknown dimension (the batch) is NaN and stays NaN. Returns `null` where an input is unknown or the operation is not in the
 * table.
 */
export function fold(node: Node, inputs: (DenseTensor | null)[]): DenseTensor[] | null {
  const folder = Object.hasOwn(folders, node.op) ? folders[node.op] : undefined
  if (!folder || inputs.includes(null)) return null
  return folder(node, inputs as DenseTensor[])
}

/** Whether `fold` knows the operation. */
export const canFold = ({ op }: Node): boolean => Object.hasOwn(folders, op)

/** A tensor of numbers computed here; integers are kept as doubles so that NaN can stand for an unknown dimension. */
export function tensor(data: number[] | Numbers, shape: number[], dtype = 'int32'): DenseTensor {
  const numbers = dtype === 'float32' ? Float32Array.from(data) : Array.isArray(data) ? Float64Array.from(data) : data
  return { dtype, shape, data: numbers }
}

/** The shape that NumPy's rules of broadcasting give, or `null`. */
export function broadcastShape(a: number[], b: number[]): number[] | null {
  const rank = Math.max(a.length, b.length), out: number[] = []
  for (let i = 1; i <= rank; i++) {
    const x = a[a.length - i] ?? 1, y = b[b.length - i] ?? 1
    if (x !== y && x !== 1 && y !== 1) return null
    out.unshift(x === 1 ? y : x)
  }
  return out
}

function stridesOf(shape: number[]): number[] {
  const strides = new Array<number>(shape.length).fill(1)
  for (let d = shape.length - 2; d >= 0; d--) strides[d] = strides[d + 1] * shape[d + 1]
  return strides
}

/** Elements of `t` in the order of a result of `shape`, whose dimension d steps by `steps[d]` from `start`. */
function gather(t: DenseTensor, shape: number[], steps: number[], start = 0): DenseTensor {
  const size = sizeOf(shape),
    data = new (t.data.constructor as Float64ArrayConstructor)(size),
    at = new Array<number>(shape.length).fill(0)
  let from = start
  for (let i = 0; i < size; i++) {
    data[i] = t.data[from]
    for (let d = shape.length - 1; d >= 0; d--) {
      from += steps[d]
      if (++at[d] < shape[d]) break
      from -= steps[d] * shape[d]
      at[d] = 0
    }
  }
  return { dtype: t.dtype, shape, data }
}

/** Repeats `t` so that it has `shape`. */
export function broadcastTo(t: DenseTensor, shape: number[]): DenseTensor {
  const strides = stridesOf(t.shape), offset = shape.length - t.shape.length
  return gather(t, shape, shape.map((_, d) => d < offset || t.shape[d - offset] === 1 ? 0 : strides[d - offset]))
}

const binary = (compute: (a: number, b: number) => number, dtype?: string): Folder => (_, [a, b]) => {
  const shape = broadcastShape(a.shape, b.shape)
  if (!shape) return null
  if (dtype === undefined && a.dtype === 'float32') return [binaryOfFloats(compute, a, b, shape)]
  const x = broadcastTo(a, shape).data, y = broadcastTo(b, shape).data
  return [tensor(Array.from(x, (value, i) => compute(value, y[i])), shape, dtype ?? a.dtype)]
}

/** Weights may have millions of elements: no lists in between, and no copy of what has the shape already. */
function binaryOfFloats(compute: (a: number, b: number) => number, a: DenseTensor, b: DenseTensor, shape: number[]): DenseTensor {
  const data = new Float32Array(sizeOf(shape)), fits = (t: DenseTensor) => t.data.length === data.length || t.data.length === 1
  const x = fits(a) ? a.data : broadcastTo(a, shape).data, y = fits(b) ? b.data : broadcastTo(b, shape).data
  const stepX = x.length === 1 ? 0 : 1, stepY = y.length === 1 ? 0 : 1
  for (let i = 0; i < data.length; i++) data[i] = compute(x[i * stepX], y[i * stepY])
  return { dtype: 'float32', shape, data }
}

const unary = (compute: (a: number) => number, dtype?: string): Folder => (_, [a]) =>
  [tensor(Array.from(a.data, compute), a.shape, dtype ?? a.dtype)]
const compare = (test: (a: number, b: number) => boolean) => binary((a, b) => Number(test(a, b)), 'bool')

function reduce(combine: (values: number[]) => number): Folder {
  return (node, [a, axes]) => {
    const chosen = new Set(Array.from(axes.data, axis => axis < 0 ? axis + a.shape.length : axis))
    const keep = node.attr('keep_dims').bool ?? false, strides = stridesOf(a.shape)
    const outer = a.shape.map((_, d) => d).filter(d => !chosen.has(d)), inner = [...chosen].sort()
    const innerShape = inner.map(d => a.shape[d]), outerShape = outer.map(d => a.shape[d])
    const starts = gather(
      { dtype: 'int32', shape: a.shape, data: Float64Array.from(a.data, (_, i) => i) },
      outerShape,
      outer.map(d => strides[d]),
    )
    const values = Array.from(starts.data, start =>
      combine(
        Array.from(
          gather(
            a,
            innerShape,
            inner.map(d => strides[d]),
            start,
          ).data,
        ),
      ),
    )
    return [tensor(values, keep ? a.shape.map((size, d) => chosen.has(d) ? 1 : size) : outerShape, a.dtype)]
  }
}

const div = (a: number, b: number) => a / b
const sigmoid = (a: number) => 1 / (1 + Math.exp(-a))

/** The error function to 1.5e-7 (Abramowitz and Stegun, 7.1.26). */
export function erf(x: number): number {
  const t = 1 / (1 + 0.3275911 * Math.abs(x))
  const sum = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
  return Math.sign(x) * (1 - sum * Math.exp(-x * x))
}

const folders: Record<string, Folder> = {
  Add: binary((a, b) => a + b),
  AddV2: binary((a, b) => a + b),
  Sub: binary((a, b) => a - b),
  Mul: binary((a, b) => a * b),
  RealDiv: binary(div),
  Div: binary(div),
  DivNoNan: binary((a, b) => b === 0 ? 0 : a / b),
  FloorDiv: binary((a, b) => Math.floor(a / b)),
  FloorMod: binary((a, b) => a - b * Math.floor(a / b)),
  Maximum: binary(Math.max),
  Minimum: binary(Math.min),
  Pow: binary(Math.pow),
  SquaredDifference: binary((a, b) => (a - b) ** 2),
  Neg: unary(a => -a),
  Sqrt: unary(Math.sqrt),
  Rsqrt: unary(a => 1 / Math.sqrt(a)),
  Square: unary(a => a * a),
  Exp: unary(Math.exp),
  Abs: unary(Math.abs),
  Reciprocal: unary(a => 1 / a),
  Log: unary(Math.log),
  Log1p: unary(Math.log1p),
  Expm1: unary(Math.expm1),
  Sign: unary(Math.sign),
  Elu: unary(a => a > 0 ? a : Math.expm1(a)),
  LeakyRelu: (node, inputs) => unary(a => a > 0 ? a : a * (node.attr('alpha').float ?? 0.2))(node, inputs),
  ClipByValue: (_, [a, low, high]) =>
    low.data.length === 1 && high.data.length === 1
      ? [tensor(Array.from(a.data, value => Math.min(Math.max(value, low.data[0]), high.data[0])), a.shape, a.dtype)]
      : null,
  Relu: unary(a => Math.max(a, 0)),
  Relu6: unary(a => Math.min(Math.max(a, 0), 6)),
  Sigmoid: unary(sigmoid),
  Tanh: unary(Math.tanh),
  Softplus: unary(a => Math.log1p(Math.exp(a))),
  Erf: unary(erf),
  Erfc: unary(a => 1 - erf(a)),
  Less: compare((a, b) => a < b),
  LessEqual: compare((a, b) => a <= b),
  Greater: compare((a, b) => a > b),
  GreaterEqual: compare((a, b) => a >= b),
  Equal: compare((a, b) => a === b),
  NotEqual: compare((a, b) => a !== b),
  LogicalAnd: compare((a, b) => !!a && !!b),
  LogicalOr: compare((a, b) => !!a || !!b),
  LogicalNot: unary(a => Number(!a)),
  Select: select,
  SelectV2: select,
  Mean: reduce(values => values.reduce((sum, value) => sum + value, 0) / values.length),
  Sum: reduce(values => values.reduce((sum, value) => sum + value, 0)),
  Prod: reduce(values => values.reduce((product, value) => product * value, 1)),
  Max: reduce(values => Math.max(...values)),
  Min: reduce(values => Math.min(...values)),
  All: reduce(values => Number(values.every(Boolean))),
  Any: reduce(values => Number(values.some(Boolean))),
  Cast(node, [a]) {
    const dtype = node.attr('DstT').type ?? 'float32'
    const whole = dtype.includes('int') ? Math.trunc : dtype === 'bool' ? (x: number) => Number(!!x) : (x: number) => x
    return [tensor(Array.from(a.data, whole), a.shape, dtype)]
  },
  Shape: (_, [a]) => [tensor(a.shape, [a.shape.length])],
  Size: (_, [a]) => [tensor([sizeOf(a.shape)], [])],
  Rank: (_, [a]) => [tensor([a.shape.length], [])],
  Reshape(_, [a, to]) {
    const shape = Array.from(to.data),
      known = shape.reduce((size, d) => (d === -1 ? size : size * d), 1)
    const out = shape.map(d => (d === -1 ? a.data.length / known : d))
    return sizeOf(out) === a.data.length ? [{ ...a, shape: out }] : null
  },
  ExpandDims(_, [a, axis]) {
    const shape = [...a.shape]
    shape.splice(axis.data[0] < 0 ? axis.data[0] + a.shape.length + 1 : axis.data[0], 0, 1)
    return [{ ...a, shape }]
  },
  Squeeze(node, [a]) {
    const axes = node.attr('squeeze_dims').ints?.map(d => (d < 0 ? d + a.shape.length : d))
    return [{ ...a, shape: a.shape.filter((size, d) => (axes?.length ? !axes.includes(d) : size !== 1)) }]
  },
  Transpose(_, [a, order]) {
    const axes = Array.from(order.data),
      strides = stridesOf(a.shape)
    return [
      gather(
        a,
        axes.map(d => a.shape[d]),
        axes.map(d => strides[d]),
      ),
    ]
  },
  Pack(node, inputs) {
    const axis = node.attr('axis').int ?? 0
    return axis === 0
      ? [
          tensor(
            inputs.flatMap(t => Array.from(t.data)),
            [inputs.length, ...inputs[0].shape],
            inputs[0].dtype,
          ),
        ]
      : null
  },
  Unpack: (_, [a]) => (a.shape.length === 1 ? Array.from(a.data, value => tensor([value], [], a.dtype)) : null),
  ConcatV2(_, inputs) {
    const parts = inputs.slice(0, -1)
    return parts.every(t => t.shape.length === 1)
      ? [
          tensor(
            parts.flatMap(t => Array.from(t.data)),
            [parts.reduce((n, t) => n + t.data.length, 0)],
            parts[0].dtype,
          ),
        ]
      : null
  },
  GatherV2(_, [a, indices]) {
    if (a.shape.length !== 1) return null
    return [
      tensor(
        Array.from(indices.data, i => a.data[i < 0 ? i + a.data.length : i]),
        indices.shape,
        a.dtype,
      ),
    ]
  },
  Range: (_, [start, limit, delta]) => {
    const count = Math.max(0, Math.ceil((limit.data[0] - start.data[0]) / delta.data[0]))
    return count < 1e6
      ? [
          tensor(
            Array.from({ length: count }, (_, i) => start.data[0] + i * delta.data[0]),
            [count],
            start.dtype,
          ),
        ]
      : null
  },
  Fill: (_, [shape, value]) => (sizeOf(Array.from(shape.data)) < 1e7 ? [broadcastTo(value, Array.from(shape.data))] : null),
  BroadcastTo: (_, [a, shape]) => (sizeOf(Array.from(shape.data)) < 1e7 ? [broadcastTo(a, Array.from(shape.data))] : null),
  ZerosLike: (_, [a]) => [
    tensor(
      Array.from(a.data, () => 0),
      a.shape,
      a.dtype,
    ),
  ],
  OnesLike: (_, [a]) => [
    tensor(
      Array.from(a.data, () => 1),
      a.shape,
      a.dtype,
    ),
  ],
  StridedSlice: stridedSlice,
  Slice: (_, [a, begin, size]) => {
    const strides = stridesOf(a.shape),
      starts = Array.from(begin.data)
    const shape = Array.from(size.data, (n, d) => (n === -1 ? a.shape[d] - starts[d] : n))
    if (shape.some((n, d) => starts[d] < 0 || starts[d] + n > a.shape[d])) return null
    return [
      gather(
        a,
        shape,
        strides,
        starts.reduce((sum, s, d) => sum + s * strides[d], 0),
      ),
    ]
  },
}

function select(_: Node, [condition, a, b]: DenseTensor[]): DenseTensor[] | null {
  if (condition.data.length === 1) return [condition.data[0] ? a : b]
  const { shape } = condition
  if (![a, b].every(t => broadcastShape(t.shape, shape)?.join() === shape.join())) return null
  const x = broadcastTo(a, shape).data, y = broadcastTo(b, shape).data
  return [tensor(Array.from(condition.data, (chosen, i) => chosen ? x[i] : y[i]), shape, a.dtype)]
}

function stridedSlice(node: Node, [a, begin, end, steps]: DenseTensor[]): DenseTensor[] | null {
  const mask = (name: string, d: number) => ((node.attr(name).int ?? 0) >> d & 1) === 1
  if (node.attr('ellipsis_mask').int || node.attr('new_axis_mask').int) return null
  const strides = stridesOf(a.shape), shape: number[] = [], walk: number[] = []
  let start = 0
  for (let d = 0; d < a.shape.length; d++) {
    const size = a.shape[d], step = d < steps.data.length ? steps.data[d] : 1
    const bound = (raw: number) => Math.min(Math.max(raw < 0 ? raw + size : raw, 0), size)
    const first = d >= begin.data.length || mask('begin_mask', d) ? 0 : bound(begin.data[d])
    const last = d >= end.data.length || mask('end_mask', d) ? size : bound(end.data[d])
    if (step < 1) return null
    start += first * strides[d]
    if (mask('shrink_axis_mask', d)) continue
    shape.push(Math.max(0, Math.ceil((last - first) / step)))
    walk.push(step * strides[d])
  }
  return [gather(a, shape, walk, start)]
}
