import * as tf from '@tensorflow/tfjs'
import { OneInput, type LayerConfig } from './one-input.ts'
import { prototypeOf } from './prototype.ts'
import { alongSides, matrixOf, resampled, type Interpolation } from './resampling.ts'

interface UpSampling { size: [number, number], dataFormat: string, interpolation: Interpolation }
interface ResizeAttributes { size: [number, number], alignCorners: boolean, halfPixelCenters: boolean }
type Pair = [number, number]

/**
 * An image of another size, as TensorFlow resizes: the centres of pixels lie at halves, so that the corners of old and new image
 * coincide. Source: `tf.image.resize`.
 */
export function resize(x: tf.Tensor4D, [height, width]: Pair, interpolation: Interpolation, antialias = false): tf.Tensor4D {
  if (interpolation === 'nearest') return tf.image.resizeNearestNeighbor(x, [height, width], false, true)
  if (interpolation === 'bilinear' && !antialias) return tf.image.resizeBilinear(x, [height, width], false, true)
  const along = (from: number, to: number) => matrixOf(resampled(interpolation, from, to, antialias), from)
  return tf.tidy(() => alongSides(x, along(x.shape[1], height), along(x.shape[2], width)))
}

interface ResizingSettings {
  height: number
  width: number
  interpolation: Interpolation
  cropToAspectRatio?: boolean
  padToAspectRatio?: boolean
  antialias?: boolean
  /** What the border is of, where an image is padded to the new aspect ratio. */
  fillValue?: number
}

/** Keras's `Resizing` layer; TensorFlow.js's own takes pixels at their corners. Only settings beyond Keras's defaults are kept. */
export class Resizing extends OneInput<ResizingSettings> {
  static className = 'Resizing'

  constructor(config: LayerConfig<Partial<ResizingSettings> & { height: number, width: number }>) {
    const { height, width, interpolation = 'bilinear', cropToAspectRatio, padToAspectRatio, antialias, fillValue } = config
    super(config, {
      height, width, interpolation, ...cropToAspectRatio && { cropToAspectRatio }, ...padToAspectRatio && { padToAspectRatio },
      ...antialias && { antialias }, ...fillValue && { fillValue },
    })
  }

  protected override compute(input: tf.Tensor): tf.Tensor {
    const { height, width, interpolation, cropToAspectRatio, padToAspectRatio, antialias, fillValue = 0 } = this.settings
    const x = input as tf.Tensor4D, size: Pair = [height, width]
    const shaped = cropToAspectRatio ? cropped(x, size) : padToAspectRatio ? padded(x, size, fillValue) : x
    return resize(shaped, size, interpolation, antialias)
  }

  protected override shapeAfter([batch, , , channels]: tf.Shape): tf.Shape {
    return [batch, this.settings.height, this.settings.width, channels]
  }
}

/** The sides that an image must have for the aspect ratio of a new size, each as long as the other one asks. */
function sidesFor([, height, width]: readonly number[], [newHeight, newWidth]: Pair): Pair {
  const whole = (part: number, by: number) => Math.trunc(Math.fround(Math.fround(part) / by))
  return [whole(width * newHeight, newWidth), whole(height * newWidth, newHeight)]
}

/** The largest part in the middle that has the aspect ratio of the new size. */
export function cropped(x: tf.Tensor4D, size: Pair): tf.Tensor4D {
  const [, height, width] = x.shape, [wantedHeight, wantedWidth] = sidesFor(x.shape, size)
  const high = Math.max(Math.min(height, wantedHeight), 1), wide = Math.max(Math.min(width, wantedWidth), 1)
  return middle(x, high, wide)
}

/** The image with a border, so that it has the aspect ratio of the new size. */
function padded(x: tf.Tensor4D, size: Pair, value: number): tf.Tensor4D {
  const [, height, width] = x.shape, [high, wide] = sidesFor(x.shape, size)
  const rows = Math.max(0, Math.trunc((high - height) / 2)), columns = Math.max(0, Math.trunc((wide - width) / 2))
  return tf.pad(x, [[0, 0], [rows, rows], [columns, columns], [0, 0]], value)
}

