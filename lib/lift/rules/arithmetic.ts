import { layerScale } from '../../layers/layer-scale.ts'
import { normalization } from '../../layers/normalization.ts'
import { Subtract } from '../../layers/subtract.ts'
import { tf } from '../../tf.ts'
import type { Node } from '../graph.ts'
import type { Lifting, Rule, Rules } from '../lifting.ts'
import { shortest } from './normalization.ts'

/** A chain of `x·a`, `x/a`, `x+a`, `x-a` with numbers, as one Rescaling: its scale and offset and where it ends. */
function affine(node: Node, lift: Lifting): { scale: number, offset: number, through: Node[] } | null {
  const through: Node[] = []
  let scale = 1, offset = 0, multiplied = false
  for (let at: Node | null = node; at; at = lift.next(at, 'Add', 'AddV2', 'Sub', 'Mul', 'RealDiv')) {
    const [left, right] = at.inputs, last = through.at(-1)
    const a = lift.number(right), reversed = a === null ? lift.number(left) : null
    const flows = !last || (a !== null ? left.node === last : right.node === last)
    if (!flows || a === null && reversed === null || lift.names.scope(at) !== lift.names.scope(node)) break
    const value = (a ?? reversed)!
    if (at.op === 'Add' || at.op === 'AddV2') offset += value
    else if (at.op === 'Sub' && a !== null) offset -= value
    else if (at.op === 'Sub') {
      scale = -scale
      offset = value - offset
    }
    else if ((at.op === 'Mul' || at.op === 'RealDiv' && a !== null) && !offset && !multiplied) {
      scale = at.op === 'Mul' ? value : 1 / value
      multiplied = true
    } else break
    through.push(at)
    if (offset) break
  }
  return through.length ? { scale: shortest(scale), offset: shortest(offset), through } : null
}

const rescale: Rule = (node, lift) => {
  const found = affine(node, lift)
  if (!found) return false
  const x = lift.number(node.inputs[1]) === null ? node.inputs[1] : node.inputs[0]
  return lift.layer(
    tf.layers.rescaling as never,
    { scale: found.scale, offset: found.offset },
    { named: node, through: found.through, inputs: [x] },
  )
}

/** Arithmetic with numbers. */
export const rescaling: Rules = {
  Neg: (node, lift) => lift.layer(tf.layers.rescaling as never, { scale: -1, offset: 0 }, { named: node, inputs: node.inputs }),
  Mul: rescale,
  RealDiv: rescale,
  Add: rescale,
  AddV2: rescale,
  Sub: rescale,
}

/** Fixed statistics per channel, as Keras's `Normalization` layer writes them: `(x − mean) / deviation`. */
export const standardizing: Rules = {
  Sub(node, lift) {
    const [x, shift] = node.inputs, division = lift.next(node, 'RealDiv')
    const mean = lift.known(shift), deviation = division && lift.known(division.inputs[1])
    if (!deviation || !mean || !lift.flows(x)) return false
    const channels = lift.tensor(x).shape.at(-1)
    if ([mean, deviation].some(t => t.shape.at(-1) !== channels || t.data.length !== channels)) return false
    const variance = Array.from(deviation.data, value => value * value)
    return lift.layer(
      options => normalization(tf, options),
      { axis: -1, mean: Array.from(mean.data), variance },
      { named: node, through: [division], inputs: [x] },
    )
  },
}

/** Learned factors per channel, which ConvNeXt calls LayerScale. */
export const scaling: Rules = {
  Mul(node, lift) {
    const x = node.inputs.find(input => lift.flows(input)), factors = node.inputs.find(input => !lift.flows(input))
    const known = factors && lift.known(factors), channels = x && lift.tensor(x).shape.at(-1)
    if (!x || !known || known.data.length !== channels || known.shape.at(-1) !== channels) return false
    return lift.layer(
      options => layerScale(tf, options),
      { projectionDim: channels },
      { named: node, inputs: [x], weights: { gammaInitializer: { tensor: known, as: 'ones' } } },
    )
  },
}

const merge = (make: (options: never) => tf.layers.Layer): Rule => (node, lift) => {
  if (!node.inputs.every(input => lift.tensorOf(input))) return false
  return lift.layer(make, {}, { named: node, inputs: node.inputs })
}

/**
 * A merge of three or more, and an average: in Keras's layouts they are written two by two and with a division, all in the
 * layer's scope.
 */
const mergeAll = (make: (options: never) => tf.layers.Layer): Rule => (node, lift) => {
  if (!lift.names.keras || !node.inputs.every(input => lift.flows(input))) return false
  const inputs = [...node.inputs], inside = [node]
  for (let next = lift.nextInScope(node, node.op); next; next = lift.nextInScope(next, node.op)) {
    const other = lift.other(next, inside.at(-1)!)
    if (!lift.flows(other)) break
    inputs.push(other)
    inside.push(next)
  }
  const average = make === tf.layers.add ? mean(inside.at(-1)!, inputs.length, lift) : null
  if (average) inside.push(average)
  if (inside.length === 1) return false
  return lift.claim(inside.at(-1)!, inside, () =>
    lift.layer((average ? tf.layers.average : make) as never, {}, { named: node, last: inside.at(-1), inputs }))
}

/** Merges of several operations; tried before those of one. */
export const mergingAll: Rules = {
  Add: mergeAll(tf.layers.add), AddV2: mergeAll(tf.layers.add), Mul: mergeAll(tf.layers.multiply),
  Maximum: mergeAll(tf.layers.maximum), Minimum: mergeAll(tf.layers.minimum),
}

/** The division by `count` that makes a sum an average, in the same scope. */
function mean(sum: Node, count: number, lift: Lifting): Node | null {
  const next = lift.names.keras ? lift.nextInScope(sum, 'RealDiv', 'Mul') : null
  const number = next && lift.number(lift.other(next, sum))
  const isMean = next?.op === 'RealDiv' ? number === count && next.inputs[0].node === sum : number === Math.fround(1 / count)
  return isMean ? next : null
}

/** Operations on several tensors. */
export const merging: Rules = {
  Add: merge(tf.layers.add), AddV2: merge(tf.layers.add), AddN: merge(tf.layers.add), Mul: merge(tf.layers.multiply),
  Maximum: merge(tf.layers.maximum), Minimum: merge(tf.layers.minimum),
  Sub(node, lift) {
    const shapes = node.inputs.map(input => lift.tensorOf(input)?.shape)
    if (shapes[0]?.length !== shapes[1]?.length || !shapes[0]) return false
    return lift.layer((options: never) => new Subtract(options), {}, { named: node, inputs: node.inputs })
  },
  ConcatV2(node, lift) {
    const parts = node.inputs.slice(0, -1), axis = lift.number(node.inputs.at(-1))
    if (axis === null || !parts.every(part => lift.tensorOf(part))) return false
    const rank = lift.tensor(parts[0]).shape.length
    return lift.layer(tf.layers.concatenate, { axis: axis < 0 ? axis + rank : axis }, { named: node, inputs: parts })
  },
}
