import type * as tfTypes from '@tensorflow/tfjs'
import type { TF } from './prototype.ts'

/** Options of {@link normalization}, as Keras's layer has them. */
export interface NormalizationConfig {
  name?: string
  axis?: number
  /** Per channel. */
  mean: number[]
  variance: number[]
}

let make: ((config: NormalizationConfig) => tfTypes.layers.Layer) | undefined

/**
 * Keras's preprocessing layer `Normalization` with given statistics: (x − mean) / max(√variance, 1e-7) per channel. It has no
 * weights.
 */
export function normalization(tf: TF, config: NormalizationConfig): tfTypes.layers.Layer {
  registerNormalization(tf)
  return make!(config)
}

/** Makes the class known, so that saved models that hold it can be read. */
export function registerNormalization(tf: TF): void {
  if (make) return
  class Normalization extends tf.layers.Layer {
    static className = 'Normalization'
    readonly mean: number[]
    readonly variance: number[]
    readonly axis: number

    constructor({ axis = -1, mean, variance, ...config }: NormalizationConfig) {
      super(config)
      this.axis = axis
      this.mean = mean
      this.variance = variance
    }

    override call(inputs: tfTypes.Tensor | tfTypes.Tensor[]): tfTypes.Tensor {
      return tf.tidy(() => {
        const x = Array.isArray(inputs) ? inputs[0] : inputs
        return tf.div(tf.sub(x, tf.tensor1d(this.mean)), tf.tensor1d(this.variance.map(v => Math.max(Math.sqrt(v), 1e-7))))
      })
    }

    override computeOutputShape(shape: tfTypes.Shape | tfTypes.Shape[]): tfTypes.Shape | tfTypes.Shape[] {
      return shape
    }

    override getConfig(): tfTypes.serialization.ConfigDict {
      return { ...super.getConfig(), axis: this.axis, mean: this.mean, variance: this.variance, invert: false }
    }
  }
  tf.serialization.registerClass(Normalization as never)
  make = config => new Normalization(config)
}
