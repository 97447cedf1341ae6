import type * as tfTypes from '@tensorflow/tfjs'
import { normalizeBatch } from '../engine/normalize.ts'
import { prototypeOf, type TF } from './prototype.ts'

type Tensor = tfTypes.Tensor
type Tensor1D = tfTypes.Tensor1D
interface Variable { read(): Tensor, write(value: Tensor): void }
interface BatchNormalization {
  axis: number | number[]
  momentum: number
  epsilon: number
  trainable: boolean
  gamma?: Variable
  beta?: Variable
  movingMean: Variable
  movingVariance: Variable
}

/**
 * Batch normalization as Keras computes it: by the batch's own statistics only while it trains *and* is trainable, else by the
 * moving ones, which a frozen layer never changes; with or without scale and offset. The moving variance is the unbiased one (n −
 * 1) for images, as TensorFlow's fused operation has it. Source: keras BatchNormalization, `call`.
 */
export function repairBatchNormalization(tf: TF): void {
  prototypeOf(tf.layers.batchNormalization()).call = function (
    this: BatchNormalization,
    inputs: Tensor | Tensor[],
    kwargs: { training?: boolean, mask?: Tensor },
  ) {
    return tf.tidy(() => {
      const x = Array.isArray(inputs) ? inputs[0] : inputs,
        rank = x.rank
      const axis = ((Array.isArray(this.axis) ? this.axis[0] : this.axis) + rank) % rank
      const toLast = axis === rank - 1 ? null : [...x.shape.keys()].filter(d => d !== axis).concat(axis)
      const last = toLast ? tf.transpose(x, toLast) : x
      const y = kwargs?.training && this.trainable ? train(tf, this, last, kwargs.mask) : infer(tf, this, last)
      return toLast
        ? tf.transpose(
            y,
            toLast.map((_, d) => toLast.indexOf(d)),
          )
        : y
    })
  }
  tf.registerGradient({
    kernelName: 'FusedBatchNorm',
    inputsToSave: ['x', 'mean', 'variance', 'scale'],
    gradFunc: (dy, saved, attrs) =>
      inferenceGradients(tf, dy as Tensor, saved, (attrs as unknown as { varianceEpsilon: number }).varianceEpsilon),
  })
}

function infer(tf: TF, layer: BatchNormalization, x: Tensor): Tensor {
  const mean = layer.movingMean.read(), variance = layer.movingVariance.read()
  const offset = layer.beta?.read() ?? tf.zerosLike(mean), scale = layer.gamma?.read() ?? tf.onesLike(mean)
  return tf.reshape(
    tf.batchNorm(flat4d(tf, x), mean as Tensor1D, variance as Tensor1D, offset as Tensor1D, scale as Tensor1D, layer.epsilon),
    x.shape,
  )
}

/** TensorFlow.js normalizes up to four dimensions; of more, all but the channels are one. */
const flat4d = (tf: TF, x: Tensor): tfTypes.Tensor4D =>
  (x.rank === 4 ? x : tf.reshape(x, [1, 1, -1, x.shape.at(-1)!])) as tfTypes.Tensor4D

function train(tf: TF, layer: BatchNormalization, x: Tensor, mask: Tensor | undefined): Tensor {
  const gamma = layer.gamma?.read() ?? null, beta = layer.beta?.read() ?? null
  const { epsilon } = layer
  const [y, mean, variance] = mask ? normalizeCounted(tf, x, mask, gamma, beta, epsilon) : normalizeBatch(x, gamma, beta, epsilon)
  const count = x.size / x.shape.at(-1)!, unbiased = x.rank === 4 && count > 1 ? count / (count - 1) : 1
  move(tf, layer.movingMean, mean, layer.momentum)
  move(tf, layer.movingVariance, unbiased === 1 ? variance : tf.mul(variance, unbiased), layer.momentum)
  return y
}

/** The same by what a mask lets count; all is normalized. */
function normalizeCounted(tf: TF, x: Tensor, mask: Tensor, gamma: Tensor | null, beta: Tensor | null, epsilon: number): Tensor[] {
  const counts = tf.mul(tf.cast(tf.expandDims(mask, -1), 'float32'), tf.onesLike(x)), axes = [...x.shape.keys()].slice(0, -1)
  const many = tf.add(tf.sum(counts, axes), 1e-7), mean = tf.div(tf.sum(tf.mul(x, counts), axes), many), apart = tf.sub(x, mean)
  const variance = tf.div(tf.sum(tf.mul(tf.square(apart), counts), axes), many), scale = tf.rsqrt(tf.add(variance, epsilon))
  const y = tf.mul(apart, gamma ? tf.mul(scale, gamma) : scale)
  return [beta ? tf.add(y, beta) : y, mean, variance]
}

const move = (tf: TF, variable: Variable, value: Tensor, momentum: number): void =>
  variable.write(tf.add(tf.mul(variable.read(), momentum), tf.mul(value, 1 - momentum)))

/** Gradients where mean and variance are given: dx needs one multiplication, and nothing is computed that is not asked for. */
function inferenceGradients(tf: TF, dy: Tensor, [x, mean, variance, scale]: Tensor[], epsilon: number) {
  const inverse = () => tf.rsqrt(tf.add(variance, epsilon))
  const total = (t: Tensor) => {
    const axes = mean.rank === 1 ? [...t.shape.keys()].slice(0, -1) : mean.shape.flatMap((size, d) => size === 1 ? [d] : [])
    return tf.reshape(tf.sum(t, axes), mean.shape)
  }
  return {
    x: () => tf.mul(dy, tf.mul(scale, inverse())),
    scale: () => tf.mul(total(tf.mul(dy, tf.sub(x, mean))), inverse()),
    offset: () => total(dy),
    mean: () => tf.neg(tf.mul(total(dy), tf.mul(scale, inverse()))),
    variance: () => tf.mul(total(tf.mul(dy, tf.sub(x, mean))), tf.mul(tf.mul(scale, -0.5), tf.pow(inverse(), 3))),
  }
}
