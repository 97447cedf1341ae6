import { inspect } from 'node:util'
import type { LayersModel, Tensor } from '@tensorflow/tfjs'
import type { Augment } from '../data/augment/options.ts'
import type { ImageData } from '../data/images.ts'
import type { ImageSet } from '../data/set.ts'
import { GraftError } from '../error.ts'
import { displaySymbol, host, type MimeBundle } from '../host.ts'
import { checkOptions } from '../options.ts'
import type { Predictions } from '../train/prediction.ts'
import type { AugmentationOptions } from './augmentation.ts'
import { figure } from './figure.ts'
import { graphBundle, type GraphOptions } from './graph.ts'
import { asRun, type Fit } from './install.ts'
import { expected, isModel, judged, setOf, type Images } from './judge.ts'
import { layerEditor } from './layer-editor.ts'
import { layerTable } from './layers.ts'
import type { RunView } from './run-view.ts'
import { isPicture, pictureBundle } from './tensor.ts'
import { trainingPlot } from './training.ts'
import * as why from './why/index.ts'

export { figure } from './figure.ts'
export { progress, progressBar, type ProgressBar, type ProgressOptions } from './progress.ts'
export type { Images } from './judge.ts'
export type { RunView } from './run-view.ts'
export { Widget, widget, type WidgetOptions } from './widget.ts'

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

export interface LayersOptions {
  /** Only layers with these letters in their name or type, unfolded: `'conv'`. */
  search?: string
  /** Whether the table can be searched and clicked, where the front end has widgets. Default false. */
  live?: boolean
  /** Labelled images: what 16 of them do in each layer stands in place of what the layer costs. Default none. */
  statistics?: Images
}

/**
 * The table of a model's layers: name, type, output shape, parameters; operations, memory and receptive field for one image; what
 * trains, with the learning rate of its group, and after training how far its weights moved. Blocks fold; opaque and repaired
 * layers are marked. With `live`, where the front end has widgets, it can be searched, and a click freezes or unfreezes a layer or
 * a block of the model and shows the line of code that does the same. With `statistics` it tells activations and gradients of
 * some images too, as `show.statistics` does: await it then.
 *
 * @throws GraftError where the search finds nothing, for images without classes
 * @example
 * show.layers(base, { search: 'conv' })
 * @example
 * show.layers(model, { live: true })
 * @example
 * await show.layers(model, { statistics: digits.train })
 */
function layers(model: LayersModel, options: LayersOptions & { statistics: Images }): Promise<void>
function layers(model: LayersModel, options?: LayersOptions): void
function layers(model: LayersModel, options: LayersOptions = {}): void | Promise<void> {
  if (!isModel(model)) throw expected('layers', 'a model', model)
  checkOptions<LayersOptions>('show.layers', options, { live: 'flag', search: 'text', statistics: null })
  if (options.live && options.statistics) {
    throw new GraftError('show.layers: a live table has no statistics. Ask for one of live and statistics.')
  }
  if (options.statistics !== undefined) return layersAtWork(model, options.statistics, options)
  if (options.live) layerEditor(model, options.search).show()
  else host().display(layerTable(model, options))
}

async function layersAtWork(model: LayersModel, images: Images, { search }: LayersOptions): Promise<void> {
  const { statistics, statisticColumns } = await import('./why/statistics.ts'), set = await setOf('layers', model, images)
  const found = await statistics(model, set, { images: 16 })
  host().display(layerTable(model, { search }, statisticColumns(found, Math.min(16, set.length))))
}

/**
 * A model as boxes and arrows, from the image down: blocks folded, what is frozen, what trains and what is the head in
 * colour. With `before` two models side by side: what was cut, what was grafted.
 *
 * @throws GraftError for a block that the model does not have
 * @example
 * show.graph(model)
 * @example
 * show.graph(model, { before: base, open: 'block_16' })
 */
