import type { LayersModel, layers, Tensor } from '@tensorflow/tfjs'
import { tf } from '../tf.ts'
import { isModel, layerName } from './keras/encode.ts'

/** One weight as a file holds it: its path (`dense/kernel`), shape, and numbers. */
export interface Weight {
  path: string
  shape: number[]
  data: Float32Array<ArrayBuffer>
}

/** A layer and its weights, in the order in which Keras's `.h5` has them: trainable ones, then the rest. */
export interface LayerWeights {
  layer: string
  weights: Weight[]
}

type Variable = layers.Layer['weights'][number]

/**
 * Reads all weights of a model. The values are those of one moment, even while the model trains on: they are fixed before the first
 * wait for the backend.
 */
export async function weightsOf(model: LayersModel): Promise<LayerWeights[]> {
  const found = model.layers.map(layer => ({
    layer: layerName(layer.name),
    weights: kerasOrder(layer).map(({ path, weight }) => ({ path, tensor: tf.clone(weight.read()) })),
  }))
  try {
    const result: LayerWeights[] = []
    for (const { layer, weights } of found) {
      result.push({ layer, weights: distinct(await Promise.all(weights.map(async ({ path, tensor }) => ({ path, shape: tensor.shape, data: await floats(tensor) })))) })
    }
    return result
  } finally {
    for (const { weights } of found) tf.dispose(weights.map(({ tensor }) => tensor))
  }
}

export interface Named { path: string, weight: Variable }

/** The weights of a layer, or of a model used as one, in the order of Keras: all that can be trained now, then the rest. */
export function kerasOrder(layer: layers.Layer): Named[] {
  const trained: Named[] = [], rest: Named[] = []
  const visit = (each: layers.Layer, folder: string, mayTrain: boolean) => {
    const trains = mayTrain && each.trainable
    if (isModel(each)) {
      for (const inner of each.layers) visit(inner, each === layer ? '' : `${folder}${layerName(each.name)}/`, trains)
      return
    }
    const name = (weight: Variable) => ({ path: folder + weightPath(each, weight), weight })
    trained.push(...(trains ? each.trainableWeights : []).map(name))
    rest.push(...(trains ? each.nonTrainableWeights : each.weights).map(name))
  }
  visit(layer, '', true)
  return [...trained, ...rest]
}

const floats = async (tensor: Tensor): Promise<Float32Array<ArrayBuffer>> => new Float32Array(await tensor.data())

/** `conv2d_1/kernel`: the layer's name as Keras allows it, then the weight's own. */
function weightPath(layer: layers.Layer, weight: Variable): string {
  const name = (weight as Variable & { originalName?: string }).originalName ?? weight.name
  const own = name.startsWith(`${layer.name}/`) ? name.slice(layer.name.length + 1) : name
  return `${layerName(layer.name)}/${own.split('/').filter(part => part !== '' && part !== '.').join('/') || 'weight'}`
}

/** Two weights of one layer may carry one name; in a file each has its own. */
function distinct(weights: Weight[]): Weight[] {
  const taken = new Set<string>()
  return weights.map(weight => {
    let path = weight.path
    for (let n = 1; taken.has(path); n++) path = `${weight.path}_${n}`
    taken.add(path)
    return { ...weight, path }
  })
}
