import { tf } from '../../tf.ts'
import { Node } from '../graph.ts'
import type { Lifting, Rules } from '../lifting.ts'

/** A reshape to `shape` (without the batch), or nothing where the tensor has it already. */
function reshape(node: Node, lift: Lifting, shape: (number | null)[]): boolean {
  const [x] = node.inputs, now = lift.tensor(x).shape.slice(1)
  if (now.length === shape.length && now.every((size, d) => size === shape[d])) return lift.same(node, x)
  if (shape.length === 1 && now.length > 1) return lift.layer(tf.layers.flatten, {}, { named: node, inputs: [x] })
  return lift.layer(tf.layers.reshape, { targetShape: shape }, { named: node, inputs: [x] })
}

/** Changes of shape that move no number. */
export const shape: Rules = {
  Squeeze(node, lift) {
    const from = lift.tensor(node.inputs[0]).shape, axes = node.attr('squeeze_dims').ints?.map(d => d < 0 ? d + from.length : d)
    if (axes?.includes(0)) return false
    return reshape(node, lift, from.filter((size, d) => d === 0 || (axes?.length ? !axes.includes(d) : size !== 1)).slice(1))
  },
  ExpandDims(node, lift) {
    const from = lift.tensor(node.inputs[0]).shape, axis = lift.number(node.inputs[1])
    if (axis === null || axis === 0) return false
    const to = [...from]
    to.splice(axis < 0 ? axis + from.length + 1 : axis, 0, 1)
    return reshape(node, lift, to.slice(1))
  },
  Reshape(node, lift) {
    const to = lift.constant(node.inputs[1]), from = lift.tensor(node.inputs[0]).shape.slice(1)
    if (!to) return false
    const [batch, ...rest] = Array.from(to.data), size = from.reduce<number>((n, d) => n * (d ?? NaN), 1)
    if (!Number.isNaN(batch) && batch !== -1 || rest.some(Number.isNaN)) return false
    const known = rest.reduce((n, d) => d === -1 ? n : n * d, 1)
    const target = rest.map(d => d === -1 ? size / known : d)
    return target.every(Number.isInteger) && reshape(node, lift, target)
  },
  Pad: pad, PadV2: pad,
  StridedSlice(node, lift) {
    const [x, ...bounds] = node.inputs,
      [begin, end, steps] = bounds.map(bound => lift.constant(bound)?.data),
      size = lift.tensor(x).shape
    if (size.length !== 4 || !begin || !end || !steps) return false
    if (steps.some((step, d) => step < 1 || step > 1 && d % 3 === 0)) return false
    if (['ellipsis_mask', 'new_axis_mask', 'shrink_axis_mask'].some(mask => node.attr(mask).int)) return false
    const open = (mask: string, d: number) => ((node.attr(mask).int ?? 0) >> d & 1) === 1 || d >= begin.length
    const from = (d: number) => open('begin_mask', d) ? 0 : begin[d] < 0 ? begin[d] + size[d]! : begin[d]
    const beyond = (d: number) => open('end_mask', d) ? 0 : end[d] < 0 ? -end[d] : Math.max(size[d]! - end[d], 0)
    const [samples, rows, columns, channels] = [0, 1, 2, 3].map(d => [from(d), beyond(d)])
    if ([...samples, ...channels].some(n => n !== 0) || [...rows, ...columns].some(n => !(n >= 0))) return false
    const strides = [steps[1] ?? 1, steps[2] ?? 1], steady = strides.every(step => step === 1)
    const crops = [...rows, ...columns].some(n => n > 0) || steady
    const cropped = crops && !steady ? new Node('Crop', `${node.path}/crop`, [x]) : node
    if (crops) lift.layer(tf.layers.cropping2D, { cropping: [rows, columns] }, { named: cropped, inputs: [x] })
    // Every second pixel is what a pooling of single pixels with a stride of two keeps.
    return steady || lift.layer(tf.layers.averagePooling2d, { poolSize: 1, strides, padding: 'valid' },
      { named: node, inputs: crops ? [{ node: cropped, index: 0 }] : [x] })
  },
  DepthToSpace(node, lift) {
    const [x] = node.inputs, [, height, width, channels] = lift.tensor(x).shape, block = node.attr('block_size').int
    if (!block || !height || !width || (node.attr('data_format').text ?? 'NHWC') !== 'NHWC') return false
    const deep = channels! / block ** 2
    return regroup(node, lift, [height, width, block, block, deep], [1, 3, 2, 4, 5], [height * block, width * block, deep])
  },
  SpaceToDepth(node, lift) {
    const [x] = node.inputs, [, height, width, channels] = lift.tensor(x).shape, block = node.attr('block_size').int
    if (!block || !height || !width || (node.attr('data_format').text ?? 'NHWC') !== 'NHWC') return false
    const [rows, columns] = [height / block, width / block]
    return regroup(node, lift, [rows, block, columns, block, channels!], [1, 3, 2, 4, 5], [rows, columns, channels! * block ** 2])
  },
  Transpose(node, lift) {
    const order = lift.constant(node.inputs[1])
    if (!order || order.data[0] !== 0) return false
    return lift.layer(tf.layers.permute, { dims: Array.from(order.data).slice(1) }, { named: node, inputs: [node.inputs[0]] })
  },
}

/** Pixels and channels exchanged, as three of Keras's layers: a reshape, a permutation, a reshape. */
function regroup(node: Node, lift: Lifting, apart: number[], dims: number[], together: number[]): boolean {
  const steps = ['apart', 'turned'].map(part => new Node('Reshape', `${node.path}/${part}`, []))
  lift.layer(tf.layers.reshape, { targetShape: apart }, { named: steps[0], inputs: [node.inputs[0]] })
  lift.layer(tf.layers.permute, { dims }, { named: steps[1], inputs: [{ node: steps[0], index: 0 }] })
  return lift.layer(tf.layers.reshape, { targetShape: together }, { named: node, inputs: [{ node: steps[1], index: 0 }] })
}

function pad(node: Node, lift: Lifting): boolean {
  const [x, amounts, fill] = node.inputs, by = lift.constant(amounts)?.data
  if (!by || by.length !== 8 || by[0] || by[1] || by[6] || by[7] || fill && lift.number(fill) !== 0) return false
  return lift.layer(tf.layers.zeroPadding2d, { padding: [[by[2], by[3]], [by[4], by[5]]] }, { named: node, inputs: [x] })
}
