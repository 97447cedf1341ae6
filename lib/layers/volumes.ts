import * as tf from '@tensorflow/tfjs'
import { apart } from './slices.ts'

type Sides = number[]
interface Conv3DAttributes { strides: number | Sides, pad: 'same' | 'valid' }

/** Three numbers for the three sides. */
const three = (value: number | Sides): Sides => typeof value === 'number' ? [value, value, value] : value

/**
 * The transposed convolution of volumes: what carries a gradient back through `tf.conv3d`, from `y` to a volume of the given
 * sides. The kernel is [depth, height, width, channels there, channels of y]. It is the convolution, with the kernel turned
 * round, of `y` with zeros between its entries.
 */
export function transposed3d(y: tf.Tensor, kernel: tf.Tensor, sides: Sides, strides: Sides, pad: 'same' | 'valid'): tf.Tensor {
  return tf.tidy(() => {
    const spread = strides.reduce((wide, stride, d) => apart(wide, d + 1, stride), y)
    const around = sides.map((size, d): [number, number] => {
      const window = kernel.shape[d]!, covered = (y.shape[d + 1]! - 1) * strides[d] + window
      const before = window - 1 - (pad === 'same' ? Math.floor(Math.max(0, covered - size) / 2) : 0)
      return [before, size + window - 1 - spread.shape[d + 1]! - before]
    })
    const turned = tf.transpose(tf.reverse(kernel, [0, 1, 2]), [0, 1, 2, 4, 3]) as tf.Tensor5D
    return tf.conv3d(tf.pad(spread, [[0, 0], ...around, [0, 0]]) as tf.Tensor5D, turned, 1, 'valid')
  })
}

/** The gradient of a convolution of volumes for its input, which the WASM engine of TensorFlow.js gets wrong. */
export function repairVolumes(): void {
  const original = tf.getGradient('Conv3D')!
  tf.registerGradient({
    ...original,
    gradFunc: (dy, saved, attributes) => {
      const { strides, pad } = attributes as unknown as Conv3DAttributes, [x, kernel] = saved
      const sides = x.shape.slice(1, 4)
      return {
        ...original.gradFunc(dy, saved, attributes),
        x: () => transposed3d(dy as tf.Tensor, kernel, sides, three(strides), pad),
      }
    },
  })
}
