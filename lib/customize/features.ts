import type { LayersModel } from '@tensorflow/tfjs'
import type { ImageSet } from '../data/set.ts'
import { tf } from '../tf.ts'
import { Feeder, turn } from '../train/features.ts'
import { borrowPrefix } from '../train/prefixes.ts'

/**
 * What a frozen model gives for images, one vector each, maps averaged. They go to the same cache as in training, so that a
 * feature extraction afterwards need not compute them again.
 */
export async function featuresFor(model: LayersModel, set: ImageSet, indices: number[],
  signal: AbortSignal): Promise<Float32Array[]> {
  const { prefix, release } = borrowPrefix(model), rows: Float32Array[] = []
  try {
    const feeder = new Feeder(model, prefix)
    for (let at = 0; at < indices.length; at += 16) {
      signal.throwIfAborted()
      const some = indices.slice(at, at + 16), inputs = await feeder.inputs(set, some)
      const features = tf.tidy(() => {
        const output = feeder.rest.apply(inputs, { training: false }) as tf.Tensor
        return output.shape.length === 4 ? output.mean([1, 2]) : output.clone()
      })
      const values = await features.data() as Float32Array, size = values.length / some.length
      some.forEach((_, i) => rows.push(values.slice(i * size, (i + 1) * size)))
      tf.dispose([features, inputs])
      await turn()
    }
  } finally {
    await release()
  }
  return rows
}
