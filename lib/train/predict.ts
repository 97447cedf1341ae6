import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { LayersModel, Tensor } from '@tensorflow/tfjs'
import { cardOf } from '../card.ts'
import { leaves, outputActivation } from '../customize/layers.ts'
import { concurrently } from '../data/concurrently.ts'
import { decodeImage } from '../data/decode.ts'
import { ImageData } from '../data/images.ts'
import { inputOf } from '../data/input.ts'
import { imagesUnder } from '../data/list.ts'
import { memorySource } from '../data/memory.ts'
import { ImageSet } from '../data/set.ts'
import { predictInTurns } from '../engine/predict.ts'
import { GraftError, inWords } from '../error.ts'
import { host } from '../host.ts'
import { tf } from '../tf.ts'
import { checkInput } from './checks.ts'
import { Feeder, turn } from './features.ts'
import { labelsOf } from './labels.ts'
import { borrowPrefix } from './prefixes.ts'
import { Prediction, Predictions } from './prediction.ts'

/** One image: a file, an address (`https:`, `data:`, `file:`), or the bytes of an image file. */
export type ImageInput = string | URL | Uint8Array

/**
 * What the model says of images. Each is prepared as the model's card says: its size, its pixel range; classes without a name are
 * called by their index.
 *
 * - one {@link ImageInput} → one {@link Prediction}
 * - a folder, its name ending in `/`, or a list → {@link Predictions}, in natural order of the file names
 * - a data set or a part of one → {@link Predictions} with the true classes beside; of a data set the test part is taken, else
 *   validation, else training
 *
 * @throws GraftError for a missing file, a file that is no image, an address that does not answer, a model that gives no classes
 * @example
 * await predict(model, 'photo.jpg')
 * const { accuracy } = await predict(model, digits.test)
 */
export function predict(model: LayersModel, images: `${string}/` | ImageSet | ImageData | ImageInput[]): Promise<Predictions>
export function predict(model: LayersModel, image: ImageInput): Promise<Prediction>
export async function predict(
  model: LayersModel, what: ImageSet | ImageData | ImageInput | ImageInput[],
): Promise<Prediction | Predictions> {
  if (what instanceof ImageData) return ofSet(model, what.parts.test ?? what.parts.validation ?? what.train)
  if (what instanceof ImageSet) return ofSet(model, what)
  if (Array.isArray(what)) return ofSet(model, await readImages(model, what), false)
  const path = asPath(what)
  if (path?.endsWith('/') || path?.endsWith('\\')) return ofFolder(model, path)
  return (await ofSet(model, await readImages(model, [what]), false))[0]
}

async function ofFolder(model: LayersModel, folder: string): Promise<Predictions> {
  if (!await stat(folder).catch(() => null)) throw new GraftError(`no such folder: '${folder}'.`)
  const { images } = await imagesUnder(folder)
  if (!images.length) throw new GraftError(`no images in '${folder}'.`)
  const failed: string[] = []
  const set = await readImages(model, images, (file, error) => failed.push(`${file}: ${error.message}`))
  if (!set.length) {
    throw new GraftError(`none of the ${images.length} images in '${folder}' can be read:\n  ${failed.slice(0, 10).join('\n  ')}`)
  }
  if (failed.length) host().display({ 'text/plain': `${failed.length} of ${images.length} images are left out:\n  ` +
    `${failed.slice(0, 10).join('\n  ')}` })
  return ofSet(model, set, false)
}

/** The class probabilities of every image of a set. */
async function ofSet(model: LayersModel, set: ImageSet, labelled = true): Promise<Predictions> {
  const { signal } = host()
  checkInput(model, set)
  const output = outputOf(model)
  const { prefix, release } = borrowPrefix(model), feeder = new Feeder(model, prefix), predictions = new Predictions()
  try {
    for (let at = 0; at < set.length; at += 32) {
      signal.throwIfAborted()
      const indices = Array.from({ length: Math.min(32, set.length - at) }, (_, i) => at + i)
      const inputs = await feeder.inputs(set, indices)
      const [given] = await predictInTurns(feeder.rest, inputs, signal, set.length).finally(() => tf.dispose(inputs))
      const result = tf.tidy(() => output.probabilities(given))
      given.dispose()
      const values = await result.data(), units = result.shape[1]!
      result.dispose()
      for (const [n, i] of indices.entries()) {
        const own = values.subarray(n * units, (n + 1) * units)
        if (!own.every(Number.isFinite)) throw noAnswer(model, set.files[i])
        const scores = Array.from(own,
          (probability, k) => ({ label: output.labels[k], probability }))
        predictions.push(new Prediction(scores, set.files[i], labelled ? set.classes[set.labels[i]] ?? null : null, () => set.bitmap(i)))
      }
      await turn()
    }
  } finally {
    await release()
  }
  return predictions
}

