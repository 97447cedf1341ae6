import type { LayersModel, SymbolicTensor, Tensor } from '@tensorflow/tfjs'
import type { ImageSet } from '../data/set.ts'
import { turn } from '../train/features.ts'
import { tf } from '../tf.ts'

/** Images that go through the trunk at once. */
const atOnce = 8

/**
 * How far images are from those that a network was trained on, without having those: each BatchNormalization keeps the mean
 * and the spread that its input had in training. The distance is the median over these layers of how far the mean over the
 * given images lies from the mean then, in units of the spread then (per channel; the layer counts with its mean channel).
 *
 * Source: the statistics stand for the training data as in Li et al., "Revisiting Batch Normalization for practical domain
 * adaptation" (2016), and Yin et al., "Dreaming to Distill" (2020).
 *
 * @returns `null` for a network without BatchNormalization at its top level
 */
export async function distance(base: LayersModel, set: ImageSet, indices: number[], signal: AbortSignal): Promise<number | null> {
  const layers = base.layers.filter(layer => layer.getClassName() === 'BatchNormalization' && layer.inboundNodes.length === 1)
  if (layers.length < 2) return null
  const inside = tf.model({ inputs: base.inputs, outputs: layers.map(layer => layer.input as SymbolicTensor) })
  const sums = layers.map(layer => new Float64Array(layer.weights.at(-1)!.shape[0]!))
  for (let at = 0; at < indices.length; at += atOnce) {
    signal.throwIfAborted()
    const some = indices.slice(at, at + atOnce), pixels = await set.pixels(some)
    const means = tf.tidy(() => {
      const x = tf.tensor(pixels, [some.length, ...set.size, set.channels])
      const outputs = [inside.apply(x, { training: false })].flat() as Tensor[]
      return outputs.map(output => output.mean(output.shape.map((_, axis) => axis).slice(0, -1)))
    })
    for (const [i, mean] of means.entries()) (await mean.data()).forEach((value,
      c) => { sums[i][c] += value * some.length / indices.length })
    tf.dispose(means)
    await turn()
  }
  const shifts = layers.map((layer, i) => {
    const [mean, variance] = layer.getWeights().slice(-2).map(weight => weight.dataSync())
    return average(Array.from(sums[i], (value, c) => Math.abs(value - mean[c]) / Math.sqrt(variance[c] + 1e-3)))
  })
  return shifts.sort((a, b) => a - b)[shifts.length >> 1]
}

const average = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
