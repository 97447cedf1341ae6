import { Resizing } from '../../layers/resizing.ts'
import { tf } from '../../tf.ts'
import type { Node } from '../graph.ts'
import type { Lifting, Rules } from '../lifting.ts'

/** As Keras: UpSampling2D by whole factors, else Resizing. It has no layer for older TensorFlow's pixels at their corners. */
function resize(node: Node, lift: Lifting, interpolation: 'bilinear' | 'nearest'): boolean {
  const [x, to] = node.inputs, size = lift.constant(to)?.data, from = lift.tensor(x).shape
  if (!size || Array.from(size).some(Number.isNaN) || node.attr('align_corners').bool) return false
  const factors = [0, 1].map(d => size[d] / (from[d + 1] ?? NaN)), whole = factors.every(factor => Number.isInteger(factor))
  // Nearest neighbours of whole factors are the same either way.
  if (!node.attr('half_pixel_centers').bool && !(whole && interpolation === 'nearest')) return false
  // There the size of up-sampling follows from the map's; only Resizing states it.
  const stated = lift.layout === 'tf_keras' && to.node.op === 'Const'
  if (whole && !stated) return lift.layer(tf.layers.upSampling2d, { size: factors, interpolation }, { named: node, inputs: [x] })
  const make = (options: never) => new Resizing(options)
  return lift.layer(make, { height: size[0], width: size[1], interpolation }, { named: node, inputs: [x] })
}

/** Each row or column repeated, as Keras 3 writes nearest up-sampling: a dimension of 1 behind it, repeated, merged with it. */
export const repeated: Rules = {
  Tile(node, lift) {
    const apart = node.inputs[0].node, together = lift.next(node, 'Reshape'), times = lift.constant(node.inputs[1])?.data
    if (!/^(ExpandDims|Reshape)$/.test(apart.op) || !together || times?.length !== 5) return false
    const axis = times.findIndex(n => n !== 1) - 1, x = apart.inputs[0]
    if (axis !== 1 && axis !== 2 || Array.from(times).some((n, d) => d !== axis + 1 && n !== 1)) return false
    lift.whenKnown(x.node, () => {
      const from = lift.tensor(x).shape, to = lift.settled(together.inputs[1])?.data
      const split = apart.op === 'ExpandDims' ? lift.number(apart.inputs[1]) === axis + 1
        : lift.settled(apart.inputs[1])?.data.slice(1).join() === from.slice(1, axis + 1).concat(1, from.slice(axis + 1)).join()
      const grown = from.slice(1).map((size, d) => d === axis - 1 ? size! * times[axis + 1] : size)
      const merged = to?.slice(1).join() === grown.join()
      if (!split || !merged || from.length !== 4) return
      const size = axis === 1 ? [times[2], 1] : [1, times[3]]
      lift.claim(together, [apart, node, together], () =>
        lift.layer(tf.layers.upSampling2d, { size }, { named: together, inputs: [x] }))
    })
    return false
  },
}

/** Images of another size. */
export const resizing: Rules = {
  ResizeBilinear: (node, lift) => resize(node, lift, 'bilinear'),
  ResizeNearestNeighbor: (node, lift) => resize(node, lift, 'nearest'),
}
