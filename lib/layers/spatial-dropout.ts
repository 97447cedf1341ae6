import * as tf from '@tensorflow/tfjs'

interface DropoutConfig { name?: string, rate: number, seed?: number, trainable?: boolean, dataFormat?: string }

/** The class of plain dropout, which TensorFlow.js does not export. */
const Dropout = tf.layers.dropout({ rate: 0 }).constructor as new (config: DropoutConfig) => tf.layers.Layer & {
  getNoiseShape(input: tf.Tensor): number[]
}

function spatialDropout(rank: 2 | 3): new (config: DropoutConfig) => tf.layers.Layer {
  return class SpatialDropout extends Dropout {
    static className = `SpatialDropout${rank}D`
    readonly dataFormat: string

    constructor(config: DropoutConfig) {
      super(config)
      this.dataFormat = config.dataFormat ?? 'channelsLast'
    }

    override getNoiseShape({ shape }: tf.Tensor): number[] {
      const channels = this.dataFormat === 'channelsFirst' ? 1 : rank + 1
      return shape.map((size, d) => d === 0 || d === channels ? size : 1)
    }

    override getConfig(): tf.serialization.ConfigDict {
      return { ...super.getConfig(), dataFormat: this.dataFormat }
    }
  } as never
}

/** Keras's dropout of whole channels of images; TensorFlow.js has the one for sequences. */
export const SpatialDropout2D = spatialDropout(2)

/** The same of volumes. */
export const SpatialDropout3D = spatialDropout(3)
