import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { LayersModel, layers, Tensor, Variable as TensorVariable } from '@tensorflow/tfjs'
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import { GraftError } from '../error.ts'
import { floatsOf } from '../engine/wasm/memory.ts'
import { tf } from '../tf.ts'
import type { Dataset } from './hdf5/tree.ts'
import { isModel, layerName } from './keras/encode.ts'
import { slotsOf } from './keras/slots.ts'
import { shared, toFloats } from './numbers.ts'
import { trainingOf, type TrainingState } from './training/state.ts'

/** One weight as a file holds it: its path (`dense/kernel`), shape, and numbers. */
export interface Weight {
  path: string
  shape: number[]
  data: Float32Array<ArrayBuffer>
}

/** A layer and its weights, in the order in which the file has them. */
export interface LayerWeights {
  layer: string
  weights: Weight[]
}

type Variable = layers.Layer['weights'][number]

/** A weight and the path that it has in a file. */
export interface Named {
  path: string
  weight: Variable
}

/** Where a format puts the weights of a model. */
export type Places = { layer: string; weights: Named[] }[]

/** The places of Keras's `.h5`: by layer, all that can be trained now first, then the rest. */
export const h5Places = (model: LayersModel): Places =>
  model.layers.map(layer => ({ layer: layerName(layer.name), weights: distinct(kerasOrder(layer)) }))

/** The places of Keras 3's `.weights.h5`: numbered, in groups named after the layers' classes. */
export const varsPlaces = (model: LayersModel): Places =>
  slotsOf(model).map(({ path, weights }) => ({ layer: path, weights: weights.map((weight, i) => ({ path: String(i), weight })) }))

/** The numbers of a model: of its weights, and of the training it is in. */
export interface ModelState {
  layers: LayerWeights[]
  training: TrainingState | undefined
}

/**
 * Reads the numbers of all weights, and where training stands. They are those of one moment, even while the model trains on:
 * they are fixed before the first wait for the backend.
 */
export async function readState(model: LayersModel, places: Places): Promise<ModelState> {
  const training = trainingOf(model)
  const found = places.map(({ layer, weights }) => ({
    layer,
    weights: weights.map(({ path, weight }) => ({ path, tensor: tf.clone(weight.read()) })),
  }))
  const slots = (training?.tensors ?? []).map(tensor => tf.clone(tensor))
  try {
    const values = Promise.all(slots.map(floats))
    const layers = await Promise.all(
      found.map(async ({ layer, weights }) => ({
        layer,
        weights: await Promise.all(
          weights.map(async ({ path, tensor }) => ({ path, shape: tensor.shape, data: await floats(tensor) })),
        ),
      })),
    )
    return { layers, training: training?.finish(await values) }
  } finally {
    for (const { weights } of found) tf.dispose(weights.map(({ tensor }) => tensor))
    tf.dispose(slots)
  }
}

/** The numbers of the weights alone. */
export const readWeights = async (model: LayersModel, places: Places): Promise<LayerWeights[]> =>
  (await readState(model, places)).layers

/** Gives one layer's weights their numbers; throws a GraftError where the file's do not fit. */
export function setWeights(layer: string, places: Named[], stored: { path: string; dataset: Dataset }[]): void {
  if (places.length !== stored.length) {
    throw new GraftError(
      `layer '${layer}' has ${stored.length} weights in the file (${stored.map(({ path }) => path).join(', ')}), but ` +
        `${places.length} here.`,
    )
  }
  for (const [i, { weight }] of places.entries()) {
    const { path, dataset } = stored[i]
    if (weight.shape.join() !== dataset.shape.join()) {
      throw new GraftError(`weight '${path}' of layer '${layer}' is [${dataset.shape}] in the file, but [${weight.shape}] here.`)
    }
    const value = tf.tensor(toFloats(dataset), dataset.shape, 'float32')
    // Written to the variable itself: `write` would apply the weight's constraint to what was saved.
    ;(weight as unknown as { val: TensorVariable }).val.assign(value)
    value.dispose()
  }
}

/** The weights of a layer, or of a model used as one, in the order of Keras: all that can be trained now, then the rest. */
function kerasOrder(layer: layers.Layer): Named[] {
  const trained: Named[] = [],
    rest: Named[] = []
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

async function floats(tensor: Tensor): Promise<Float32Array<ArrayBuffer>> {
  const values = new Float32Array(shared(4 * tensor.size)), backend = tf.backend()
  values.set(tf.getBackend() === 'wasm' && backend.refCount(tensor.dataId) > 0
    ? floatsOf(backend as BackendWasm, tensor) : await tensor.data())
  return values
}

/** `conv2d_1/kernel`: the layer's name as Keras allows it, then the weight's own. */
function weightPath(layer: layers.Layer, weight: Variable): string {
  const name = (weight as Variable & { originalName?: string }).originalName ?? weight.name
  const own = name.startsWith(`${layer.name}/`) ? name.slice(layer.name.length + 1) : name
  return `${layerName(layer.name)}/${
    own
      .split('/')
      .filter(part => part !== '' && part !== '.')
      .join('/') || 'weight'
  }`
}

/** Two weights of one layer may carry one name; in a file each has its own. */
function distinct(weights: Named[]): Named[] {
  const taken = new Set<string>()
  return weights.map(({ path: wanted, weight }) => {
    let path = wanted
    for (let n = 1; taken.has(path); n++) path = `${wanted}_${n}`
    taken.add(path)
    return { path, weight }
  })
}

/** Of all weights, their names, shapes and numbers: by it a file that changed after saving is told. */
export function fingerprint(layers: LayerWeights[]): string {
  const sums = layers.flatMap(({ weights }) => weights.map(({ path, shape, data }) =>
    `${path} ${shape.join()} ${crc32(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))}\n`))
  return createHash('sha256').update(sums.join('')).digest('hex')
}
