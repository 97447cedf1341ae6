import type * as tfTypes from '@tensorflow/tfjs'
import { GraftError } from '../error.ts'

const spatial = /(Conv2D|Conv2DTranspose|Pooling2D|UpSampling2D|ZeroPadding2D|Cropping2D)$/

interface Checked { assertInputCompatibility(inputs: unknown): void, getClassName(): string, name: string }

/** Symbols of TensorFlow.js whose layers explain a wrong input; see {@link explainShapes}. */
const explained = new WeakSet<object>()

/**
 * Makes a layer that needs a height and a width say what is wrong where it gets a feature vector: the commonest mistake in taking
 * a hub model apart, as most end in their pooling. Calling it again does nothing.
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
        `it received [${shape.map(n => n ?? 'batch').join(', ')}], a feature vector, which has no height and width any more. ` +
        "Build on the layer before the pooling: tap(base, 'last feature map').")
    }
    check.call(this, inputs)
  }
}
