import type * as tfTypes from '@tensorflow/tfjs'
import * as tf from '@tensorflow/tfjs'

/** Beside the variance of a filter's weights, so that none divides by zero: as Big Transfer has it. */
const EPSILON = 1e-10

interface Kernel { read(): tfTypes.Tensor }
type Config = Parameters<typeof tf.layers.conv2d>[0] & { groups?: number }

/** The class of a plain convolution, which TensorFlow.js does not export. */
const Conv2D = tf.layers.conv2d({ filters: 1, kernelSize: 1 }).constructor as new (config: Config) => tf.layers.Layer & {
  kernel: Kernel
}

/**
 * A convolution whose filters are brought to mean 0 and variance 1 each time they are used, as Big Transfer's
 * `StandardizedConv2D` does; training moves the weights behind them. Source: Qiao et al., Weight Standardization (2019).
 */
export class StandardizedConv2D extends Conv2D {
  static className = 'StandardizedConv2D'

  constructor(config: Config) {
    super(config)
    Object.assign(this, { groups: config.groups ?? 1 })
  }

  static fromConfig<T>(make: new (config: Config) => T, config: Config): T {
    return new make(config)
  }

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: object): tf.Tensor | tf.Tensor[] {
    const { kernel } = this
    return tf.tidy(() => {
      const standard = standardized(kernel.read())
      this.kernel = { read: () => standard }
      try {
        return super.call(inputs, kwargs as never)
      } finally {
        this.kernel = kernel
      }
    })
  }
}

/** Each filter with mean 0 and variance 1 over its height, width and input channels. */
export function standardized(kernel: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    // In two steps, so that rounding does not add up over thousands of weights.
    const mean = (x: tf.Tensor) => tf.mean(tf.mean(x, 2, true), [0, 1], true)
    const difference = tf.sub(kernel, mean(kernel))
    return tf.div(difference, tf.sqrt(tf.add(mean(tf.square(difference)), EPSILON)))
  })
}
