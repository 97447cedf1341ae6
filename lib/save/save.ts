import { extname } from 'node:path'
import type { LayersModel } from '@tensorflow/tfjs'
import { cardOf, type ModelCard } from '../card.ts'
import { didYouMean, GraftError } from '../error.ts'
import { host } from '../host.ts'
import { tf } from '../tf.ts'
import { interrupted, writeAtomically } from './atomic.ts'
import { difference, fingerprint, toH5, type Saved } from './h5.ts'
import { packHdf5, unpackHdf5 } from './hdf5/index.ts'
import { toKeras, type Readers } from './keras/encode.ts'
import type { Json } from './keras/types.ts'
import { SaveReceipt } from './receipt.ts'
import { weightsOf } from './weights.ts'

export interface SaveOptions {
  /** Whether a file that is already there is replaced, as Keras does by default. Default: true. */
  overwrite?: boolean
  /**
   * `'keras3'` (the default): the file is for Keras 3, and for tf_keras too unless it holds models within models.
   * `'tf_keras'`: it is for tf_keras (Keras 2), also where a model lies within the model or an activation is `hardSigmoid`.
   */
  readers?: Readers
}

/**
 * Saves a model as a file that Keras opens with `keras.models.load_model(path)`, with no custom objects; the extension names the
 * format: `.h5`. The configuration, all weights and the layers' `trainable` flags are written, and the model's card (handle, classes,
 * image size, range), which Keras ignores and {@link load} reads.
 *
 * The file is written beside its target, read back, compared byte by byte, and only then put in place: `path` always is the whole old
 * file or the whole new one. Missing folders are made. Returns a receipt that shows itself.
 *
 * Throws a GraftError for an unknown extension, a folder in the way, a full or read-only disk, and layers that Keras does not compute
 * alike; nothing is changed then.
 *
 * @example
 * await save(model, 'custom_mobilenet_feature_extraction.h5')
 */
export async function save(model: LayersModel, path: string, { overwrite = true, readers = 'keras3' }: SaveOptions = {}): Promise<SaveReceipt> {
  const { signal } = host()
  checkArguments(model, path)
  const config = toKeras(model, readers)
  const layers = await weightsOf(model)
  const graft: { [key: string]: Json } = {
    format: 1, version: '0.1.0', readers, tfjs: tf.version.tfjs,
    card: portable(cardOf(model)), weights: fingerprint(layers),
  }
  const saved: Saved = { config, layers, graft }
  const root = toH5(saved)
  const bytes = await packHdf5(root, signal).catch(error => { throw signal.aborted ? interrupted(path) : error })
  const placed = await writeAtomically(path, bytes, async written => {
    const wrong = difference(await unpackHdf5(written, { signal }), root)
    if (wrong) throw new GraftError(`cannot save to ${path}: ${wrong} was not read back as it was written. The disk may be failing; choose another.`)
  }, { overwrite, signal })
  return new SaveReceipt(model, path, placed, saved)
}

/** The card without what only this machine knows. */
function portable(card: ModelCard | undefined): Json {
  if (!card) return null
  const { folder, ...rest } = card
  return rest as unknown as Json
}

const extensions = ['.h5']

function checkArguments(model: LayersModel, path: string): void {
  if (typeof path !== 'string' || path === '') {
    throw new GraftError(`save(model, path) expects a file name ending in ${extensions.join(' or ')}. Received: ${String(path)}.`)
  }
  if (!(model instanceof tf.LayersModel)) {
    throw new GraftError(`save(model, path) expects a model (tf.LayersModel). Received: ${(model as object)?.constructor?.name ?? typeof model}.`)
  }
  const extension = extname(path)
  if (!extensions.includes(extension.toLowerCase())) {
    throw new GraftError(`cannot save to ${path}: ${extension ? `unknown extension '${extension}'.${didYouMean(extension, extensions)}` : 'the name has no extension.'} ` +
      `Known: ${extensions.join(', ')} (Keras).`)
  }
  if (!model.inputs?.length) {
    throw new GraftError(`the model '${model.name}' has no weights yet: give its first layer an inputShape, or call it once.`)
  }
}