function graph(model: LayersModel, options: GraphOptions = {}): void {
  checkOptions<GraphOptions>('show.graph', options, { open: null, before: null })
  for (const one of [model, options.before ?? model]) if (!isModel(one)) throw expected('graph', 'a model', one)
  host().display(graphBundle(model, options))
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

/**
 * The images on which a model is most wrong, by the probability it gives their true class; where no class is known, those it is
 * least sure of. `count` images (default 12). As fastai's `plot_top_losses`.
 *
 * @example
 * await show.worst(model, digits.test)
 */
async function worst(model: LayersModel, images: Images | Predictions, options: { count?: number } = {}): Promise<void> {
  checkOptions<{ count?: number }>('show.worst', options, { count: 'count' })
  const all = await judged('worst', model, images)
  const { worstBundle } = await import('./prediction.ts')
  host().display(await worstBundle(all, options))
}

/**
 * How far a model's confidence can be trusted: the share that is right over how sure it was, in ten spans, and the expected
 * calibration error (Guo et al. 2017).
 *
 * @example
 * await show.calibration(model, digits.test)
 */
async function calibration(model: LayersModel, images: Images | Predictions): Promise<void> {
  const all = await judged('calibration', model, images)
  const { calibrationBundle } = await import('./calibration.ts')
  host().display(calibrationBundle(all))
}

/**
 * Images of a data set that look alike, across its parts and within: copies that were resized, cut or compressed anew, which
 * a comparison of files does not find. `count` pairs are shown (default 12).
 *
 * @example
 * await show.duplicates(photos)
 */
async function duplicates(data: ImageData, options: { count?: number } = {}): Promise<void> {
  checkOptions<{ count?: number }>('show.duplicates', options, { count: 'count' })
  const [{ ImageData }, { duplicatesBundle }] = await Promise.all([import('../data/images.ts'), import('./duplicates.ts')])
  if (!(data instanceof ImageData)) throw expected('duplicates', 'a data set of data.images(folder)', data)
  host().display(await duplicatesBundle(data, options.count ?? 12))
}

/**
 * What augmentation makes of training images: some of them, and beside each its variants, with the labels where those are mixed.
 *
 * @param data a data set, or its training part; with `augment` as it would be with those changes
 * @example
 * await show.augmentation(digits, { augment: { rotate: 0.05, cutOut: 0.2 } })
 */
async function augmentation(
  data: ImageData | ImageSet, options: AugmentationOptions & { augment?: Augment } = {},
): Promise<void> {
  checkOptions<AugmentationOptions & { augment?: Augment }>('show.augmentation', options, { augment: null, count: 'count', variants: 'count' })
  const [{ ImageData }, { ImageSet }, { augmentationBundle }] = await Promise.all([
    import('../data/images.ts'), import('../data/set.ts'), import('./augmentation.ts'),
  ])
  const set = data instanceof ImageData ? data.train : data, { augment, ...rest } = options
  if (!(set instanceof ImageSet)) throw expected('augmentation', 'a data set of data.images(folder)', data)
  const changed = augment === undefined ? set : set.augment(augment)
  if (!changed.augmentation) {
    throw new GraftError("show.augmentation: these images are taken as they are. Say what to change: show.augmentation(data, { augment: 'photos' }).")
  }
  host().display(await augmentationBundle(changed, rest))
}

/** Shows values: {@link showAny any value}, or one of them in a particular way. */
export const show = Object.assign(showAny, {
  layers, graph, training, predictions, worst, confusion, calibration, images, duplicates, augmentation, ...why,
})

const isTensor = (value: unknown): value is Tensor =>
  Array.isArray((value as Tensor | null)?.shape) && typeof (value as Tensor).dataSync === 'function'

const isRun = (value: unknown): value is RunView =>
  typeof (value as RunView | null)?.epochs === 'number' && Array.isArray((value as RunView).history?.loss)

const isFit = (value: unknown): value is Fit =>
  Array.isArray((value as Fit | null)?.epoch) && typeof (value as Fit).history === 'object'
