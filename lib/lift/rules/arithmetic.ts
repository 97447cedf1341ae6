import { tf } from '../../tf.ts'
import type { Node } from '../graph.ts'
import type { Lifting, Rule, Rules } from '../lifting.ts'
import { shortest } from './normalization.ts'

/** A chain of `x·a`, `x/a`, `x+a`, `x-a` with numbers, as one Rescaling: its scale and offset and where it ends. */
function affine(node: Node, lift: Lifting): { scale: number, offset: number, last: Node } | null {
  let scale = 1, offset = 0, last: Node | null = null, multiplied = false
  for (let at: Node | null = node; at; at = lift.next(at, 'Add', 'AddV2', 'Sub', 'Mul', 'RealDiv')) {
    const [left, right] = at.inputs, first: boolean = last === null
    const a = lift.number(right), reversed = a === null ? lift.number(left) : null
    const flows = first || (a !== null ? left.node === last : right.node === last)
    if (!flows || a === null && reversed === null) break
    const value = (a ?? reversed)!
    if (at.op === 'Add' || at.op === 'AddV2') offset += value
    else if (at.op === 'Sub' && a !== null) offset -= value
    else if ((at.op === 'Mul' || at.op === 'RealDiv' && a !== null) && !offset && !multiplied) {
      scale = at.op === 'Mul' ? value : 1 / value
      multiplied = true
    } else break
    last = at
    if (offset) break
  }
  return last && { scale: shortest(scale), offset: shortest(offset), last }
}

const rescale: Rule = (node, lift) => {
  const found = affine(node, lift)
  if (!found) return false
  const x = lift.number(node.inputs[1]) === null ? node.inputs[1] : node.inputs[0]
  return lift.layer(tf.layers.rescaling as never, { scale: found.scale, offset: found.offset }, { named: node, last: found.last, inputs: [x] })
}

/** Arithmetic with numbers. */
export const rescaling: Rules = { Mul: rescale, RealDiv: rescale, Add: rescale, AddV2: rescale, Sub: rescale }

const merge = (make: (options: never) => tf.layers.Layer): Rule => (node, lift) => {
  if (!node.inputs.every(input => lift.tensorOf(input))) return false
  return lift.layer(make, {}, { named: node, inputs: node.inputs })
}

/** Operations on several tensors. */
export const merging: Rules = {
  Add: merge(tf.layers.add), AddV2: merge(tf.layers.add), AddN: merge(tf.layers.add), Mul: merge(tf.layers.multiply),
  Maximum: merge(tf.layers.maximum), Minimum: merge(tf.layers.minimum),
  ConcatV2(node, lift) {
    const parts = node.inputs.slice(0, -1), axis = lift.number(node.inputs.at(-1))
    if (axis === null || !parts.every(part => lift.tensorOf(part))) return false
    const rank = lift.tensor(parts[0]).shape.length
    return lift.layer(tf.layers.concatenate, { axis: axis < 0 ? axis + rank : axis }, { named: node, inputs: parts })
  },
}
