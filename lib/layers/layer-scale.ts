import type * as tfTypes from '@tensorflow/tfjs'
import type { TF } from './prototype.ts'

/** Options of {@link layerScale}, as keras.applications.convnext names them. */
export interface LayerScaleConfig {
  name?: string
  /** The first value of every factor. */
  initValues?: number
  /** How many channels there are. */
  projectionDim: number
  gammaInitializer?: unknown
}

let make: ((config: LayerScaleConfig) => tfTypes.layers.Layer) | undefined

/** A learned factor per channel: ConvNeXt's LayerScale, under the name that Keras gives it there. */
export function layerScale(tf: TF, config: LayerScaleConfig): tfTypes.layers.Layer {
  registerLayerScale(tf)
  return make!(config)
}

/** Makes the class known, so that saved models that hold it can be read. */
export function registerLayerScale(tf: TF): void {
  if (make) return
  class LayerScale extends tf.layers.Layer {
    static className = 'LayerScale'
    readonly initValues: number
    readonly projectionDim: number
    gammaInitializer: unknown
    #gamma!: { read(): tfTypes.Tensor }

    constructor({ initValues = 1, projectionDim, gammaInitializer, ...config }: LayerScaleConfig) {
      super(config)
      this.initValues = initValues
      this.projectionDim = projectionDim
      this.gammaInitializer = gammaInitializer
    }

    override build(): void {
      const initializer = this.gammaInitializer ?? tf.initializers.constant({ value: this.initValues })
      this.#gamma = this.addWeight(
        'gamma',
        [this.projectionDim],
        'float32',
        initializer as ReturnType<typeof tf.initializers.zeros>,
      )
      this.built = true
    }

    override call(inputs: tfTypes.Tensor | tfTypes.Tensor[]): tfTypes.Tensor {
      return tf.tidy(() => tf.mul(Array.isArray(inputs) ? inputs[0] : inputs, this.#gamma.read()))
    }

    override computeOutputShape(shape: tfTypes.Shape | tfTypes.Shape[]): tfTypes.Shape | tfTypes.Shape[] {
      return shape
    }

    override getConfig(): tfTypes.serialization.ConfigDict {
      return { ...super.getConfig(), initValues: this.initValues, projectionDim: this.projectionDim }
    }
  }
  tf.serialization.registerClass(LayerScale as never)
  make = config => new LayerScale(config)
}
