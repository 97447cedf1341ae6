import * as tf from '@tensorflow/tfjs'

/**
 * Batch normalization as in training: y = (x − mean)·gamma/√(variance + epsilon) + beta over the last axis, with the batch's own
 * mean and variance (biased: divided by n). Gradients flow to x, gamma and beta; the two statistics are constants to them.
 * Source: Ioffe and Szegedy, 2015.
 *
 * @param x of any rank ≥ 2, channels last
 * @param gamma scale [channels], or `null` for one
 * @param beta offset [channels], or `null` for zero
 * @param epsilon added to the variance
 * @returns y in x's shape, mean [channels], variance [channels]
 * @example
 * const [y, mean, variance] = normalizeBatch(x, gamma, null, 1e-3)
 */
export function normalizeBatch(
  x: tf.Tensor, gamma: tf.Tensor | null, beta: tf.Tensor | null, epsilon: number,
): [y: tf.Tensor, mean: tf.Tensor, variance: tf.Tensor] {
  if (tf.getKernel('NormalizeBatch', tf.getBackend())) {
    const inputs = { x, gamma: gamma ?? tf.ones([x.shape.at(-1)!]), ...(beta && { beta }) }
    return tf.engine().runKernel('NormalizeBatch', inputs, { epsilon }) as [tf.Tensor, tf.Tensor, tf.Tensor]
  }
  if (tf.getKernel('TrainedBatchNorm', tf.getBackend())) return fused(x, gamma, beta, epsilon)
  const { mean, variance } = tf.moments(x, x.shape.slice(0, -1).map((_, axis) => axis))
  const scale = tf.rsqrt(tf.add(variance, epsilon))
  let y = tf.mul(tf.sub(x, mean), gamma ? tf.mul(scale, gamma) : scale)
  if (beta) y = tf.add(y, beta)
  return [y, mean, variance]
}

/** TensorFlow's own kernel takes images, and gives the variance divided by n − 1. */
function fused(x: tf.Tensor, gamma: tf.Tensor | null, beta: tf.Tensor | null, epsilon: number): [tf.Tensor, tf.Tensor, tf.Tensor] {
  const channels = x.shape.at(-1)!, count = x.size / channels, image = x.rank === 4 ? x : tf.reshape(x, [-1, 1, 1, channels])
  const inputs = { x: image, scale: gamma ?? tf.ones([channels]), offset: beta ?? tf.zeros([channels]) }
  const [y, mean, variance] = tf.engine().runKernel('TrainedBatchNorm', inputs, { epsilon }) as tf.Tensor[]
  return [x.rank === 4 ? y : tf.reshape(y, x.shape), mean, count > 1 ? tf.mul(variance, (count - 1) / count) : variance]
}

tf.registerGradient({
  kernelName: 'TrainedBatchNorm',
  inputsToSave: ['x', 'scale'],
  outputsToSave: [false, false, false, true, true, true],
  gradFunc: (dys, [x, scale, reserve1, reserve2, reserve3], { epsilon }) => {
    const inputs = { dy: (dys as tf.Tensor[])[0], x, scale, reserve1, reserve2, reserve3 }
    const [dx, dscale, doffset] = tf.engine().runKernel('TrainedBatchNormGrad', inputs, { epsilon }) as tf.Tensor[]
    return { x: () => dx, scale: () => dscale, offset: () => doffset }
  },
})

tf.registerGradient({
  kernelName: 'NormalizeBatch',
  inputsToSave: ['x', 'gamma'],
  outputsToSave: [false, true, true],
  gradFunc: (dys, [x, gamma, mean, variance], { epsilon }) => {
    const inputs = { dy: (dys as tf.Tensor[])[0], x, gamma, mean, variance }
    const [dx, dgamma, dbeta] = tf.engine().runKernel('NormalizeBatchGrad', inputs, { epsilon }) as tf.Tensor[]
    return { x: () => dx, gamma: () => dgamma, beta: () => dbeta }
  },
})
