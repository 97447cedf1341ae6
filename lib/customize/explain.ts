import type * as tfTypes from '@tensorflow/tfjs'
import { GraftError } from '../error.ts'

const spatial = /(Conv2D|Conv2DTranspose|Pooling2D|UpSampling2D|ZeroPadding2D|Cropping2D)$/

interface Checked {
  assertInputCompatibility(inputs: unknown): void
  computeOutputShape(shape: (number | null)[]): (number | null)[]
  getClassName(): string
  name: string
}

/** Symbols of TensorFlow.js whose layers explain a wrong input; see {@link explainShapes}. */
const explained = new WeakSet<object>()

/**
 * Makes a layer that needs a height and a width say what is wrong where it gets a feature vector: the commonest mistake in taking
 * a hub model apart, as most end in their pooling. And where its window is larger than the map, as Keras does: TensorFlow.js
 * would go on with maps of no pixels, whose gradients write into memory that is not theirs. Calling it again does nothing.
 */
export function explainShapes(tf: typeof tfTypes): void {
  const prototype = tf.layers.Layer.prototype as unknown as Checked
  if (explained.has(prototype)) return
  explained.add(prototype)
  const check = prototype.assertInputCompatibility
  prototype.assertInputCompatibility = function (inputs) {
    const [input] = [inputs].flat() as { shape?: (number | null)[] }[]
    const kind = this.getClassName(), shape = input?.shape
    if (shape?.length === 2 && spatial.test(kind)) {
      throw new GraftError(`the layer '${this.name}' (${kind}) needs a feature map [batch, height, width, channels]; ` +
        `it received [${words(shape)}], a feature vector, which has no height and width any more. ` +
        "Build on the layer before the pooling: tap(base, 'last feature map').")
    }
    check.call(this, inputs)
    if (shape?.length !== 4 || !('sourceLayer' in input) || !spatial.test(kind)) return
    const given = this.computeOutputShape(shape)
    if (given.length === 4 && given.some(side => side !== null && side <= 0)) {
      throw new GraftError(`the layer '${this.name}' (${kind}) has a window larger than what it gets: [${words(shape)}] would become ` +
        `[${words(given)}]. Take padding: 'same', a smaller window, larger images, or an earlier map: tap(base, { stride: 16 }).`)
    }
  }
}

const words = (shape: (number | null)[]) => shape.map(n => n ?? 'batch').join(', ')
