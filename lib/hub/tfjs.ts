import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { GraftError } from '../error.ts'
import { isObject, type Json } from '../save/keras/types.ts'
import { type DenseTensor, numbersOf, sizeOf } from './tensor.ts'
import { safePath } from './unpack.ts'

/** A TensorFlow.js model as its files hold it: the topology's JSON, and the weights by name. */
export interface TfjsModel {
  folder: string
  format: 'graph' | 'layers'
  /** `model.json` as a whole. */
  json: { [key: string]: Json }
  topology: { [key: string]: Json }
  weights: Map<string, DenseTensor>
}

/** One weight as the manifest describes it. */
interface WeightSpec {
  name: string
  shape: number[]
  dtype: string
  quantization?: { dtype: string, scale?: number, min?: number }
}

/** More bytes than this in a `model.json` is no topology. */
const largestJson = 2 ** 28

/**
 * Reads `folder/model.json` and the weight files beside it that it names. Weights that were quantized to 8 or 16 bits (`affine`:
 * `value × scale + min`) or halved to float16 are floats again.
 *
 * Source: the TensorFlow.js model formats (tfjs-core `io/types.ts`, tfjs-converter's `docs/`).
 *
 * @throws GraftError for files that are missing, cut off or of an older format
 */
export async function readTfjs(folder: string): Promise<TfjsModel> {
  const file = join(folder, 'model.json'), json = await readJson(file)
  const topology = json.modelTopology
  if (!isObject(topology)) {
    throw damaged(file, Array.isArray(json)
      ? 'it is a weights manifest of an older format; convert the model anew with tensorflowjs_converter'
      : 'it holds no modelTopology')
  }
  const format = json.format === 'graph-model' || Array.isArray(topology.node) ? 'graph' : 'layers'
  if (format === 'graph' && !Array.isArray(topology.node)) throw damaged(file, 'its graph holds no operations')
  return { folder, format, json, topology, weights: await readWeights(folder, file, json.weightsManifest) }
}

async function readJson(file: string): Promise<{ [key: string]: Json }> {
  const bytes = await readFile(file).catch((error: Error) => { throw damaged(file, error.message) })
  if (bytes.length > largestJson) throw damaged(file, `it is ${bytes.length} bytes long`)
  try {
    const value = JSON.parse(bytes.toString('utf8')) as Json
    if (typeof value === 'object' && value !== null) return value as { [key: string]: Json }
  } catch {
    // What is no JSON is said below.
  }
  throw damaged(file, 'it is no JSON')
}

async function readWeights(folder: string, file: string, manifest: Json | undefined): Promise<Map<string, DenseTensor>> {
  const weights = new Map<string, DenseTensor>()
  if (!Array.isArray(manifest)) throw damaged(file, 'it has no weightsManifest')
  for (const group of manifest) {
    if (!isObject(group) || !Array.isArray(group.paths) || !Array.isArray(group.weights)) throw damaged(file,
      'its weightsManifest is broken')
    const bytes = await shards(folder, file, group.paths.map(String))
    let at = 0
    for (const entry of group.weights) {
      const spec = checked(entry, file), stored = spec.quantization?.dtype ?? spec.dtype, width = widths[stored]
      const count = sizeOf(spec.shape), length = stored === 'string' ? stringsLength(bytes, at, count) : width * count
      if (!(length >= 0)) throw damaged(file, `weight '${spec.name}' has elements of type ${stored}, which is unknown`)
      if (at + length > bytes.length) throw damaged(file,
        `its shards are cut off: weight '${spec.name}' ends at byte ${at + length} of ${bytes.length}`)
      weights.set(spec.name, tensorOf(spec, stored, bytes.subarray(at, at + length), count))
      at += length
    }
    if (at !== bytes.length) throw damaged(file, `its shards hold ${bytes.length} bytes, its weights ${at}`)
  }
  return weights
}

async function shards(folder: string, file: string, paths: string[]): Promise<Uint8Array> {
  const parts: Buffer[] = []
  for (const path of paths) {
    parts.push(await readFile(join(folder, safePath(path, folder))).catch((error: NodeJS.ErrnoException) => {
      if (error instanceof GraftError) throw error
      throw damaged(file, `its shard ${path} ${error.code === 'ENOENT' ? 'is missing' : `cannot be read (${error.message})`}`)
    }))
  }
  return parts.length === 1 ? parts[0] : Buffer.concat(parts)
}

/** Bytes of an element; `complex64` and others are not found in image models. */
const widths: Record<string, number> = { float32: 4, int32: 4, bool: 1, uint8: 1, uint16: 2, float16: 2 }

function checked(value: Json, file: string): WeightSpec {
  const sound = isObject(value) && typeof value.name === 'string' && typeof value.dtype === 'string'
    && Array.isArray(value.shape) &&
    value.shape.every(size => Number.isSafeInteger(size) && (size as number) >= 0)
  if (!sound) throw damaged(file, `its weightsManifest holds ${JSON.stringify(value)?.slice(0, 80)}`)
  return value as unknown as WeightSpec
}

/** Texts lie one after the other, each behind its length. */
function stringsLength(bytes: Uint8Array, start: number, count: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = start
  for (let i = 0; i < count && at + 4 <= bytes.length; i++) at += 4 + view.getUint32(at, true)
  return at - start
}

function tensorOf({ shape, dtype, quantization }: WeightSpec, stored: string, bytes: Uint8Array, count: number): DenseTensor {
  if (stored === 'string') return { dtype: 'string', shape, data: new Uint8Array() }
  if (!quantization) return { dtype, shape, data: numbersOf(stored, bytes, count) }
  if (stored === 'float16') return { dtype: 'float32', shape, data: numbersOf('float16', bytes, count) }
  const { scale = 1, min = 0 } = quantization
  const numbers = stored === 'uint16' ? new Uint16Array(new Uint8Array(bytes).buffer) : bytes
  const data = dtype === 'int32' ? Int32Array.from(numbers, q => Math.round(q * scale + min)) : Float32Array.from(numbers, q =>
    q * scale + min)
  return { dtype, shape, data }
}

const damaged = (file: string, what: string) =>
  new GraftError(`${file} is damaged or no TensorFlow.js model: ${what}. Download it anew, or open an intact copy with hub.load('./folder').`)
