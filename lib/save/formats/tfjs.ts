import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { LayersModel } from '@tensorflow/tfjs'
import { leaves } from '../../customize/layers.ts'
import { addedLayers } from '../../layers/repair.ts'
import { GraftError } from '../../error.ts'
import { tf } from '../../tf.ts'
import type { Parts } from '../disk.ts'
import { bytesOf, type Dataset, type DType } from '../hdf5/tree.ts'
import { fromKeras } from '../keras/decode.ts'
import { toKeras } from '../keras/encode.ts'
import { camel } from '../keras/layers.ts'
import { isObject, type Json, type KerasObject } from '../keras/types.ts'
import { applyNote, makeNote, parse, readNote } from '../note.ts'
import { resume } from '../training/resume.ts'
import { compileAsTfjs, fromTfjs, toTfjs } from '../training/tfjs.ts'
import { h5Places, readState, readWeights, setWeights } from '../weights.ts'
import type { Format } from './format.ts'

/** Browsers keep files of this size in their caches. */
const shardSize = 4 << 20

/** One entry of the manifest: a tensor, in the order of the bytes. */
interface Spec {
  name: string
  shape: number[]
  dtype: DType
  group?: 'model' | 'optimizer'
}

/**
 * The folder that TensorFlow.js loads in a browser (`tf.loadLayersModel`): `model.json` with the configuration in Keras 2's form,
 * and the numbers in shards of 4 MB. A shard's name tells its content, so that a new model never changes a shard that the old
 * `model.json` names; that one is written last.
 */
export const tfjs: Format = {
  extension: '.json',
  what: 'TensorFlow.js',
  async encode(model, { path }) {
    const state = await readState(model, h5Places(model)), stem = basename(path).replace(/\.json$/i, '')
    const training = state.training && toTfjs(state.training, model)
    const specs: Spec[] = [], pieces: Uint8Array[] = []
    const add = (name: string, shape: number[], data: Float32Array | Int32Array, group?: 'optimizer') => {
      specs.push({ name, shape, dtype: data instanceof Int32Array ? 'int32' : 'float32', ...group && { group } })
      pieces.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    }
    for (const { weights } of state.layers) for (const { path, shape, data } of weights) add(path, shape, data)
    for (const { name, shape, data } of training?.weights ?? []) add(name, shape, data, 'optimizer')
    const shards = cut(pieces, shardSize)
    const names = shards.map((shard, i) => `${stem}-${hash(shard)}-${i + 1}of${shards.length}.bin`)
    const text = JSON.stringify({
      format: 'layers-model', generatedBy: `TensorFlow.js tfjs-layers v${tf.version['tfjs-layers']}`, convertedBy: 'graft',
      modelTopology: { keras_version: `tfjs-layers ${tf.version['tfjs-layers']}`, backend: 'tensor_flow.js',
        ...toKeras(model, 'tf_keras') },
      weightsManifest: [{ paths: names, weights: specs }],
      ...training?.config && { trainingConfig: training.config },
      userDefinedMetadata: { graft: makeNote(model, 'tf_keras', state) },
    })
    return {
      parts: [new Uint8Array(Buffer.from(text, 'utf8'))],
      weights: state.layers,
      beside: new Map(names.map((name, i) => [name, shards[i]])),
      obsolete: name => name.startsWith(`${stem}-`) && /^-[0-9a-f]{16}-\d+of\d+\.bin$/.test(name.slice(stem.length)),
      check: async () => undefined,
      words: wordsFor(model, training !== undefined || !state.training),
    }
  },
  async decode(bytes, { path }) {
    const json = parse(Buffer.from(bytes).toString('utf8'))
    if (!isObject(json)) throw new GraftError('it is not JSON. The file is damaged.')
    if (json.format === 'graph-model') {
      throw new GraftError('it is a graph of operations, not layers. hub.load(folder) lifts what TensorFlow.js converted so.')
    }
    if (!isObject(json.modelTopology))
      throw new GraftError('it holds no model (modelTopology). Is it the model.json of TensorFlow.js?')
    // The converter of TensorFlow.js keeps Keras's whole description.
    const topology = json.modelTopology, config = isObject(topology.model_config) ? topology.model_config : topology
    const tensors = await readManifest(json.weightsManifest, dirname(path))
    const note = readNote(JSON.stringify(isObject(json.userDefinedMetadata) ? json.userDefinedMetadata.graft ?? null : null))
    const keras3 = !note && /^[3-9]/.test(String(topology.keras_version ?? ''))
    const numbers = [...tensors.model.values()].reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0)
    const model = fromKeras(config as KerasObject, keras3 ? 'keras3' : 'keras2', numbers)
    try {
      fill(model, tensors.model)
      if (note) {
        const stored = await readWeights(model, h5Places(model))
        applyNote(note, model, () => stored)
      }
      if (!note && await compileAsTfjs(model, json.trainingConfig, tensors.optimizer)) return model
      const training = fromTfjs(json.trainingConfig, tensors.optimizer, model)
      await resume(model, note, training?.config ?? topology.training_config, training?.vars, 'tf_keras')
      return model
    } catch (error) {
      model.dispose()
      throw error
    }
  },
}

