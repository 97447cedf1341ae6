import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type * as tfTypes from '@tensorflow/tfjs'
import { setCard } from '../card.ts'
import { lift } from '../lift/index.ts'
import { checkOptions } from '../options.ts'
import { nameOf } from './handle.ts'
import { resolve } from './resolve.ts'

export interface LoadOptions {
  /** A new copy with the published weights, instead of the one this handle gave before: the undo of any training. */
  fresh?: boolean
  /** Which of the model's functions; the default is the one meant for reuse (`__call__`). */
  signature?: string
  /** The model's name; by default taken from the handle. */
  name?: string
}

const loaded = new Map<string, Promise<tfTypes.LayersModel>>()

/**
 * Opens a TensorFlow Hub model as a plain layers model: real, named layers with the published weights, which can be taken apart,
 * frozen, trained and saved like any other. TF Hub's image models take pixels in [0, 1]; where the model rescales raw pixels
 * itself, its card says [0, 255].
 *
 * A second call gives the same model, so that what was trained or frozen in one cell is there in the next; `fresh` gives a new
 * copy.
 *
 * @param handle an address on TensorFlow Hub or a mirror (see `GRAFT_HUB_MIRROR`), a local folder, a `file:` address or an
 * archive
 * @throws GraftError for a wrong handle, an unreachable host, a damaged or foreign file, an unknown signature; it says the way
 * out
 * @example
 * const base = await hub.load('https://tfhub.dev/google/tf2-preview/mobilenet_v2/feature_vector/4')
 * base.layers.map(layer => layer.name)
 */
export async function load(handle: string, options: LoadOptions = {}): Promise<tfTypes.LayersModel> {
  checkOptions<LoadOptions>('hub.load', options, { fresh: 'flag', signature: 'text', name: 'text' })
  const { fresh = false, signature, name } = options
  const folder = await resolve(handle)
  const open = () => openModel(handle, folder, signature, name)
  if (fresh) return await open()
  const key = JSON.stringify([folder, await written(folder), signature, name])
  const known = await loaded.get(key)?.catch(() => null)
  if (known && isAlive(known)) return known
  const opening = open()
  loaded.set(key, opening)
  opening.catch(() => loaded.delete(key))
  return await opening
}

async function openModel(
  handle: string,
  folder: string,
  signature: string | undefined,
  name: string | undefined,
): Promise<tfTypes.LayersModel> {
  const { model, report } = await lift(folder, { signature, name: name ?? nameOf(handle) })
  const [, height, width] = model.inputs[0].shape,
    size = height ?? width ?? sizeIn(handle),
    notes = [...report.notes]
  if (report.opaque.length)
    notes.push(`${report.opaque.length} operations without a Keras layer: ${report.opaque.map(({ layer }) => layer).join(', ')}`)
  if (height === null) notes.push(`takes images of any size; ${size} is assumed`)
  setCard(model, { handle, folder, layout: report.layout, size: [height ?? size, width ?? size], range: rangeOf(model), notes })
  return model
}

/** When the files were written, so that a model saved anew is read anew. */
async function written(folder: string): Promise<number[]> {
  const files = ['saved_model.pb', join('variables', 'variables.index')]
  return await Promise.all(files.map(file => stat(join(folder, file)).then(info => info.mtimeMs, () => 0)))
}

function isAlive(model: tfTypes.LayersModel): boolean {
  return model.weights.every(weight => !(weight as unknown as { val: tfTypes.Tensor }).val.isDisposed)
}

/** TF Hub's handles name the size: `mobilenet_v2_100_224`; InceptionV3 is the one that means 299 without saying so. */
function sizeIn(handle: string): number {
  const sizes = [...handle.matchAll(/_(\d{2,3})(?=\D|$)/g)].map(match => Number(match[1])).filter(size => size >= 96)
  return sizes.at(-1) ?? (/inception/i.test(handle) ? 299 : 224)
}

/** Image models on TF Hub take [0, 1]; one that begins by dividing by 255 or 127.5 takes bytes. */
function rangeOf(model: tfTypes.LayersModel): [number, number] {
  const first = model.layers.find(layer => layer.getClassName() === 'Rescaling') as
    { scale?: number; inboundNodes: { inboundLayers: tfTypes.layers.Layer[] }[] } | undefined
  const atInput = first?.inboundNodes[0]?.inboundLayers[0]?.getClassName() === 'InputLayer'
  return atInput && first!.scale! < 0.05 ? [0, 255] : [0, 1]
}
