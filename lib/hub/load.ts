import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type * as tfTypes from '@tensorflow/tfjs'
import { type ModelCard, setCard } from '../card.ts'
import { tellNames } from '../customize/named.ts'
import { lift, type LiftReport, liftGraph } from '../lift/index.ts'
import { checkOptions } from '../options.ts'
import { savedModelOf } from './graph-model.ts'
import { nameOf } from './handle.ts'
import { layersModelOf } from './layers-model.ts'
import { resolve } from './resolve.ts'
import { noteFile } from './saved-model.ts'
import { sizeOfHandle } from './sizes.ts'
import { readTfjs } from './tfjs.ts'
import { kindOfFolder } from './whole.ts'

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
 * frozen, trained and saved like any other. SavedModels of TF2 and TF1 and TensorFlow.js models (graph or layers) open alike. TF
 * Hub's image models take pixels in [0, 1]; where the model rescales raw pixels itself, its card says [0, 255].
 *
 * A second call gives the same model, so that what was trained or frozen in one cell is there in the next; `fresh` gives a new
 * copy.
 *
 * @param handle an address on TensorFlow Hub, Kaggle or a mirror (see `GRAFT_HUB_MIRROR`), kagglehub's short form
 * (`google/mobilenet-v2/tensorFlow2/100-224-feature-vector/2`), the address of an archive or a `model.json`, a local folder or
 * archive, a `file:` address
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

/** A model that was read, and how its files were written. */
interface Opened { model: tfTypes.LayersModel, report: LiftReport & { layout: string } }

async function openModel(
  handle: string,
  folder: string,
  signature: string | undefined,
  name: string | undefined,
): Promise<tfTypes.LayersModel> {
  const options = { signature, name: name ?? nameOf(handle) }
  const { model, report } = await kindOfFolder(folder) === 'TensorFlow.js' ? await openTfjs(folder, options) : await lift(folder,
    options)
  const [, height, width] = model.inputs[0].shape,
    size = height ?? width ?? sizeOfHandle(handle),
    notes = [...report.notes]
  if (report.opaque.length)
    notes.push(`${report.opaque.length} operations without a Keras layer: ${report.opaque.map(({ layer }) => layer).join(', ')}`)
  if (height === null) notes.push(`takes images of any size; ${size} is assumed`)
  setCard(model, { range: rangeOf(model), ...await cardIn(folder), handle, folder, layout: report.layout,
    size: [height ?? size, width ?? size], notes })
  return tellNames(model)
}

async function openTfjs(folder: string, { signature, name }: { signature?: string, name: string }): Promise<Opened> {
  const read = await readTfjs(folder)
  if (read.format === 'layers') {
    const model = layersModelOf(read)
    model.name = name
    return { model, report: { opaque: [], notes: [], layout: 'tfjs layers' } }
  }
  const { model, report } = await liftGraph(savedModelOf(read), null, { signature, name })
  return { model, report: { ...report, layout: 'tfjs graph' } }
}

/** What Graft's own SavedModels tell of their model besides its graph. */
async function cardIn(folder: string): Promise<Partial<Pick<ModelCard, 'range' | 'classes'>>> {
  try {
    const { card } = JSON.parse(await readFile(join(folder, noteFile), 'utf8')) as { card?: Partial<ModelCard> | null }
    const range = card?.range, classes = card?.classes
    return {
      ...Array.isArray(range) && range.length === 2 && range.every(Number.isFinite) && { range },
      ...Array.isArray(classes) && classes.every(name => typeof name === 'string') && { classes },
    }
  } catch {
    return {}
  }
}

/** When the files were written, so that a model saved anew is read anew. */
async function written(folder: string): Promise<number[]> {
  const files = ['saved_model.pb', join('variables', 'variables.index'), 'model.json']
  return await Promise.all(files.map(file => stat(join(folder, file)).then(info => info.mtimeMs, () => 0)))
}

function isAlive(model: tfTypes.LayersModel): boolean {
  return model.weights.every(weight => !(weight as unknown as { val: tfTypes.Tensor }).val.isDisposed)
}

/** Image models on TF Hub take [0, 1]; one that begins by dividing by 255 or 127.5 takes bytes. */
function rangeOf(model: tfTypes.LayersModel): [number, number] {
  const first = model.layers.find(layer => layer.getClassName() === 'Rescaling') as
    { scale?: number; inboundNodes: { inboundLayers: tfTypes.layers.Layer[] }[] } | undefined
  const atInput = first?.inboundNodes[0]?.inboundLayers[0]?.getClassName() === 'InputLayer'
  return atInput && first!.scale! < 0.05 ? [0, 255] : [0, 1]
}
