import type { DenseTensor } from '../../hub/tensor.ts'
import { tf } from '../../tf.ts'
import type { Rule, Rules, Weights } from '../lifting.ts'

/** A float32 that was written from a short decimal, as that decimal: 0.0010000000474974513 is 0.001. */
export const shortest = (value: number): number => Number(value.toPrecision(7))

const fused: Rule = (node, lift) => {
  const [x, scale, offset, mean, variance] = node.inputs
  const known = [scale, offset, mean, variance].map(value => lift.known(value))
  if (node.attr('is_training').bool !== false || known.includes(null) || (node.attr('data_format').text ?? 'NHWC') !== 'NHWC') return false
  const [gamma, beta, movingMean, movingVariance] = known as DenseTensor[]
  const weights: Weights = {}
  const hasScale = scale.node.trained || gamma.data.some(value => value !== 1), hasOffset = offset.node.trained || beta.data.some(value => value !== 0)
  if (hasScale) weights.gammaInitializer = { tensor: gamma, as: 'ones' }
  if (hasOffset) weights.betaInitializer = { tensor: beta, as: 'zeros' }
  weights.movingMeanInitializer = { tensor: movingMean, as: 'zeros' }
  weights.movingVarianceInitializer = { tensor: movingVariance, as: 'ones' }
  return lift.layer(tf.layers.batchNormalization, {
    axis: lift.tensor(x).shape.length - 1, epsilon: shortest(node.attr('epsilon').float ?? 1e-4), scale: hasScale, center: hasOffset,
  }, { named: node, inputs: [x], weights })
}

/** Batch normalization as one operation. */
export const normalization: Rules = { FusedBatchNorm: fused, FusedBatchNormV2: fused, FusedBatchNormV3: fused }
