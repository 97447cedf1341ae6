import { inspect } from 'node:util'
import type { LayersModel } from '@tensorflow/tfjs'
import { evenly } from '../data/evenly.ts'
import type { ImageData } from '../data/images.ts'
import type { ImageSet } from '../data/set.ts'
import { GraftError } from '../error.ts'
import type { ImageInput } from '../train/predict.ts'
import type { Predictions } from '../train/prediction.ts'

/**
 * A data set or one part of it; of a whole one the test part is taken, else the validation part, else the training part. A part
 * that the set lacks is `null`.
 */
export type Images = ImageData | ImageSet | null

/** Predictions for a data set; those that were made already are taken as they are. */
export async function judged(name: string, model: LayersModel, images: Images | Predictions): Promise<Predictions> {
  const { Predictions } = await import('../train/prediction.ts')
  if (images instanceof Predictions) return images
  if (typeof images === 'string') throw expected(name, 'a data set, e.g. digits.validation', images)
  const set = await setOf(name, model, images)
  const { predict } = await import('../train/predict.ts')
  return predict(model, set)
}

/** The set that is meant: a part of a data set, or image files read as the model wants them. */
export async function setOf(name: string, model: LayersModel, images: Images | ImageInput | ImageInput[]): Promise<ImageSet> {
  if (!isModel(model)) throw expected(name, 'a model', model)
  const [{ ImageData }, { ImageSet }] = await Promise.all([import('../data/images.ts'), import('../data/set.ts')])
  if (images instanceof ImageData) return images.parts.test ?? images.parts.validation ?? images.train
  if (images instanceof ImageSet) return images
  if (images === null) {
    throw new GraftError(
      `show.${name}: the data set has no such part. `
        + 'Make one: data.images(folder, { validation: 0.2 }), or a folder with train/ and test/.',
    )
  }
  const files = [images].flat() as ImageInput[]
  if (files.length && files.every(file => typeof file === 'string' || file instanceof URL || file instanceof Uint8Array)) {
    return (await import('../train/predict.ts')).readImages(model, files)
  }
  throw expected(name, 'a data set, e.g. digits.validation, or an image file', images)
}

/** `count` of a set's images, spread over all of it. */
export const spread = (set: ImageSet, count: number): ImageSet =>
  set.length <= count ? set : set.pick(evenly(set.length, count))

/** `count` images and what the model says of them. */
export async function someJudged(name: string, model: LayersModel, images: Images | ImageInput | ImageInput[], count: number) {
  const set = spread(await setOf(name, model, images), count)
  const { predict } = await import('../train/predict.ts')
  return { set, predictions: await predict(model, set) }
}

export const isModel = (value: unknown): value is LayersModel =>
  Array.isArray((value as LayersModel | null)?.layers) && typeof (value as LayersModel).countParams === 'function'

/** What a display answers to a value that it cannot show. */
export function expected(name: string, what: string, received: unknown): GraftError {
  const kind = typeof received === 'object' && received !== null ? (received.constructor?.name ?? 'an object') : inspect(received)
  const hint = received instanceof Promise ? ' Put await before it.' : ''
  return new GraftError(`show.${name}: expected ${what}, received ${kind}.${hint}`)
}
