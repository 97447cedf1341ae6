import type { LayersModel } from '@tensorflow/tfjs'
import { leaves } from '../customize/layers.ts'
import { didYouMean, GraftError } from '../error.ts'
import { fromKeras } from '../save/keras/decode.ts'
import { isObject } from '../save/keras/types.ts'
import { tf } from '../tf.ts'
import type { DenseTensor } from './tensor.ts'
import type { TfjsModel } from './tfjs.ts'

/**
 * A TensorFlow.js LayersModel: a Keras model as it was, with the weights of its names (`conv1/kernel`).
 *
 * @throws GraftError where a layer cannot be built, or lacks a weight, or has one of another shape; weights that no layer has are
 *   refused too
 */
export function layersModelOf({ folder, topology, weights }: TfjsModel): LayersModel {
  const config = isObject(topology.model_config) ? topology.model_config : topology
  const numbers = [...weights.values()].reduce((sum, { data }) => sum + data.length, 0)
  const model = fromKeras(config, /^[3-9]/.test(String(topology.keras_version ?? '')) ? 'keras3' : 'keras2', numbers)
  try {
    fill(model, weights, folder)
    return model
  } catch (error) {
    model.dispose()
    throw error
  }
}

function fill(model: LayersModel, weights: Map<string, DenseTensor>, folder: string): void {
  const left = new Set(weights.keys())
  for (const layer of leaves(model)) {
    if (layer.weights.length) tf.tidy(() => layer.setWeights(layer.weights.map(weight => {
      const own = weight.originalName.replace(/_\d+$/, ''), found = stored(weights, layer.name, own)
      if (!found) {
        throw new GraftError(`${folder}/model.json holds no weight '${own}' for layer '${layer.name}'.${didYouMean(own, weights.keys())} ` +
          'It is damaged; open an intact copy with hub.load(\'./folder\').')
      }
      const [name, { shape, data }] = found
      if (String(shape) !== String(weight.shape)) {
        throw new GraftError(`weight '${name}' is [${shape}] in ${folder}/model.json; layer '${layer.name}' expects [${weight.shape}].`)
      }
      left.delete(name)
      return tf.tensor(Float32Array.from(data), shape, 'float32')
    })))
  }
  if (left.size) throw new GraftError(`${folder}/model.json holds weights that no layer has: ${[...left].slice(0, 4).join(', ')}.`)
}

/** A weight by its name, which inside nested models may begin with theirs. */
function stored(weights: Map<string, DenseTensor>, layer: string, own: string): [string, DenseTensor] | null {
  const short = own.slice(own.lastIndexOf('/') + 1)
  for (const name of [own, `${layer}/${short}`]) {
    const found = weights.get(name)
    if (found) return [name, found]
  }
  const end = `/${layer}/${short}`, matches = [...weights].filter(([name]) => name.endsWith(end))
  return matches.length === 1 ? matches[0] : null
}