/** What is no number is no answer, though one of the classes would come first. */
function noAnswer(model: LayersModel, file: string): GraftError {
  const broken = leaves(model).find(layer => layer.weights.some(weight => !weight.read().dataSync().every(Number.isFinite)))
  return new GraftError(`the model gives no numbers for ${file ? `'${file}'` : 'these bytes'}: ${broken
    ? `weights of its layer '${broken.name}' are not numbers, as after a training that exploded. runs.restore(model, run) brings earlier ones back.`
    : 'its values grow beyond all measure on the way.'}`)
}

/** How to read a model's output as classes. */
function outputOf(model: LayersModel): { labels: string[], probabilities: (output: Tensor) => Tensor } {
  const shape = model.outputs[0].shape, units = shape[1], card = cardOf(model)
  const activation = outputActivation(model)
  const classifies = activation === 'softmax' || activation === 'sigmoid' || card?.classes ||
    /classification/.test(card?.handle ?? '')
  if (model.outputs.length !== 1 || shape.length !== 2 || !units || !classifies) {
    throw new GraftError(`'${model.name}' gives [${shape.map(n => n ?? 'batch').join(', ')}] features, no classes. ` +
      'Put a head on it: customize.extract(base, { classes: [...] }); or take the features: model.predict(x).')
  }
  return {
    labels: labelsOf(model),
    probabilities: output => units === 1 ? tf.concat([tf.sub(1, output), output], 1)
      : activation === 'softmax' || activation === 'sigmoid' ? output.clone() : tf.softmax(output),
  }
}

/** Reads images into a set without labels; a failure is thrown or, with `failed`, handed over and left out. */
export async function readImages(
  model: LayersModel, inputs: ImageInput[], failed?: (file: string, error: Error) => void,
): Promise<ImageSet> {
  const { shape, range } = inputOf(model)
  const read = await concurrently(inputs, async input => {
    const file = nameOf(input)
    try {
      const bytes = await bytesOf(input)
      const id = createHash('sha256').update(bytes).digest('hex').slice(0, 32)
      const data = await decodeImage(bytes, shape).catch((error: Error) => {
        throw new GraftError(`${file ? `'${file}'` : `these ${bytes.length} bytes`} cannot be read as an image: ` +
          `${error.message}.`)
      })
      return { file, data, id: `${id} ${shape.join('x')} ${range.join('..')}` }
    } catch (error) {
      if (!failed || !(error instanceof GraftError)) throw error
      failed(file, error)
      return null
    }
  }, host().signal)
  const pictures = read.filter(one => one !== null)
  const source = memorySource(pictures.map(({ data }) => data), [], shape, range)
  return new ImageSet(source, pictures.map(({ file, id }, key) => ({ key, file, id, label: 0 })))
}

async function bytesOf(input: ImageInput): Promise<Uint8Array> {
  if (input instanceof Uint8Array) return input
  const path = asPath(input)
  if (path === null) return download(String(input))
  const kind = await stat(path).catch(() => null)
  if (!kind) throw new GraftError(`no such file: '${path}'.`)
  if (!kind.isFile() && !kind.isDirectory()) throw new GraftError(`'${path}' is no regular file, but a device or a pipe.`)
  if (kind.isDirectory()) throw new GraftError(`'${path}' is a folder. For all its images: predict(model, '${path}/').`)
  return readFile(path).catch((error: Error) => { throw new GraftError(`'${path}' cannot be read: ${error.message}.`) })
}

async function download(url: string): Promise<Uint8Array> {
  const short = url.length > 100 ? `${url.slice(0, 100)}…` : url
  let answer: Response
  try {
    answer = await fetch(url, { signal: AbortSignal.any([host().signal, AbortSignal.timeout(30_000)]) })
  } catch (error) {
    host().signal.throwIfAborted()
    const cause = (error as { cause?: Error }).cause ?? error as Error
    throw new GraftError(`'${short}' does not answer: ${cause.message}. Check the address, or save the image and give its file.`)
  }
  if (!answer.ok) {
    throw new GraftError(`'${short}' answers ${answer.status} ${answer.statusText}. Check the address, or save the image and ` +
      `give its file.`)
  }
  return new Uint8Array(await answer.arrayBuffer())
}

/** The path of a local file, or null for an address. */
function asPath(input: ImageInput): string | null {
  if (input instanceof Uint8Array) return null
  if (typeof input !== 'string' && !(input instanceof URL)) {
    throw new GraftError(`predict(model, image): expected a file, a folder/, an address, bytes, or a data set; received ${
      inWords(input)}.`)
  }
  const text = String(input)
  if (/^file:/i.test(text)) {
    try {
      return fileURLToPath(text)
    } catch (error) {
      throw new GraftError(`'${text}' is no file of this machine: ${(error as Error).message}.`)
    }
  }
  return /^(https?|data):/i.test(text) ? null : text
}

const nameOf = (input: ImageInput): string => {
  if (input instanceof Uint8Array) return ''
  const text = asPath(input) ?? String(input)
  return text.startsWith('data:') ? '' : text
}
