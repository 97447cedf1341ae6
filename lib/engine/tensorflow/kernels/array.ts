import * as tf from '@tensorflow/tfjs'
import { float, int, ints } from '../backend.ts'
import type { Constant } from '../backend.ts'
import type { Kernel, Kernels } from './index.ts'

const pairs = (list: unknown) => ints((list as number[][]).flat(), [(list as number[][]).length, 2])

const toBatch: Kernel = ({ x }, { blockShape, paddings }, backend) =>
  backend.run('SpaceToBatchND', [x, ints(blockShape as number[]), pairs(paddings)])[0]
const fromBatch: Kernel = ({ x }, { blockShape, crops }, backend) =>
  backend.run('BatchToSpaceND', [x, ints(blockShape as number[]), pairs(crops)])[0]

const scalar = (value: unknown, dtype: unknown): Constant =>
  dtype === 'int32' || dtype === 'bool' ? int(Number(value)) : float(Number(value))

/** Shapes, pieces and places: nothing is computed but where values go. */
export const array: Kernels = {
  BatchToSpaceND: fromBatch,
  SpaceToBatchND: toBatch,
  BroadcastTo: ({ x }, { shape }, backend) => backend.run('BroadcastTo', [x, ints(shape as number[])])[0],
  Concat(inputs, { axis }, backend) {
    const list = Object.values(inputs)
    return list.length === 1 ? backend.run('Identity', list)[0] : backend.run('ConcatV2', [list, int(axis as number)])[0]
  },
  DepthToSpace: ({ x }, { blockSize, dataFormat }, backend) =>
    backend.run('DepthToSpace', [x], { block_size: blockSize as number, data_format: dataFormat as string })[0],
  ExpandDims: ({ input }, { dim }, backend) => backend.run('ExpandDims', [input, int(dim as number)])[0],
  Fill(_inputs, { shape, value, dtype }, backend) {
    const wanted = dtype as string | undefined ?? 'float32'
    return backend.compose(run => {
      const filled = run('Fill', [ints(shape as number[]), scalar(value, wanted)])
      return wanted === 'bool' ? run('Cast', [filled], { DstT: 'bool' }) : filled
    })
  },
  GatherNd: ({ params, indices }, _attributes, backend) => backend.run('GatherNd', [params, indices])[0],
  GatherV2: ({ x, indices }, { axis, batchDims }, backend) =>
    backend.run('GatherV2', [x, indices, int(axis as number)], { batch_dims: (batchDims as number | undefined) ?? 0 })[0],
  Identity({ x }, _attributes, backend) {
    backend.incRef(x.dataId)
    return { dataId: x.dataId, shape: x.shape, dtype: x.dtype }
  },
  LinSpace: (_inputs, { start, stop, num }, backend) =>
    backend.run('LinSpace', [float(start as number), float(stop as number), int(num as number)])[0],
  MirrorPad: ({ x }, { paddings, mode }, backend) =>
    backend.run('MirrorPad', [x, pairs(paddings)], { mode: String(mode).toUpperCase() })[0],
  OneHot: ({ indices }, { depth, onValue, offValue, dtype }, backend) =>
    backend.run('OneHot', [indices, int(depth as number), scalar(onValue, dtype), scalar(offValue, dtype)], { axis: -1 })[0],
  Pack: (inputs, { axis }, backend) => backend.run('Pack', [Object.values(inputs)], { axis: axis as number })[0],
  PadV2: ({ x }, { paddings, constantValue }, backend) =>
    backend.run('PadV2', [x, pairs(paddings), scalar(constantValue, x.dtype)])[0],
  Range: (_inputs, { start, stop, step, dtype }, backend) =>
    backend.run('Range', [scalar(start, dtype), scalar(stop, dtype), scalar(step, dtype)])[0],
  Reshape(inputs, { shape }, backend) {
    const { x } = inputs, known = shape as number[], count = x.shape.reduce((n, size) => n * size, 1)
    const rest = known.reduce((n, size) => size < 0 ? n : n * size, 1)
    return backend.run('Reshape', [x, ints(known.map(size => size < 0 ? count / rest : size))])[0]
  },
  Reverse: ({ x }, { dims }, backend) =>
    backend.run('ReverseV2', [x, ints([dims as number | number[]].flat().map(d => d < 0 ? d + x.shape.length : d))])[0],
  ScatterNd: ({ indices, updates }, { shape }, backend) =>
    backend.run('ScatterNd', [indices, updates, ints(shape as number[])])[0],
  TensorScatterUpdate: ({ tensor, indices, updates }, _attributes, backend) =>
    backend.run('TensorScatterUpdate', [tensor, indices, updates])[0],
  Slice({ x }, { begin, size }, backend) {
    // A number, and a list that is too short, are meant for the first axes.
    const [from, sizes] = tf.slice_util.parseSliceParams(x as tf.Tensor, begin as number[], size as number[])
    return backend.run('Slice', [x, ints(from), ints(sizes)])[0]
  },
  SplitV({ x }, { numOrSizeSplits, axis }, backend) {
    const along = ((axis as number) + x.shape.length) % x.shape.length, wish = numOrSizeSplits as number | number[]
    const sizes = Array.isArray(wish) ? [...wish] : new Array<number>(wish).fill(x.shape[along] / wish), open = sizes.indexOf(-1)
    if (open >= 0) sizes[open] = x.shape[along] - sizes.reduce((sum, size) => sum + size, 1)
    return backend.run('SplitV', [x, ints(sizes), int(along)], { num_split: sizes.length }, sizes.length)
  },
  StridedSlice: ({ x }, { begin, end, strides, beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask }, backend) =>
    backend.run('StridedSlice', [x, ints(begin as number[]), ints(end as number[]), ints(strides as number[])], {
      begin_mask: beginMask as number, end_mask: endMask as number, ellipsis_mask: ellipsisMask as number,
      new_axis_mask: newAxisMask as number,
      shrink_axis_mask: shrinkAxisMask as number,
    })[0],
  Tile: ({ x }, { reps }, backend) => backend.run('Tile', [x, ints(reps as number[])])[0],
  Transpose: ({ x }, { perm }, backend) => backend.run('Transpose', [x, ints(perm as number[])])[0],
  Unpack({ value }, { axis }, backend) {
    const along = ((axis as number) + value.shape.length) % value.shape.length
    return backend.run('Unpack', [value], { axis: along, num: value.shape[along] }, value.shape[along])
  },
}