/** The middle of an image. */
const middle = (x: tf.Tensor4D, height: number, width: number): tf.Tensor4D =>
  tf.slice(x, [0, Math.trunc((x.shape[1] - height) / 2), Math.trunc((x.shape[2] - width) / 2), 0], [-1, height, width, -1])

interface Size { height: number, width: number }

/** Keras's `CenterCrop`: the middle of an image; of a smaller one as much as has that aspect ratio, resized. */
export class CenterCrop extends OneInput<Size> {
  static className = 'CenterCrop'

  constructor(config: LayerConfig<Size>) {
    super(config, { height: config.height, width: config.width })
  }

  protected override compute(input: tf.Tensor): tf.Tensor {
    const { height, width } = this.settings, x = input as tf.Tensor4D
    return x.shape[1] >= height && x.shape[2] >= width ? middle(x, height, width)
      : resize(cropped(x, [height, width]), [height, width], 'bilinear')
  }

  protected override shapeAfter([batch, , , channels]: tf.Shape): tf.Shape {
    return [batch, this.settings.height, this.settings.width, channels]
  }
}

/** Up-sampling with the pixels' centres where Keras has them, by all its ways, and the gradients of resizing with such centres. */
export function repairResizing(): void {
  const prototype = prototypeOf(tf.layers.upSampling2d({})), call = prototype.call as (inputs: unknown, kwargs: object) => unknown
  const cls = prototype.constructor
  cls.fromConfig = (make: new (config: object) => object, config: { interpolation?: Interpolation }) => {
    const { interpolation = 'nearest' } = config, known = interpolation === 'nearest' || interpolation === 'bilinear'
    return Object.assign(new make(known ? config : { ...config, interpolation: 'nearest' }), { interpolation })
  }
  tf.serialization.registerClass(cls as never)
  prototype.call = function (this: UpSampling, inputs: tf.Tensor | tf.Tensor[], kwargs: object) {
    const first = this.dataFormat === 'channelsFirst', given = (Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor4D
    if (this.interpolation === 'nearest') return call.call(this, inputs, kwargs)
    return tf.tidy(() => {
      const x = first ? tf.transpose(given, [0, 2, 3, 1]) : given
      const large = resize(x, [x.shape[1] * this.size[0], x.shape[2] * this.size[1]], this.interpolation)
      return first ? tf.transpose(large, [0, 3, 1, 2]) : large
    })
  }
  for (const [kernelName, interpolation] of [['ResizeBilinear', 'bilinear'], ['ResizeNearestNeighbor', 'nearest']] as const) {
    const original = tf.getGradient(kernelName)!
    tf.registerGradient({
      ...original,
      gradFunc: (dy, saved, attrs) => {
        if (!(attrs as unknown as ResizeAttributes).halfPixelCenters) return original.gradFunc(dy, saved, attrs)
        return { images: () => spreadBack(dy as tf.Tensor4D, saved[0].shape, interpolation) }
      },
    })
  }
}

/**
 * The gradient of a resized image for the image it was made from: resizing is one small matrix along the height and one along the
 * width, so their transposes carry the gradient back.
 */
function spreadBack(dy: tf.Tensor4D, [, height, width]: number[], interpolation: Interpolation): tf.Tensor4D {
  const back = (from: number, to: number) => matrixOf(resampled(interpolation, from, to, false), from, true)
  return tf.tidy(() => alongSides(dy, back(height, dy.shape[1]), back(width, dy.shape[2])))
}

/** What of a layer's resizing is neither `bilinear` nor `nearest` of the whole image, in words; undefined where it is. */
export function beyondPlain(config: Record<string, unknown>): string | undefined {
  const { interpolation, cropToAspectRatio, padToAspectRatio, antialias } = config
  if (interpolation !== 'bilinear' && interpolation !== 'nearest') return `the interpolation '${interpolation}'`
  if (cropToAspectRatio || padToAspectRatio) return 'resizing that keeps the aspect ratio'
  return antialias ? 'resizing with antialias' : undefined
}
