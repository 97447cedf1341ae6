import { dirname } from 'node:path'
import type { LayersModel } from '@tensorflow/tfjs'
import { GraftError } from '../error.ts'
import { host } from '../host.ts'
import { checkOptions } from '../options.ts'
import { tf } from '../tf.ts'
import { writeAtomically } from './atomic.ts'
import { interrupted } from './disk.ts'
import { type FolderFormat, folderFormats, formatOf } from './formats/index.ts'
import { handOver } from './hand-over/index.ts'
import type { Readers } from './keras/encode.ts'
import { SaveReceipt } from './receipt.ts'
import { writeFolder } from './saved-model/folder.ts'

export interface SaveOptions {
  /** Whether a file that is already there is replaced, as Keras does by default. Default: true. */
  overwrite?: boolean
  /**
   * `'keras3'` (the default): the file is for Keras 3, and an `.h5` for tf_keras too unless it holds models within models.
   * `'tf_keras'`: it is for tf_keras (Keras 2), also where a model lies within the model or an activation is `hardSigmoid`.
   */
  readers?: Readers
  /**
   * What a folder is to hold: `'TensorFlow.js'` (the default) or TensorFlow's `'SavedModel'`, for TensorFlow Serving, TensorFlow
   * Lite's converter and as a hub model.
   */
  format?: FolderFormat
  /**
   * For a `.keras`: also writes `<name>.py`, which goes on in Keras 3 with the run that trained the model, alone or on several
   * machines, with the same images in the same order and the same learning rates; and `<name>.run.json`, which it reads.
   */
  python?: boolean
}

/**
 * Saves a model as a file that Keras opens with `keras.models.load_model(path)`, with no custom objects. The extension names the
 * format: `.h5` (Keras 2 and 3), `.keras` (Keras 3), `.weights.h5` (the weights alone), `model.json` or a folder (TensorFlow.js),
 * `.onnx` (ONNX Runtime; the computation alone), `saved_model.pb` or a folder with `format: 'SavedModel'` (TensorFlow; `hub.load`
 * opens it as a hub model). Written are configuration, weights, the layers' `trainable` flags, what the model
 * was compiled with and the optimizer's state, so that training goes on from the file, and what Keras ignores and {@link load}
 * reads: the card (handle, classes, image size, range), the learning rates by group, and the last run.
 *
 * Layers that Keras lacks are defined in `graft_layers.py`, which is put beside the file then; the receipt says so.
 *
 * The file is written beside its target, read back, compared byte by byte, and only then put in place: `path` always is the
 * whole old file or the whole new one, also where two processes save to it. Missing folders are made. Returns a receipt that shows
 * itself.
 *
 * Throws a GraftError for an unknown extension, a folder in the way, a full or read-only disk, and layers that Keras does not
 * compute alike; nothing is changed then.
 *
 * @example
 * await save(model, 'custom_mobilenet_feature_extraction.h5')
 */
export async function save(
  model: LayersModel,
  to: string,
  options: SaveOptions = {},
): Promise<SaveReceipt> {
  checkOptions<SaveOptions>('save', options, { overwrite: 'flag', readers: ['keras3', 'tf_keras'], format: folderFormats, python: 'flag' })
  const { overwrite = true, readers = 'keras3' } = options
  const { signal, section } = host()
  if (!(model instanceof tf.LayersModel)) {
    throw new GraftError(
      `save(model, path) expects a model (tf.LayersModel). Received: ${(model as object)?.constructor?.name ?? typeof model}.`,
    )
  }
  const { path, format } = formatOf(to, 'save to', options.format)
  if (!model.inputs?.length)
    throw new GraftError(`the model '${model.name}' has no weights yet: give its first layer an inputShape, or call it once.`)
  if (options.python && format.extension !== '.keras')
    throw new GraftError(`python: the script goes on from a .keras file. Received: ${path}.`)
  const encoded = await format.encode(model, { path, readers, signal }).catch(error => {
    throw signal.aborted ? interrupted(path) : error
  })
  const { parts, folder, beside, obsolete } = encoded
  const check = async (written?: string) => {
    const wrong = await encoded.check(written)
    if (wrong) throw new GraftError(`cannot save to ${path}: ${wrong} was not read back as it was written. Nothing was changed.`)
  }
  const write = () => folder ? writeFolder(dirname(path), folder, { overwrite, signal, check })
    : writeAtomically(path, parts, { overwrite, signal, check, beside, obsolete })
  const placed = await (section ? section(write) : write())
  if (options.python) {
    const { script, notes } = await handOver(model, path, encoded.imports)
    const without = notes.length ? `, without ${notes.join(' and ')}` : ''
    encoded.words = [...encoded.words ?? [], ['Goes on', `with python ${script}, alone or on several machines (--help)${without}`]]
  }
  return new SaveReceipt(model, folder ? dirname(path) : path, placed, format, encoded)
}
