import * as tf from '@tensorflow/tfjs'
import { prototypeOf } from './prototype.ts'

type Interpolation = 'bilinear' | 'nearest'
interface UpSampling { size: [number, number], dataFormat: string, interpolation: Interpolation }
interface ResizeAttributes { size: [number, number], alignCorners: boolean, halfPixelCenters: boolean }

/**
 * An image of another size, as TensorFlow resizes: the centres of pixels lie at halves, so that the corners of old and new image
 * coincide. Source: `tf.image.resize` without antialiasing.
 */
export function resize(x: tf.Tensor4D, size: [number, number], interpolation: Interpolation): tf.Tensor4D {
  const by = interpolation === 'nearest' ? tf.image.resizeNearestNeighbor : tf.image.resizeBilinear
  return by(x, size, false, true)
}

/** Keras's `Resizing` layer, bilinear or nearest; TensorFlow.js's own takes pixels at their corners. */
export class Resizing extends tf.layers.Layer {
  static className = 'Resizing'
  readonly height: number
  readonly width: number
  readonly interpolation: Interpolation

  constructor({ name, height, width, interpolation = 'bilinear' }: {
    name?: string
    height: number
    width: number
    interpolation?: Interpolation
  }) {
    super({ name })
    this.height = height
    this.width = width
    this.interpolation = interpolation
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const x = Array.isArray(inputs) ? inputs[0] : inputs
    return resize(x as tf.Tensor4D, [this.height, this.width], this.interpolation)
  }

  override computeOutputShape(shape: tf.Shape | tf.Shape[]): tf.Shape {
    const [batch, , , channels] = shape as tf.Shape
    return [batch, this.height, this.width, channels]
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { height, width, interpolation } = this
    return { ...super.getConfig(), height, width, interpolation }
  }
}

/** Bilinear up-sampling with the pixels' centres where Keras has them, and the gradients of resizing with such centres. */
export function repairResizing(): void {
  const prototype = prototypeOf(tf.layers.upSampling2d({})), call = prototype.call as (inputs: unknown, kwargs: object) => unknown
  prototype.call = function (this: UpSampling, inputs: tf.Tensor | tf.Tensor[], kwargs: object) {
    if (this.interpolation === 'nearest' || this.dataFormat === 'channelsFirst') return call.call(this, inputs, kwargs)
    const x = (Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor4D
    return resize(x, [x.shape[1] * this.size[0], x.shape[2] * this.size[1]], this.interpolation)
  }
  for (const [kernelName, rows] of [['ResizeBilinear', bilinearRows], ['ResizeNearestNeighbor', nearestRows]] as const) {
    const original = tf.getGradient(kernelName)!
    tf.registerGradient({
      ...original,
      gradFunc: (dy, saved, attrs) => {
        if (!(attrs as unknown as ResizeAttributes).halfPixelCenters) return original.gradFunc(dy, saved, attrs)
        return { images: () => spreadBack(dy as tf.Tensor4D, saved[0].shape as [number, number, number, number], rows) }
      },
    })
  }
}

/** What each new pixel along one side is made of: for each, pairs of an old pixel and its share. */
type Rows = (from: number, to: number) => [pixel: number, share: number][][]

const bilinearRows: Rows = (from, to) => Array.from({ length: to }, (_, i) => {
  const at = Math.max((i + 0.5) * from / to - 0.5, 0), low = Math.min(Math.floor(at), from - 1), share = at - Math.floor(at)
  return [[low, 1 - share], [Math.min(low + 1, from - 1), share]]
})

const nearestRows: Rows = (from, to) =>
  Array.from({ length: to }, (_, i) => [[Math.min(Math.floor((i + 0.5) * from / to), from - 1), 1]])

/**
 * The gradient of a resized image for the image it was made from: resizing is one small matrix along the height and one along the
 * width, so their transposes carry the gradient back.
 */
function spreadBack(dy: tf.Tensor4D, shape: [number, number, number, number], rows: Rows): tf.Tensor4D {
  const [batch, height, width, channels] = shape
  return tf.tidy(() => {
    const [, newHeight, newWidth] = dy.shape
    const transposed = (from: number, to: number) => {
      const numbers = new Float32Array(from * to)
      rows(from, to).forEach((parts, i) => { for (const [pixel, share] of parts) numbers[pixel * to + i] += share })
      return tf.tensor3d(numbers, [1, from, to])
    }
    const alongWidth = tf.matMul(transposed(width, newWidth), tf.reshape(dy, [batch * newHeight, newWidth, channels]))
    const alongHeight = tf.matMul(transposed(height, newHeight), tf.reshape(alongWidth, [batch, newHeight, width * channels]))
    return tf.reshape(alongHeight, [batch, height, width, channels])
  })
}
