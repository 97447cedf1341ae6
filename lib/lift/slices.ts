import { type Operand, tensorFlowOp } from '../layers/tensorflow-op.ts'
import { tf } from '../tf.ts'
import { Node, type Value } from './graph.ts'
import type { Lifting } from './lifting.ts'

/** A tensor that is split or sliced by whole steps: a layer for each part, of the operation whose gradient is known. */
export function slices(node: Node, lift: Lifting): boolean {
  const parts = partsOf(node, lift)
  if (parts) slice(node, parts, lift)
  return parts !== null
}

/** Of a tensor that is split or sliced by whole steps: where each part begins and how large it is, −1 for all there is. */
function partsOf(node: Node, lift: Lifting): { x: Value, parts: { begin: number[], size: number[] }[] } | null {
  const along = (x: Value, axis: number | null, sizes: number[]) => {
    const rank = lift.tensorOf(x)?.shape.length ?? 0, at = axis !== null && axis < 0 ? axis + rank : axis
    if (!rank || !at || !sizes.every(size => size > 0)) return null
    let from = 0
    const parts = sizes.map(size => {
      const fill = (value: number, rest: number) => Array.from({ length: rank }, (_, d) => d === at ? value : rest)
      const part = { begin: fill(from, 0), size: fill(size, -1) }
      from += size
      return part
    })
    return { x, parts }
  }
  if (node.op === 'Split') {
    const [axis, x] = node.inputs, count = node.attr('num_split').int ?? 1, at = lift.number(axis)
    const whole = at === null ? null : lift.tensorOf(x)?.shape.at(at)
    return along(x, at, new Array<number>(count).fill((whole ?? NaN) / count))
  }
  if (node.op === 'SplitV') {
    const [x, sizes, axis] = node.inputs
    return along(x, lift.number(axis), Array.from(lift.constant(sizes)?.data ?? [NaN]))
  }
  if (node.op !== 'StridedSlice') return null
  const [x, ...bounds] = node.inputs, [begin, end, steps] = bounds.map(bound => lift.constant(bound)?.data)
  const shape = lift.tensorOf(x)?.shape, mask = (name: string) => node.attr(`${name}_mask`).int ?? 0
  if (!shape || !begin || !end || steps?.some(step => step !== 1)) return null
  if (mask('ellipsis') || mask('new_axis') || mask('shrink_axis')) return null
  const bound = (raw: number, d: number) => Math.min(raw < 0 ? raw + shape[d]! : raw, shape[d]!)
  const part = { begin: [] as number[], size: [] as number[] }
  shape.forEach((_, d) => {
    const from = d >= begin.length || mask('begin') >> d & 1 ? 0 : bound(begin[d], d)
    part.begin.push(from)
    part.size.push(d >= end.length || mask('end') >> d & 1 ? -1 : bound(end[d], d) - from)
  })
  return part.begin[0] === 0 && part.size[0] === -1 && !part.size.some(Number.isNaN) ? { x, parts: [part] } : null
}

function slice(node: Node, { x, parts }: NonNullable<ReturnType<typeof partsOf>>, lift: Lifting): void {
  const constant = (values: number[]): Operand => ({ from: 'constant', dtype: 'int32', shape: [values.length], values })
  lift.result(node, parts.map(({ begin, size }, i) => {
    const part = new Node('Slice', parts.length > 1 ? `${node.path}/${i}` : node.path, [x])
    const make = (options: { name: string }) => {
      lift.report.opaque.push({ layer: options.name, op: node.op })
      const attributes = { T: { type: 'DT_FLOAT' }, Index: { type: 'DT_INT32' } }
      const operation = { name: 'slice', op: 'Slice', attributes, inputs: ['operand_0', 'operand_1', 'operand_2'] }
      return tensorFlowOp(tf, {
        operations: [operation], operands: [{ from: 'input' }, constant(begin), constant(size)], results: ['slice'], ...options,
      })
    }
    lift.layer(make as never, {}, { named: part, inputs: [x] })
    return lift.tensor({ node: part, index: 0 })
  }))
}
