import type { LayersModel, Tensor } from '@tensorflow/tfjs'
import { oneLayer, type Layer } from '../../customize/layers.ts'
import type { ImageSet } from '../../data/set.ts'
import { GraftError } from '../../error.ts'
import type { MimeBundle } from '../../host.ts'
import { tf } from '../../tf.ts'
import { columns, measure, plural } from '../format.ts'
import { heatmap } from './heat.ts'
import { pictureCards } from '../picture-cards.ts'
import { splitAt } from './split.ts'

export interface FeatureMapOptions {
  /** The layer whose maps are shown: its name, its index, or itself. Default: the last feature map. */
  layer?: string | number | Layer
  /** How many channels, those that respond most first. Default 24. */
  channels?: number
}

/** What a layer makes of one image: its channels as pictures, those first whose greatest value is greatest. */
export async function featureMapsBundle(model: LayersModel, set: ImageSet, options: FeatureMapOptions): Promise<MimeBundle> {
  const split = splitAt(model, options.layer)
  if (split.shape.length !== 3) {
    throw new GraftError(
      `'${split.name}' gives [${split.shape.join(', ')}], no feature maps [height, width, channels]. Leave \`layer\` out for the last ones.`,
    )
  }
  const [height, width, depth] = split.shape,
    pixels = await set.pixels([0])
  const values = tf.tidy(() => {
    const [map] = [split.before.predict(tf.tensor(pixels, [1, ...set.size, set.channels])) as Tensor | Tensor[]].flat()
    return map.transpose([0, 3, 1, 2]).dataSync() as Float32Array
  })
  const maps = Array.from({ length: depth }, (_, channel) => {
    const map = values.slice(channel * height * width, (channel + 1) * height * width)
    return {
      channel,
      map,
      most: map.reduce((a, b) => Math.max(a, b), -Infinity),
      live: map.filter(value => value > 0).length / map.length,
    }
  })
  const shown = maps.toSorted((a, b) => b.most - a.most || a.channel - b.channel).slice(0, options.channels ?? 24)
  const silent = maps.filter(({ most }) => most <= 0).length
  const title = `'${split.name}' of '${model.name}'`
  const detail = `${plural(depth, 'channel')} of ${height} × ${width}, the ${shown.length} that respond most${silent ? ` · ${silent} silent` : ''}`
  const cards = [
    { pictures: [await set.bitmap(0)], label: 'the image', file: '' },
    ...shown.map(({ channel, map }) => ({ pictures: [heatmap(map, width, height)], label: `channel ${channel}` })),
  ]
  const rows = shown.map(({ channel, most, live }) => [String(channel), measure(most), `${Math.round(live * 100)} %`])
  return pictureCards({
    title,
    detail,
    cards,
    side: 84,
    text: `${title}: ${detail}\n${columns([['Channel', 'Greatest', 'Above zero'], [], ...rows], ['right', 'right', 'right'])}`,
  })
}

/**
 * A convolution's filters as pictures: in colours where it sees an image's three channels, else the filter's mean over its
 * inputs.
 * @param which the layer; by default the model's first convolution
 */
export async function filtersBundle(model: LayersModel, which?: string | number | Layer, most = 48): Promise<MimeBundle> {
  const layer = which === undefined ? model.layers.find(isConvolution) : oneLayer(model, which)
  if (!layer || !isConvolution(layer)) {
    throw new GraftError(
      layer
        ? `'${layer.name}' is a ${layer.getClassName()}, which has no filters to look at. Name a Conv2D or DepthwiseConv2D.`
        : `'${model.name}' has no convolution of its own.`,
    )
  }
  const [kernel] = layer.getWeights(),
    depthwise = /Depthwise/.test(layer.getClassName())
  const [height, width, inputs] = kernel.shape as number[],
    filters = depthwise ? inputs : kernel.shape[3]!
  const colours = inputs === 3 && !depthwise,
    values = tf.tidy(() => (depthwise ? kernel.mean(3).dataSync() : colours ? kernel.dataSync() : kernel.mean(2).dataSync()))
  const norms = Array.from({ length: filters }, (_, f) => Math.hypot(...spread(f)))
  const order = norms
    .map((_, f) => f)
    .sort((a, b) => norms[b] - norms[a])
    .slice(0, most)
  function spread(f: number): number[] {
    const step = colours ? 3 : 1
    return Array.from({ length: height * width * step }, (_, i) => values[i * filters + f])
  }
  const title = `Filters of '${layer.name}'`
  const detail = `${plural(filters, 'filter')} of ${height} × ${width} × ${depthwise ? 1 : inputs}, the ${order.length} strongest${colours || depthwise ? '' : ', mean over inputs'}`
  const cards = order.map(f => ({
    label: `filter ${f}`,
    pictures: [colours ? coloured(spread(f), width, height) : heatmap(spread(f), width, height)],
  }))
  const rows = order.slice(0, 20).map(f => [String(f), measure(norms[f])])
  return pictureCards({
    title,
    detail,
    cards,
    side: 84,
    text: `${title}: ${detail}\n${columns([['Filter', 'Norm'], [], ...rows], ['right', 'right'])}`,
  })
}

const isConvolution = (layer: Layer): boolean => /^(Depthwise)?Conv2D$|^StdConv2D$/.test(layer.getClassName())

/** A filter over three channels as a colour picture: its least value black, its greatest white. */
function coloured(values: number[], width: number, height: number) {
  const low = Math.min(...values),
    high = Math.max(...values)
  return {
    data: Uint8Array.from(values, value => Math.round(((value - low) / (high - low || 1)) * 255)),
    width,
    height,
    channels: 3,
  }
}
