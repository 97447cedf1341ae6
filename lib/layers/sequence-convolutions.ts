import * as tf from '@tensorflow/tfjs'
import { prototypeOf } from './prototype.ts'

type Shape = tf.Shape
interface Variable { read(): tf.Tensor }
type Config = Record<string, unknown> & { dataFormat?: string, outputPadding?: number | number[] | null }

/** What is used of TensorFlow.js's convolutions of images, which it does not type. */
declare class ImageLayer extends tf.layers.Layer {
  dataFormat: string
}

/** Settings that have a number for each side of an image. */
const sided = ['kernelSize', 'strides', 'dilationRate']

/**
 * A convolution of sequences as the one of images that are one row high: the class of an image's layer with the kernels and
 * settings of one dimension, as Keras has them.
 */
function along(image: tf.layers.Layer, className: string): tf.serialization.SerializableConstructor<tf.layers.Layer> {
  const Image = prototypeOf(image).constructor as unknown as new (config: Config) => ImageLayer
  class SequenceConvolution extends Image {
    static className = className

    constructor(config: Config) {
      const high = Object.fromEntries(sided.flatMap(key => config[key] ? [[key, [1, ...[config[key]].flat()]]] : []))
      super({ ...config, ...high })
      this.inputSpec = [{ ndim: 3 }] as never
    }

    static fromConfig(make: new (config: Config) => ImageLayer, { outputPadding, ...config }: Config): ImageLayer {
      const layer = new make(config)
      return typeof outputPadding === 'number' || outputPadding
        ? Object.assign(layer, { outputPadding: [0, ...[outputPadding].flat()] }) : layer
    }

    /** Where the row is put between the others. */
    get #row(): number {
      return this.dataFormat === 'channelsFirst' ? 2 : 1
    }

    override addWeight(name: string, shape: Shape, ...rest: never[]): never {
      if (!name.endsWith('kernel')) return super.addWeight(name, shape, ...rest) as never
      const kernel: Variable = super.addWeight(name, shape.slice(1), ...rest)
      return { read: () => tf.expandDims(kernel.read(), 0) } as never
    }

    override build(shape: Shape | Shape[]): void {
      super.build((shape as Shape).toSpliced(this.#row, 0, 1))
      this.inputSpec = [{ ndim: 3 }] as never
    }

    override call(inputs: tf.Tensor | tf.Tensor[], kwargs: never): tf.Tensor {
      return tf.tidy(() => {
        const x = tf.expandDims(Array.isArray(inputs) ? inputs[0] : inputs, this.#row)
        return tf.squeeze(super.call(x, kwargs) as tf.Tensor, [this.#row])
      })
    }

    override computeOutputShape(shape: Shape | Shape[]): Shape {
      return (super.computeOutputShape((shape as Shape).toSpliced(this.#row, 0, 1)) as Shape).toSpliced(this.#row, 1)
    }

    override getConfig(): tf.serialization.ConfigDict {
      const config = super.getConfig() as Record<string, unknown>
      for (const key of [...sided, 'outputPadding']) if (Array.isArray(config[key])) config[key] = config[key].slice(1)
      return config as tf.serialization.ConfigDict
    }
  }
  return SequenceConvolution as never
}

/** Keras's convolutions of sequences that TensorFlow.js lacks; made once those of images are mended. */
export const sequenceConvolutions = (): tf.serialization.SerializableConstructor<tf.layers.Layer>[] => [
  along(tf.layers.depthwiseConv2d({ kernelSize: 1 }), 'DepthwiseConv1D'),
  along(tf.layers.separableConv2d({ filters: 1, kernelSize: 1 }), 'SeparableConv1D'),
  along(tf.layers.conv2dTranspose({ filters: 1, kernelSize: 1 }), 'Conv1DTranspose'),
]
