import * as tf from '@tensorflow/tfjs'

interface DropoutConfig { name?: string, rate: number, seed?: number, trainable?: boolean }

/** The class of plain dropout, which TensorFlow.js does not export. */
const Dropout = tf.layers.dropout({ rate: 0 }).constructor as new (config: DropoutConfig) => tf.layers.Layer & {
  getNoiseShape(input: tf.Tensor): number[]
}

/** Keras's `SpatialDropout2D`: whole channels of an image are dropped, channels last. TensorFlow.js has it for sequences only. */
export class SpatialDropout2D extends Dropout {
  static className = 'SpatialDropout2D'

  override getNoiseShape({ shape }: tf.Tensor): number[] {
    return [shape[0], 1, 1, shape[3]!]
  }
}
