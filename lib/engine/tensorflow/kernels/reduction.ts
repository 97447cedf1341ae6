import { int, ints } from '../backend.ts'
import type { Kernel, Kernels } from './index.ts'

const axes = (axis: unknown, rank: number) =>
  ints((axis === null || axis === undefined ? [...Array(rank).keys()] : Array.isArray(axis) ? axis : [axis]) as number[])

const reduce = (op: string, key = 'axis'): Kernel => ({ x }, { [key]: axis, keepDims }, backend) =>
  backend.run(op, [x, axes(axis, x.shape.length)], { keep_dims: Boolean(keepDims) })[0]

const extreme = (op: string): Kernel =>
  ({ x }, { axis }, backend) => backend.run(op, [x, int(axis as number)], { output_type: 'int32' })[0]

const running = (op: string): Kernel => ({ x }, { axis, exclusive, reverse }, backend) =>
  backend.run(op, [x, int(axis as number)], { exclusive: Boolean(exclusive), reverse: Boolean(reverse) })[0]

/** Sums and the like, over axes and along one. */
export const reduction: Kernels = {
  All: reduce('All'), Any: reduce('Any'), Max: reduce('Max', 'reductionIndices'), Min: reduce('Min'), Prod: reduce('Prod'), Sum: reduce('Sum'),
  Mean: ({ x }, { axis, keepDims }, backend) => backend.compose(run => {
    const floats = x.dtype === 'float32' ? x : run('Cast', [x], { DstT: 'float32' })
    return run('Mean', [floats, axes(axis, x.shape.length)], { keep_dims: Boolean(keepDims) })
  }),
  ArgMax: extreme('ArgMax'), ArgMin: extreme('ArgMin'),
  Cumsum: running('Cumsum'), Cumprod: running('Cumprod'),
  LogSoftmax: ({ logits }, _attributes, backend) => backend.run('LogSoftmax', [logits])[0],
  Softmax: ({ logits }, _attributes, backend) => backend.run('Softmax', [logits])[0],
  TopK: ({ x }, { k, sorted }, backend) => backend.run('TopKV2', [x, int(k as number)], { sorted: Boolean(sorted) }, 2),
  UnsortedSegmentSum: ({ x, segmentIds }, { numSegments }, backend) =>
    backend.run('UnsortedSegmentSum', [x, segmentIds, int(numSegments as number)])[0],
  DenseBincount: ({ x, weights }, { size, binaryOutput }, backend) =>
    backend.run('DenseBincount', [x, int(size as number), weights], { binary_output: Boolean(binaryOutput) })[0],
}
