import { existsSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { LayersModel } from '@tensorflow/tfjs'
import { checkModel } from '../customize/layers.ts'
import { GraftError } from '../error.ts'
import { host } from '../host.ts'
import { checkOptions } from '../options.ts'
import { putBack } from '../put-back.ts'
import { formatOf } from './formats/index.ts'

export interface LoadOptions {
  /** The model that a file of weights alone (`.weights.h5`) is read into; compiled, it takes up the optimizer's numbers too. */
  into?: LayersModel
}

/**
 * Loads a model from a file of Keras 3, Keras 2 (tf_keras), TensorFlow.js or Graft. The extension names the format: `.h5`,
 * `.keras`, `model.json` or `saved_model.pb` (or their folder), or `.weights.h5` with the model that the weights are for. A model that was compiled is
 * compiled again, with its optimizer's state: `train` and `model.fit` go on. A file that {@link save} wrote also brings the
 * model's card, so that `predict(model, file)` works at once.
 *
 * What TensorFlow.js would compute otherwise than Keras is refused, by layer, key and value. Code in a file is never run. Throws
 * a GraftError for a missing, damaged or foreign file.
 *
 * @example
 * const model = await load('custom_mobilenet_feature_extraction.h5')
 */
export async function load(from: string, options: LoadOptions = {}): Promise<LayersModel> {
  checkOptions<LoadOptions>('load', options, { into: null })
  const { into } = options
  if (into !== undefined) checkModel(into)
  if (typeof from === 'string' && !existsSync(from)) await putBack(resolve(from.replace(/[/\\]saved_model\.pb$/, '')))
  const { signal } = host(),
    { path, format } = formatOf(from, 'load')
  const fail = (why: string, cause?: unknown) => new GraftError(`cannot load ${path}: ${why}`, { cause })
  const bytes = await readBytes(path)
  const { begins } = format
  if (begins && !begins.bytes.equals(bytes.subarray(0, begins.bytes.length))) {
    throw fail(
      `it is ${bytes.length ? `not ${begins.what}` : 'empty'}. ` +
        `A ${format.extension} file begins with the bytes ${begins.bytes.toString('hex', 0, 4)}.`,
    )
  }
  try {
    return await format.decode(bytes, { path, into, signal })
  } catch (error) {
    // Another process may have replaced the model between the reading of model.json and of its shards.
    if (format.extension === '.json' && Buffer.compare(bytes, await readBytes(path).catch(() => bytes))) return load(from,
      options)
    if (signal.aborted) throw fail('it was interrupted.', error)
    throw fail(error instanceof GraftError ? error.message : `the file is damaged (${(error as Error).message}).`, error)
  }
}

/** The bytes of a file; a GraftError says why there are none. */
export async function readBytes(path: string): Promise<Uint8Array<ArrayBuffer>> {
  return readFile(path).catch((error: NodeJS.ErrnoException) => {
    const why =
      error.code === 'ENOENT'
        ? 'there is no such file.'
        : error.code === 'EISDIR'
          ? 'it is a folder, not a file.'
          : error.code === 'EACCES'
            ? 'no permission to read it.'
            : `${error.message}.`
    throw new GraftError(`cannot load ${path}: ${why}`, { cause: error })
  })
}

async function readFile(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const file = await open(path)
  try {
    const bytes = new Uint8Array((await file.stat()).size)
    for (let at = 0, read = 1; read && (at < bytes.byteLength || at === 0); at += read) {
      read = (await file.read(bytes, at, Math.min(1 << 30, bytes.byteLength - at), at)).bytesRead
    }
    return bytes
  } finally {
    await file.close()
  }
}
