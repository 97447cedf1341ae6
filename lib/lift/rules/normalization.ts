import type { DenseTensor } from '../../hub/tensor.ts'
import { tf } from '../../tf.ts'
import type { Node, Value } from '../graph.ts'
import type { Lifting, Rule, Rules, Weights } from '../lifting.ts'

/** A float32 that was written from a short decimal, as that decimal: 0.0010000000474974513 is 0.001. */
export const shortest = (value: number): number => Number(value.toPrecision(7))

const fused: Rule = (node, lift) => {
  const [x, scale, offset, mean, variance] = node.inputs
  const known = [scale, offset, mean, variance].map(value => lift.known(value))
  if (node.attr('is_training').bool !== false || known.includes(null) || (node.attr('data_format').text ?? 'NHWC') !== 'NHWC')
    return false
  const [gamma, beta, movingMean, movingVariance] = known as DenseTensor[]
  const weights: Weights = {}
  const hasScale = scale.node.trained || gamma.data.some(value => value !== 1),
    hasOffset = offset.node.trained || beta.data.some(value => value !== 0)
  if (hasScale) weights.gammaInitializer = { tensor: gamma, as: 'ones' }
  if (hasOffset) weights.betaInitializer = { tensor: beta, as: 'zeros' }
  weights.movingMeanInitializer = { tensor: movingMean, as: 'zeros' }
  weights.movingVarianceInitializer = { tensor: movingVariance, as: 'ones' }
  return lift.layer(
    tf.layers.batchNormalization,
    {
      axis: lift.tensor(x).shape.length - 1,
      epsilon: shortest(node.attr('epsilon').float ?? 1e-4),
      scale: hasScale,
      center: hasOffset,
      ...momentumOf(mean, lift),
    },
    { named: node, inputs: [x], weights },
  )
}

/** As the trace for training has it; else Keras's default stands. */
function momentumOf(mean: Value, lift: Lifting): { momentum?: number } {
  const momentum = lift.training.momentum.get(mean.node.variable?.key ?? '')
  return momentum === undefined ? {} : { momentum }
}

/** Batch normalization as one operation. */
export const normalization: Rules = { FusedBatchNorm: fused, FusedBatchNormV2: fused, FusedBatchNormV3: fused }

/** Reshapes of a vector of weights change nothing here. */
export function plain(value: Value): Node {
  let { node } = value
  while (['Reshape', 'ExpandDims', 'Cast', 'Squeeze'].includes(node.op)) node = node.inputs[0].node
  return node
}

/** The operands of `node`, the one whose plain node has operation `op` first. */
function operands(node: Node, op: string): [Node, Value] | null {
  const at = node.inputs.findIndex(input => plain(input).op === op)
  return at < 0 ? null : [plain(node.inputs[at]), node.inputs[1 - at]]
}

/**
 * Batch normalization written as `x·w + b` with `w = gamma / √(variance + epsilon)` and `b = beta − mean·w`
 * (`tf.nn.batch_normalization`; Keras 3 exports it so). Gamma and beta may be missing.
 */
export const decomposed: Rules = {
  Mul(node, lift) {
    const x = node.inputs.find(input => lift.flows(input)), w = node.inputs.find(input => !lift.flows(input))
    const sum = lift.next(node, 'Add', 'AddV2', 'Sub')
    if (!x || !w || !sum) return false
    const scaled = scaleOf(plain(w)), b = lift.other(sum, node), shifted = sum.op === 'Sub' ? null : shiftOf(plain(b), plain(w))
    if (!scaled || !shifted) return false
    const known = (value: Value | null) => value && lift.known(value)
    const [gamma, variance, beta, mean] = [scaled.gamma, scaled.variance, shifted.beta, shifted.mean].map(known)
    const epsilon = lift.number(scaled.epsilon)
    if (!variance || !mean || epsilon === null || scaled.gamma && !gamma || shifted.beta && !beta) return false
    const weights: Weights = {}
    if (gamma) weights.gammaInitializer = { tensor: gamma, as: 'ones' }
    if (beta) weights.betaInitializer = { tensor: beta, as: 'zeros' }
    weights.movingMeanInitializer = { tensor: mean, as: 'zeros' }
    weights.movingVarianceInitializer = { tensor: variance, as: 'ones' }
    return lift.claim(sum, [node, sum], () =>
      normalize(node, sum, x, weights, epsilon, momentumOf({ node: plain(shifted.mean), index: 0 }, lift), lift),
    )
  },
}

function normalize(node: Node, sum: Node, x: Value, weights: Weights, epsilon: number, momentum: object, lift: Lifting): boolean {
  return lift.layer(
    tf.layers.batchNormalization,
    {
      axis: lift.tensor(x).shape.length - 1,
      epsilon: shortest(epsilon),
      scale: !!weights.gammaInitializer,
      center: !!weights.betaInitializer,
      ...momentum,
    },
    { named: node, last: sum, inputs: [x], weights },
  )
}

function scaleOf(w: Node): { gamma: Value | null, variance: Value, epsilon: Value } | null {
  const product = w.op === 'Mul' ? operands(w, 'Rsqrt') : null, root = product?.[0] ?? w
  const sum = root.op === 'Rsqrt' ? plain(root.inputs[0]) : null
  if (!sum || sum.op !== 'AddV2' && sum.op !== 'Add') return null
  const [variance, epsilon] = sum.inputs[0].node.op === 'Const' ? [sum.inputs[1], sum.inputs[0]] : sum.inputs
  return { gamma: product?.[1] ?? null, variance, epsilon }
}

function shiftOf(b: Node, w: Node): { beta: Value | null, mean: Value } | null {
  const meanTimesW = (node: Node): Value | null => {
    const at = node.op === 'Mul' ? node.inputs.findIndex(input => plain(input) === w) : -1
    return at < 0 ? null : node.inputs[1 - at]
  }
  if (b.op === 'Sub') {
    const mean = meanTimesW(plain(b.inputs[1]))
    return mean && { beta: b.inputs[0], mean }
  }
  const minusMeanTimesW = (node: Node): Value | null => {
    const negative = node.op === 'Mul' ? operands(node, 'Neg') : null
    return negative && plain(negative[1]) === w ? negative[0].inputs[0] : null
  }
  const alone = minusMeanTimesW(b)
  if (alone) return { beta: null, mean: alone }
  if (b.op === 'AddV2') {
    const at = b.inputs.findIndex(input => minusMeanTimesW(plain(input)))
    if (at >= 0) return { beta: b.inputs[1 - at], mean: minusMeanTimesW(plain(b.inputs[at]))! }
  }
  const mean = b.op === 'Neg' ? meanTimesW(plain(b.inputs[0])) : null
  return mean && { beta: null, mean }
}
