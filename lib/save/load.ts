import { open } from 'node:fs/promises'
import { extname } from 'node:path'
import type { LayersModel, layers } from '@tensorflow/tfjs'
import { setCard, type ModelCard } from '../card.ts'
import { didYouMean, GraftError } from '../error.ts'
import { host } from '../host.ts'
import { tf } from '../tf.ts'
import { fingerprint, getNames } from './h5.ts'
import { Hdf5Error, unpackHdf5 } from './hdf5/index.ts'
import { find, type Dataset, type Group } from './hdf5/tree.ts'
import { fromKeras } from './keras/decode.ts'
import { isObject, type Json, type Writer } from './keras/types.ts'
import { toFloats } from './numbers.ts'
import { kerasOrder } from './weights.ts'

/**
 * Loads a model from a file of Keras 3, Keras 2 (tf_keras), TensorFlow.js or Graft. The extension names the format: `.h5`.
 * A file that {@link save} wrote also brings the model's card, so that `predict(model, file)` works at once.
 *
 * What TensorFlow.js would compute otherwise than Keras is refused, by layer, key and value. Code in a file is never run.
 * Throws a GraftError for a missing, damaged or foreign file.
 *
 * @example
 * const model = await load('custom_mobilenet_feature_extraction.h5')
 */
export async function load(path: string): Promise<LayersModel> {
  const { signal } = host()
  const bytes = await readFile(path)
  const root = await unpackHdf5(bytes, { signal }).catch(error => {
    throw error instanceof Hdf5Error ? new GraftError(`cannot load ${path}: ${damage(error.message)}`, { cause: error }) : error
  })
  try {
    return build(root)
  } catch (error) {
    const reason = (error as Error).message
    throw new GraftError(`cannot load ${path}: ${error instanceof GraftError ? reason : `the file is damaged (${reason}).`}`, { cause: error })
  }
}

const magic = Buffer.from('\x89HDF\r\n\x1a\n', 'latin1')

async function readFile(path: string): Promise<Uint8Array<ArrayBuffer>> {
  if (typeof path !== 'string' || extname(path).toLowerCase() !== '.h5') {
    const extension = extname(String(path))
    throw new GraftError(`cannot load ${String(path)}: ${extension ? `unknown extension '${extension}'.${didYouMean(extension, ['.h5'])}` : 'the name has no extension.'} Known: .h5 (Keras).`)
  }
  let file
  try {
    file = await open(path)
    const stat = await file.stat()
    if (stat.isDirectory()) throw new GraftError(`cannot load ${path}: it is a folder, not a file.`)
    const bytes = new Uint8Array(stat.size)
    for (let at = 0, read = 1; at < bytes.byteLength && read; at += read) {
      read = (await file.read(bytes, at, Math.min(1 << 30, bytes.byteLength - at), at)).bytesRead
    }
    if (!magic.equals(bytes.subarray(0, 8))) throw new GraftError(`cannot load ${path}: it is ${bytes.length ? 'not an HDF5 file' : 'empty'}. A Keras .h5 file begins with the bytes 89 48 44 46.`)
    return bytes
  } catch (error) {
    if (error instanceof GraftError) throw error
    const { code } = error as NodeJS.ErrnoException
    const why = code === 'ENOENT' ? 'there is no such file' : code === 'EACCES' ? 'no permission to read it' : (error as Error).message
    throw new GraftError(`cannot load ${path}: ${why}.`, { cause: error })
  } finally {
    await file?.close()
  }
}

/** HDF5's stack of errors in a sentence: its innermost cause. */
function damage(message: string): string {
  const causes = [...message.matchAll(/: ([^:\n]+)\n\s+major/g)].map(([, cause]) => cause)
  return `the file is damaged or incomplete (${causes.at(-1) ?? message.split('\n')[0]}). Save or copy it again.`
}