/** Layers that TensorFlow.js alone lacks, or computes otherwise; lib/layers mends them here. */
function wordsFor(model: LayersModel, trains: boolean): [string, string][] {
  const alone = leaves(model).filter(layer => {
    const config = layer.getConfig() as Record<string, unknown>, kind = layer.getClassName()
    const { interpolation, alpha, negativeSlope, threshold, keepdims, groups = 1, outputPadding, resetAfter, padding } = config
    return addedLayers().has(kind) || addedLayers().has(camel(String(config.activation))) || negativeSlope || threshold || keepdims
      || groups !== 1 || outputPadding || resetAfter || padding === 'causal' || (kind === 'ELU' && alpha !== 1)
      || (interpolation && interpolation !== 'nearest')
  }).map(({ name }) => name)
  return [
    ...alone.length ? [['TF.js', `loads here; TensorFlow.js alone does not know ${alone.length > 3
      ? `${alone.slice(0, 3).join(', ')} and ${alone.length - 3} more` : alone.join(', ')}`] as [string, string]] : [],
    ...trains ? [] : [['Training', 'goes on here; TensorFlow.js alone lacks the optimizer'] as [string, string]],
  ]
}

/** Bytes cut into shards, each in the pieces it is made of. */
function cut(pieces: Uint8Array[], size: number): Parts[] {
  const shards: Parts[] = []
  let room = 0
  for (const piece of pieces) {
    for (let at = 0; at < piece.byteLength;) {
      if (room === 0) {
        shards.push([])
        room = size
      }
      const part = piece.subarray(at, at + room)
      shards.at(-1)!.push(part)
      at += part.byteLength
      room -= part.byteLength
    }
  }
  return shards
}

function hash(parts: Parts): string {
  const sum = createHash('sha256')
  for (const part of parts) sum.update(part)
  return sum.digest('hex').slice(0, 16)
}

/** The tensors of a manifest by name: the model's, and the optimizer's. */
export async function readManifest(manifest: Json | undefined, folder: string) {
  const tensors = { model: new Map<string, Dataset>(), optimizer: new Map<string, Dataset>(), shards: 0 }
  if (!Array.isArray(manifest)) throw new GraftError('it lists no weights (weightsManifest). The file is damaged.')
  for (const group of manifest) {
    if (!isObject(group) || !Array.isArray(group.paths) || !Array.isArray(group.weights))
      throw new GraftError('its list of weights cannot be read. The file is damaged.')
    const shards = await Promise.all(group.paths.map(path => readShard(folder, path)))
    tensors.shards += shards.length
    const whole = new Uint8Array(shards.reduce((sum, { byteLength }) => sum + byteLength, 0))
    let at = 0
    for (const shard of shards) {
      whole.set(shard, at)
      at += shard.byteLength
    }
    at = 0
    for (const spec of group.weights) {
      const { dataset, bytes } = readSpec(spec, whole, at)
      const name = String((spec as { name: Json }).name)
      tensors[(spec as { group?: Json }).group === 'optimizer' ? 'optimizer' : 'model'].set(name, dataset)
      at += bytes
    }
    if (at !== whole.byteLength) throw new GraftError(`its shards hold ${whole.byteLength} bytes, but its weights take ${at}.`)
  }
  return tensors
}

