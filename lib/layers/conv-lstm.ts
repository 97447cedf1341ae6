import * as tf from '@tensorflow/tfjs'
import { prototypeOf } from './prototype.ts'

type Shape = tf.Shape
interface Variable { read(): tf.Tensor }
type Config = Record<string, unknown>

/** What is used of TensorFlow.js's ConvLSTM2D, which it does not type. */
declare class ImageLayer extends tf.layers.Layer {
  dataFormat: string
  cell: { addWeight(name: string, shape: Shape, ...rest: unknown[]): Variable }
}

/** Settings that have a number for each side of an image. */
const sided = ['kernelSize', 'strides', 'dilationRate']

/**
 * Keras's `ConvLSTM1D`, a recurrent convolution of sequences that change with time [batch, times, entries, features], as the one
 * of images that are one row high.
 */
export function convLstm1d(): tf.serialization.SerializableConstructor<tf.layers.Layer> {
  const image = tf.layers.convLstm2d({ filters: 1, kernelSize: 1 })
  const Image = prototypeOf(image).constructor as unknown as new (config: Config) => ImageLayer
  class ConvLSTM1D extends Image {
    static className = 'ConvLSTM1D'

    constructor(config: Config) {
      const high = Object.fromEntries(sided.flatMap(key => config[key] ? [[key, [1, ...[config[key]].flat()]]] : []))
      super({ ...config, ...high })
      const { cell } = this, addWeight = cell.addWeight.bind(cell)
      cell.addWeight = (name, shape, ...rest) => {
        if (!name.endsWith('kernel')) return addWeight(name, shape, ...rest)
        const kernel = addWeight(name, shape.slice(1), ...rest)
        return { read: () => tf.expandDims(kernel.read(), 0) }
      }
      this.inputSpec = [{ ndim: 4 }] as never
    }

    /** Where the row is put between the others, of a shape that has times or not. */
    #row(rank: number): number {
      return this.dataFormat === 'channelsFirst' ? rank - 1 : rank - 2
    }

    override build(shape: Shape | Shape[]): void {
      super.build((shape as Shape).toSpliced(this.#row(4), 0, 1))
      this.inputSpec = [{ ndim: 4 }] as never
    }

    override call(inputs: tf.Tensor | tf.Tensor[], kwargs: never): tf.Tensor | tf.Tensor[] {
      return tf.tidy(() => {
        const x = tf.expandDims([inputs].flat()[0], this.#row(4)), outputs = super.call(x, kwargs)
        const flat = (y: tf.Tensor) => tf.squeeze(y, [this.#row(y.rank - 1)])
        return Array.isArray(outputs) ? outputs.map(flat) : flat(outputs)
      })
    }

    override computeOutputShape(shape: Shape | Shape[]): Shape | Shape[] {
      const shapes = super.computeOutputShape((shape as Shape).toSpliced(this.#row(4), 0, 1))
      const flat = (sizes: Shape) => sizes.toSpliced(this.#row(sizes.length - 1), 1)
      return Array.isArray(shapes[0]) ? (shapes as Shape[]).map(flat) : flat(shapes as Shape)
    }

    override getConfig(): tf.serialization.ConfigDict {
      const config = super.getConfig() as Config
      for (const key of sided) if (Array.isArray(config[key])) config[key] = config[key].slice(1)
      return config as tf.serialization.ConfigDict
    }
  }
  return ConvLSTM1D as never
}