function build(root: Group): LayersModel {
  const graft = parse(root.attributes.get('graft'))
  const text = root.attributes.get('model_config')
  if (text === undefined) {
    const weightsOnly = getNames(root, 'layer_names') || root.groups.has('layers')
    throw new GraftError(weightsOnly
      ? 'it holds weights alone, without the model they belong to. Save the whole model (model.save), not its weights.'
      : 'it is an HDF5 file, but not a Keras model: it has no model_config.')
  }
  const config = parse(text)
  if (!isObject(config)) throw new GraftError('its model_config is not JSON. The file is damaged.')
  const model = fromKeras(config, writerOf(root, graft), countNumbers(root))
  try {
    const stored = root.groups.get('model_weights') ?? root
    setWeights(model, stored)
    if (isObject(graft)) checkFingerprint(graft, stored)
  } catch (error) {
    model.dispose()
    throw error
  }
  if (isObject(graft) && isObject(graft.card)) setCard(model, graft.card as unknown as ModelCard)
  return model
}

const countNumbers = ({ groups, datasets }: Group): number =>
  [...datasets.values()].reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), [...groups.values()].reduce((sum, each) => sum + countNumbers(each), 0))

function parse(text: unknown): Json | undefined {
  try {
    return typeof text === 'string' ? JSON.parse(text) as Json : undefined
  } catch {
    return undefined
  }
}

function writerOf(root: Group, graft: Json | undefined): Writer {
  if (isObject(graft)) return graft.readers === 'keras3' ? 'keras3' : 'keras2'
  const version = String(root.attributes.get('keras_version') ?? root.groups.get('model_weights')?.attributes.get('keras_version') ?? '')
  return /^[3-9]/.test(version) ? 'keras3' : 'keras2'
}

type Layer = layers.Layer

function setWeights(model: LayersModel, stored: Group): void {
  const names = getNames(stored, 'layer_names')
  if (!names) throw new GraftError('it lists no layers (layer_names). The file is damaged.')
  const filled = names.map(name => ({ name, weights: layerWeights(stored, name) })).filter(({ weights }) => weights.length > 0)
  const layers = model.layers.filter(layer => layer.weights.length > 0)
  if (filled.length !== layers.length) throw new GraftError(`it holds weights for ${filled.length} layers, but its model has ${layers.length} layers with weights.`)
  layers.forEach((layer, i) => setLayerWeights(layer, filled[i].name, filled[i].weights))
}

interface Stored { path: string, dataset: Dataset }

function layerWeights(stored: Group, layer: string): Stored[] {
  let at: Group | undefined = stored
  for (const part of layer.split('/')) at = at?.groups.get(part)
  if (!at) throw new GraftError(`it holds no weights for layer '${layer}'. The file is damaged.`)
  return (getNames(at, 'weight_names') ?? []).map(path => {
    const dataset = find(at, path)
    if (!dataset) throw new GraftError(`it lacks the weight '${path}' of layer '${layer}'. The file is damaged.`)
    return { path, dataset }
  })
}

function setLayerWeights(layer: Layer, name: string, stored: Stored[]): void {
  const wanted = kerasOrder(layer)
  if (wanted.length !== stored.length) {
    throw new GraftError(`layer '${name}' has ${stored.length} weights in the file (${stored.map(({ path }) => path).join(', ')}), but ${wanted.length} here.`)
  }
  const values = wanted.map(({ weight }, i) => {
    const { path, dataset } = stored[i]
    if (weight.shape.join() !== dataset.shape.join()) {
      throw new GraftError(`weight '${path}' of layer '${name}' is [${dataset.shape}] in the file, but [${weight.shape}] here.`)
    }
    return tf.tensor(toFloats(dataset), dataset.shape, 'float32')
  })
  // Written to the variable itself: `write` would apply the weight's constraint to what was saved.
  wanted.forEach(({ weight }, i) => (weight as unknown as { val: tf.Variable }).val.assign(values[i]))
  tf.dispose(values)
}

/** A file of ours tells when its weights are no longer those that were saved. */
function checkFingerprint(graft: { [key: string]: Json }, stored: Group): void {
  if (typeof graft.weights !== 'string') return
  const layers = (getNames(stored, 'layer_names') as string[]).map(layer => ({
    layer, weights: layerWeights(stored, layer).map(({ path, dataset }) => ({ path, shape: dataset.shape, data: toFloats(dataset) })),
  }))
  if (fingerprint(layers) !== graft.weights) throw new GraftError('its weights are not those that were saved: the file was changed or damaged. Save or copy it again.')
}
