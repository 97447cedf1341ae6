import { inspect } from 'node:util'
import type { LayersModel, Tensor } from '@tensorflow/tfjs'
import type { ImageData } from '../data/images.ts'
import type { ImageSet } from '../data/set.ts'
import { GraftError } from '../error.ts'
import { displaySymbol, host, type MimeBundle } from '../host.ts'
import { checkOptions } from '../options.ts'
import type { Predictions } from '../train/prediction.ts'
import { figure } from './figure.ts'
import { asRun, type Fit } from './install.ts'
import { layerTable } from './layers.ts'
import type { RunView } from './run-view.ts'
import { isPicture, pictureBundle } from './tensor.ts'
import { trainingPlot } from './training.ts'

export { figure } from './figure.ts'
export { progress, progressBar, type ProgressBar, type ProgressOptions } from './progress.ts'
export type { RunView } from './run-view.ts'

/**
 * A data set or one part of it; of a whole one the test part is taken, else the validation part, else the training part. A part
 * that the set lacks is `null`.
 */
export type Images = ImageData | ImageSet | null

/**
 * Shows any value the way that tells most of it: a model as its layers, a run as its plot, images as a contact sheet, a tensor
 * `[height, width, 1 | 3 | 4]` as a picture, an SVG as a figure, anything else as text.
 *
 * @example
 * await show(base)
 * await show(digits.train)
 */
async function showAny(value: unknown): Promise<void> {
  host().display(await bundleOf(value))
}

/** The mime bundle by which {@link show} shows a value. */
export async function bundleOf(value: unknown): Promise<MimeBundle> {
  if (isTensor(value) && isPicture(value)) return pictureBundle(value)
  if (typeof value === 'string') return /^\s*<svg\b/.test(value) ? figure(value) : { 'text/plain': value }
  if ((typeof value === 'object' && value !== null) || typeof value === 'function') {
    const own = (value as Record<symbol, unknown>)[displaySymbol]
    if (typeof own === 'function') return (await own.call(value)) as MimeBundle
    if (isModel(value)) return layerTable(value)
    if (isRun(value)) return trainingPlot(value)
  }
  return { 'text/plain': inspect(value, { depth: 4 }) }
}

/**
 * The table of a model's layers: name, type, output shape, parameters, what trains. Blocks fold.
 *
 * @example
 * show.layers(base)
 */
function layers(model: LayersModel): void {
  if (!isModel(model)) throw expected('layers', 'a model', model)
  host().display(layerTable(model))
}

/**
 * The plot of a training run, finished or not, or of what `model.fit` returned: loss and measures per epoch on the training and
 * the validation images.
 *
 * @example
 * const run = await train(model, digits, { epochs: 10 })
 * show.training(run)
 */
function training(run: RunView | Fit): void {
  if (!isRun(run) && !isFit(run)) throw expected('training', 'a run of train(model, data) or the history of model.fit', run)
  host().display(trainingPlot(isRun(run) ? run : asRun(run)))
}

/**
 * What a model says of some images: each with its three most likely classes, right and wrong ones marked, the share that is
 * right on top. `count` images are shown (default 12), spread over the set; the share counts all of them.
 *
 * @example
 * await show.predictions(model, digits.validation)
 */
async function predictions(model: LayersModel, images: Images | Predictions, options: { count?: number } = {}): Promise<void> {
  checkOptions<{ count?: number }>('show.predictions', options, { count: 'count' })
  const all = await judged('predictions', model, images)
  const { predictionsBundle } = await import('./prediction.ts')
  host().display(await predictionsBundle(all, options))
}

/**
 * Which classes a model takes for which: the matrix of true and predicted classes, the share found of each, and the most
 * confused pairs.
 *
 * @example
 * await show.confusion(model, digits.test)
 */
async function confusion(model: LayersModel, images: Images | Predictions): Promise<void> {
  const all = await judged('confusion', model, images)
  const { confusionBundle } = await import('./confusion.ts')
  host().display(confusionBundle(all))
}

/**
 * A contact sheet of a data set or of one part: its classes, how many images each has, and a few of them.
 *
 * @example
 * await show.images(digits)
 */
async function images(data: Images): Promise<void> {
  if (typeof data?.[displaySymbol] !== 'function')
    throw expected('images', 'a data set of data.images(folder) or a part of one', data)
  host().display(await data[displaySymbol]())
}

/** Shows values: {@link showAny any value}, or one of them in a particular way. */
export const show = Object.assign(showAny, { layers, training, predictions, confusion, images })

async function judged(name: string, model: LayersModel, images: Images | Predictions): Promise<Predictions> {
  const { Predictions } = await import('../train/prediction.ts')
  if (images instanceof Predictions) return images
  if (!isModel(model)) throw expected(name, 'a model', model)
  const [{ ImageData }, { ImageSet }, { predict }] = await Promise.all([
    import('../data/images.ts'),
    import('../data/set.ts'),
    import('../train/predict.ts'),
  ])
  if (images instanceof ImageData || images instanceof ImageSet) return predict(model, images as ImageSet)
  if (images === null)
    throw new GraftError(
      `show.${name}: the data set has no such part. `
        + 'Make one: data.images(folder, { validation: 0.2 }), or a folder with train/ and test/.',
    )
  throw expected(name, 'a data set, e.g. digits.validation', images)
}

const isModel = (value: unknown): value is LayersModel =>
  Array.isArray((value as LayersModel | null)?.layers) && typeof (value as LayersModel).countParams === 'function'

const isTensor = (value: unknown): value is Tensor =>
  Array.isArray((value as Tensor | null)?.shape) && typeof (value as Tensor).dataSync === 'function'

const isRun = (value: unknown): value is RunView =>
  typeof (value as RunView | null)?.epochs === 'number' && Array.isArray((value as RunView).history?.loss)

const isFit = (value: unknown): value is Fit =>
  Array.isArray((value as Fit | null)?.epoch) && typeof (value as Fit).history === 'object'

function expected(name: string, what: string, received: unknown): GraftError {
  const kind = typeof received === 'object' && received !== null ? received.constructor?.name ?? 'an object' : inspect(received)
  const hint = received instanceof Promise ? ' Put await before it.' : ''
  return new GraftError(`show.${name}: expected ${what}, received ${kind}.${hint}`)
}