/** A shard lies in the folder itself: a path in a file leads nowhere else. */
async function readShard(folder: string, path: Json): Promise<Buffer> {
  if (typeof path !== 'string' || basename(path) !== path || path === '' || path.startsWith('.'))
    throw new GraftError(`it names a shard ${JSON.stringify(path)}, which does not lie beside it.`)
  const file = await open(join(folder, path)).catch((error: NodeJS.ErrnoException) => {
    throw new GraftError(error.code === 'ENOENT' ? `the shard ${path} is missing beside it. Copy the whole folder.`
      : `the shard ${path} cannot be read: ${error.message}.`)
  })
  try {
    const info = await file.stat()
    if (!info.isFile()) throw new GraftError(`the shard ${path} is no file.`)
    const bytes = Buffer.alloc(info.size)
    for (let at = 0, read = 1; read > 0 && at < bytes.length; at += read) {
      read = (await file.read(bytes, at, Math.min(1 << 30, bytes.length - at), at)).bytesRead
    }
    return bytes
  } finally {
    await file.close()
  }
}

function readSpec(spec: Json, whole: Uint8Array<ArrayBuffer>, at: number): { dataset: Dataset; bytes: number } {
  const { name, shape, dtype, quantization } = isObject(spec) ? spec : {}
  const sides = Array.isArray(shape) && shape.every(side => Number.isSafeInteger(side) && (side as number) >= 0)
    ? shape as number[] : null
  if (typeof name !== 'string' || !sides || typeof dtype !== 'string')
    throw new GraftError(`a weight in its list cannot be read: ${JSON.stringify(spec)?.slice(0, 200)}.`)
  const packed = isObject(quantization) ? quantization : undefined
  const kind = String(packed?.dtype ?? dtype) as DType
  if (!(kind in bytesOf)) throw new GraftError(`the weight '${name}' is of type ${kind}, which cannot be read.`)
  const count = sides.reduce((a, b) => a * b, 1), bytes = count * bytesOf[kind]
  if (!(at + bytes <= whole.byteLength))
    throw new GraftError(`the weight '${name}' [${sides}] ends beyond its shards. Copy the folder again.`)
  const data = whole.slice(at, at + bytes)
  if (!packed || kind === 'float16') return { dataset: { shape: sides, dtype: kind, data }, bytes }
  // The converter's affine quantization: value = integer · scale + min.
  const { scale, min } = packed
  if (typeof scale !== 'number' || typeof min !== 'number' || (kind !== 'uint8' && kind !== 'uint16'))
    throw new GraftError(`the weight '${name}' is quantized in a way that cannot be read: ${JSON.stringify(packed)}.`)
  const values = Float32Array.from(kind === 'uint8' ? data : new Uint16Array(data.buffer), value => value * scale + min)
  return { dataset: { shape: sides, dtype: 'float32', data: new Uint8Array(values.buffer) }, bytes }
}

/** By name where all names are there, as TensorFlow.js does it. */
function fill(model: LayersModel, tensors: Map<string, Dataset>): void {
  const places = h5Places(model), own = (path: string) => tensors.get(path) ?? tensors.get(withoutCell(path))
  const wanted = places.reduce((sum, { weights }) => sum + weights.length, 0)
  if (wanted !== tensors.size) throw new GraftError(`it holds ${tensors.size} weights, but its model has ${wanted}.`)
  for (const { layer, weights } of places) {
    const stored = weights.map(({ path, weight }) => ({ path, dataset: own(path) ?? own(weight.originalName) }))
    const missing = stored.find(({ dataset }) => !dataset)
    if (missing) throw new GraftError(`it lacks the weight '${missing.path}' of layer '${layer}'.`)
    setWeights(layer, weights, stored as { path: string; dataset: Dataset }[])
  }
}

/** Keras puts a cell's name between: `lstm/lstm_cell/kernel`. */
const withoutCell = (path: string): string => path.replace(/^([^/]+)\/[^/]*cell[^/]*\//, '$1/')
