import * as tf from '@tensorflow/tfjs'
import { KerasAugmentation } from '../layers/augmentation.ts'
import { prototypeOf } from '../layers/prototype.ts'
import { tensorOf } from './pinned.ts'
import type { StepTrace } from './tracing.ts'

type Tensor = tf.Tensor
interface Random { rate: number, stddev: number, getNoiseShape(input: Tensor): number[] | null | undefined, _getNoiseShape(input: Tensor): number[] }
type Noise = (layer: Random, x: Tensor, uniform: (shape: number[]) => Tensor, normal: (shape: number[]) => Tensor) => Tensor

/** Kept where the draw is at least the rate, and scaled so that the mean stays (Srivastava et al., 2014; Keras's Dropout). */
const dropout: Noise = (layer, x, uniform) =>
  x.mul(uniform(layer.getNoiseShape(x) ?? x.shape).greaterEqual(layer.rate).toFloat()).div(1 - layer.rate)

const gaussianNoise: Noise = ({ stddev }, x, _uniform, normal) => x.add(normal(x.shape).mul(stddev))

const gaussianDropout: Noise = ({ rate }, x, _uniform, normal) => x.mul(normal(x.shape).mul(Math.sqrt(rate / (1 - rate))).add(1))

/** Klambauer et al., "Self-normalizing neural networks" (2017), as in Keras's AlphaDropout. */
const alphaDropout: Noise = (layer, x, uniform) => {
  const { rate } = layer, low = -1.6732632423543772 * 1.0507009873554805, a = ((1 - rate) * (1 + rate * low ** 2)) ** -0.5
  const kept = uniform(layer._getNoiseShape(x)).greaterEqual(rate).toFloat()
  return x.mul(kept).add(kept.sub(1).mul(-low)).mul(a).sub(a * low * rate)
}

/**
 * Layers that draw random numbers do so within a traced step, new ones at each call; TensorFlow.js draws them on the host, and a
 * traced step would go on with those of its first call. Outside of a trace the layers stay as they are.
 */
export function drawInTraces(current: () => StepTrace | null): void {
  const { layers } = tf
  replace(current, layers.dropout({ rate: 0.5 }), dropout)
  replace(current, layers.gaussianNoise({ stddev: 1 }), gaussianNoise)
  replace(current, layers.gaussianDropout({ rate: 0.5 }), gaussianDropout)
  replace(current, layers.alphaDropout({ rate: 0.5 }), alphaDropout)
  const images = KerasAugmentation.prototype, { uniform } = images
  images.uniform = function (shape) {
    return current()?.seed ? tensorOf(current()!.draw('Uniform', shape)!) : uniform.call(this, shape)
  }
}

function replace(current: () => StepTrace | null, example: tf.layers.Layer, noise: Noise): void {
  const prototype = prototypeOf(example)
  const original = prototype.call as unknown as (inputs: Tensor | Tensor[], options: { training?: boolean }) => unknown
  const drawn = (kind: 'Uniform' | 'Normal', shape: number[]) => tensorOf(current()!.draw(kind, shape)!)
  prototype.call = function (this: Random, inputs: Tensor | Tensor[], options: { training?: boolean }) {
    const idle = !options?.training || this.rate === 0 || !current()?.seed
    if (idle) return original.call(this, inputs, options)
    return tf.tidy(() => noise(this, Array.isArray(inputs) ? inputs[0] : inputs, shape => drawn('Uniform', shape), shape => drawn('Normal', shape)))
  }
}
