import * as tf from '@tensorflow/tfjs'
import { OneInput, type LayerConfig } from './one-input.ts'

/** Every entry along dimension `d` so many times, one after the other. */
function repeated(x: tf.Tensor, d: number, times: number): tf.Tensor {
  if (times === 1) return x
  const rows = x.shape.slice(0, d + 1).reduce((product, size) => product * size, 1)
  return tf.reshape(tf.tile(tf.reshape(x, [rows, 1, x.size / rows]), [1, times, 1]), x.shape.with(d, x.shape[d] * times))
}

interface Settings { size: number | number[], dataFormat?: string }

function upSampling(rank: 1 | 3): tf.serialization.SerializableConstructor<tf.layers.Layer> {
  return class UpSampling extends OneInput<Settings> {
    static className = `UpSampling${rank}D`

    constructor({ size = 2, dataFormat, ...config }: LayerConfig<Partial<Settings>>) {
      super(config, { size: rank === 1 ? [size].flat()[0] : Array.isArray(size) ? size : [size, size, size],
        ...rank === 3 && { dataFormat: dataFormat ?? 'channelsLast' } })
    }

    /** How often entries are repeated along dimension `d`. */
    #times(d: number): number {
      return [this.settings.size].flat()[d - (this.settings.dataFormat === 'channelsFirst' ? 2 : 1)] ?? 1
    }

    protected override compute(x: tf.Tensor): tf.Tensor {
      return x.shape.reduce((grown, _, d) => repeated(grown, d, this.#times(d)), x)
    }

    protected override shapeAfter(shape: tf.Shape): tf.Shape {
      return shape.map((size, d) => size === null ? null : size * this.#times(d))
    }
  } as never
}

/** Keras's up-sampling of sequences and volumes by repetition; TensorFlow.js has the one for images. */
export const upSamplingLayers = [upSampling(1), upSampling(3)]
