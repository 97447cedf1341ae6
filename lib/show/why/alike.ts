import type { LayersModel } from '@tensorflow/tfjs'
import { featuresFor } from '../../customize/features.ts'
import { oneLayer, outputOf, type Layer } from '../../customize/layers.ts'
import type { ImageSet } from '../../data/set.ts'
import { host } from '../../host.ts'
import { tf } from '../../tf.ts'

/**
 * The features by which a model's images are compared: `n` rows, maps averaged over their height and width.
 * @param layer by default what the model's last layer is fed with
 */
export function featuresOf(model: LayersModel, set: ImageSet, layer?: string | number | Layer): Promise<Float32Array[]> {
  const outputs = layer === undefined ? beforeLast(model) : outputOf(oneLayer(model, layer))
  const part = tf.model({ inputs: model.inputs, outputs, name: `${model.name}_features` })
  return featuresFor(part, set, Array.from({ length: set.length }, (_, i) => i), host().signal)
}

function beforeLast(model: LayersModel) {
  const last = model.outputs[0].sourceLayer,
    { input } = last
  if (model.layers.length < 2 || Array.isArray(input)) return model.outputs[0]
  // A feature vector has no head: it is itself what one wants to see.
  return /^(Dense|Softmax|Activation)$/.test(last.getClassName()) ? input : model.outputs[0]
}

/** How many of the images have a neighbour of their own class closest, by distance of the features. */
export function neighbourAgreement(rows: Float32Array[], labels: ArrayLike<number>): number {
  const same = rows.filter((row, i) => labels[nearest(rows, row, 1, i)[0]] === labels[i]).length
  return same / rows.length
}

/** The indices of the rows closest to `row` by cosine similarity, the closest first, without `except`. */
export function nearest(rows: Float32Array[], row: Float32Array, most: number, except = -1): number[] {
  const length = (values: Float32Array) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0)) || 1
  const own = length(row)
  const similar = rows.map(
    (other, i) => [i, other.reduce((sum, value, k) => sum + value * row[k], 0) / (own * length(other))] as const,
  )
  return similar
    .filter(([i]) => i !== except)
    .sort((a, b) => b[1] - a[1])
    .slice(0, most)
    .map(([i]) => i)
}
