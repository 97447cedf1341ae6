import { tf } from '../../tf.ts'
import type { Node } from '../graph.ts'
import type { Lifting, Rules } from '../lifting.ts'

function pool(node: Node, lift: Lifting, make: typeof tf.layers.maxPooling2d | typeof tf.layers.averagePooling2d): boolean {
  const padding = node.attr('padding').text, size = node.attr('ksize').ints, strides = node.attr('strides').ints
  if ((node.attr('data_format').text ?? 'NHWC') !== 'NHWC' || !size || !strides || (padding !== 'SAME' && padding !== 'VALID'))
    return false
  if (size[0] !== 1 || size[3] !== 1) return false
  return lift.layer(make as never, { poolSize: size.slice(1, 3), strides: strides.slice(1, 3), padding: padding.toLowerCase() },
    { named: node, inputs: [node.inputs[0]] })
}

function global(
  node: Node,
  lift: Lifting,
  make: typeof tf.layers.globalAveragePooling2d | typeof tf.layers.globalMaxPooling2d,
): boolean {
  const [x, axes] = node.inputs,
    over = lift.constant(axes)?.data
  if (
    !over ||
    lift.tensor(x).shape.length !== 4 ||
    Array.from(over, d => (d < 0 ? d + 4 : d))
      .sort()
      .join() !== '1,2'
  )
    return false
  if (!node.attr('keep_dims').bool) return lift.layer(make, {}, { named: node, inputs: [x] })
  const squeeze = lift.next(node, 'Squeeze'),
    squeezed = squeeze
      ?.attr('squeeze_dims')
      .ints?.map(d => (d < 0 ? d + 4 : d))
      .sort()
      .join()
  if (squeeze && (squeezed === '1,2' || !squeezed)) return lift.layer(make, {}, { named: squeeze, inputs: [x] })
  const keeping = (options: never) => Object.assign(make(options), { keepdims: true })
  return lift.layer(keeping, {}, { named: node, inputs: [x] })
}

/** Pooling, local and global. */
export const pooling: Rules = {
  MaxPool: (node, lift) => pool(node, lift, tf.layers.maxPooling2d),
  AvgPool: (node, lift) => pool(node, lift, tf.layers.averagePooling2d),
  Mean: (node, lift) => global(node, lift, tf.layers.globalAveragePooling2d),
  Max: (node, lift) => global(node, lift, tf.layers.globalMaxPooling2d),
}
