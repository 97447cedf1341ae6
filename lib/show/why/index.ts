import type { LayersModel } from '@tensorflow/tfjs'
import type { Layer } from '../../customize/layers.ts'
import { host } from '../../host.ts'
import { checkOptions } from '../../options.ts'
import type { ImageInput } from '../../train/predict.ts'
import { expected, isModel, setOf, someJudged, spread, type Images } from '../judge.ts'
import type { EmbeddingOptions } from './embedding.ts'
import type { FeatureMapOptions } from './feature-maps.ts'
import type { GradCamOptions } from './grad-cam.ts'
import type { NeighbourOptions } from './neighbours.ts'
import type { OcclusionOptions } from './occlusion.ts'
import type { StatisticsOptions } from './statistics.ts'

/**
 * Where a model looks: Grad-CAM (Selvaraju et al. 2017) over images, a data set's or one's file. Bright places speak for the
 * class.
 *
 * @throws GraftError for a model without a feature map, an unknown layer or class
 * @example
 * await show.gradCam(model, digits.test, { count: 6 })
 * @example
 * await show.gradCam(model, 'photo.jpg', { class: '7', layer: 'block_12_add' })
 */
export async function gradCam(model: LayersModel, images: Images | ImageInput | ImageInput[], options: GradCamOptions = {}): Promise<void> {
  checkOptions<GradCamOptions>('show.gradCam', options, { layer: null, class: null, count: 'count' })
  const { set, predictions } = await someJudged('gradCam', model, images, options.count ?? 4)
  const { gradCamBundle } = await import('./grad-cam.ts')
  host().display(await gradCamBundle(model, set, predictions, options))
}

/**
 * What a model needs to see: a grey square covers one place after the other, and bright is where the class's probability
 * falls (Zeiler and Fergus 2014). Slower than {@link gradCam}, but it holds for every model.
 *
 * @example
 * await show.occlusion(model, 'photo.jpg')
 */
export async function occlusion(model: LayersModel, images: Images | ImageInput | ImageInput[], options: OcclusionOptions = {}): Promise<void> {
  checkOptions<OcclusionOptions>('show.occlusion', options, { grid: 'count', class: null, count: 'count' })
  const { set, predictions } = await someJudged('occlusion', model, images, options.count ?? 2)
  const { occlusionBundle } = await import('./occlusion.ts')
  host().display(await occlusionBundle(model, set, predictions, options))
}

/**
 * What a layer makes of an image: its channels as pictures, those that respond most first. Of a data set the first image is
 * taken.
 *
 * @throws GraftError for a layer whose output is no feature map
 * @example
 * await show.featureMaps(base, 'photo.jpg', { layer: 'Conv1' })
 */
export async function featureMaps(model: LayersModel, image: Images | ImageInput, options: FeatureMapOptions = {}): Promise<void> {
  checkOptions<FeatureMapOptions>('show.featureMaps', options, { layer: null, channels: 'count' })
  const set = await setOf('featureMaps', model, image)
  const { featureMapsBundle } = await import('./feature-maps.ts')
  host().display(await featureMapsBundle(model, set, options))
}

/**
 * A convolution's filters as pictures, the strongest first; by default those of the first convolution, which sees the image's
 * colours.
 *
 * @throws GraftError for a layer that is no convolution
 * @example
 * await show.filters(base)
 */
export async function filters(model: LayersModel, layer?: string | number | Layer): Promise<void> {
  if (!isModel(model)) throw expected('filters', 'a model', model)
  const { filtersBundle } = await import('./feature-maps.ts')
  host().display(await filtersBundle(model, layer))
}

/**
 * Images laid out by what the model makes of them, alike ones together: principal components, or UMAP (McInnes et al. 2018).
 * Before training it tells how well a trunk separates the classes.
 *
 * @example
 * await show.embedding(base, digits.train)
 * await show.embedding(base, digits.train, { method: 'umap' })
 */
export async function embedding(model: LayersModel, images: Images, options: EmbeddingOptions = {}): Promise<void> {
  checkOptions<EmbeddingOptions>('show.embedding', options, { layer: null, method: ['pca', 'umap'], count: 'count', seed: 'number' })
  const set = spread(await setOf('embedding', model, images), options.count ?? 500)
  const { embeddingBundle } = await import('./embedding.ts')
  host().display(await embeddingBundle(model, set, options))
}

/**
 * Images beside those of another set that the model finds most alike: what it knows of them, and duplicates across parts.
 *
 * @param among the set to search; by default the training part where a whole data set is given, else the set itself
 * @example
 * await show.neighbours(base, digits.test, digits.train)
 */
export async function neighbours(
  model: LayersModel, images: Images | ImageInput | ImageInput[], among?: Images, options: NeighbourOptions = {},
): Promise<void> {
  checkOptions<NeighbourOptions>('show.neighbours', options, { layer: null, neighbours: 'count', count: 'count' })
  const whole = images as { train?: Images } | null
  const others = await setOf('neighbours', model, among ?? whole?.train ?? images as Images)
  const set = spread(await setOf('neighbours', model, images), options.count ?? 4)
  const { neighboursBundle } = await import('./neighbours.ts')
  host().display(await neighboursBundle(model, set, others, options))
}

/**
 * What images do in a model, layer by layer: activations, silent channels, how strongly the gradient pulls at the weights,
 * and with `before` how far they have moved since. What is worth a look is said on top.
 *
 * @throws GraftError for images without classes
 * @example
 * await show.statistics(model, digits.train)
 */
export async function statistics(model: LayersModel, images: Images, options: StatisticsOptions = {}): Promise<void> {
  checkOptions<StatisticsOptions>('show.statistics', options, { images: 'count', before: null })
  const set = await setOf('statistics', model, images)
  const { statistics, statisticsTable } = await import('./statistics.ts')
  host().display(statisticsTable(model, await statistics(model, set, options), Math.min(options.images ?? 16, set.length)))
}
