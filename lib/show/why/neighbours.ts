import { basename } from 'node:path'
import type { LayersModel } from '@tensorflow/tfjs'
import type { Layer } from '../../customize/layers.ts'
import type { ImageSet } from '../../data/set.ts'
import type { MimeBundle } from '../../host.ts'
import { columns, count } from '../format.ts'
import { featuresOf, nearest } from './alike.ts'
import { pictureCards } from '../picture-cards.ts'

export interface NeighbourOptions {
  /** The layer by whose output images are compared. Default: what the last layer is fed with. */
  layer?: string | number | Layer
  /** How many neighbours of each image. Default 5. */
  neighbours?: number
  /** How many images of the first set, spread over it. Default 4. */
  count?: number
}

/** Images beside those of another set that the model finds most alike (cosine similarity of their features). */
export async function neighboursBundle(
  model: LayersModel,
  set: ImageSet,
  among: ImageSet,
  options: NeighbourOptions,
): Promise<MimeBundle> {
  const [own, others] = [await featuresOf(model, set, options.layer), await featuresOf(model, among, options.layer)]
  const cards = await Promise.all(
    own.map(async (row, i) => {
      // The image itself, where it is in both sets, is no neighbour.
      const found = nearest(others, row, (options.neighbours ?? 5) + 1)
        .filter(j => among.ids[j] !== set.ids[i])
        .slice(0, options.neighbours ?? 5)
      const labels = found.map(j => among.classes[among.labels[j]] ?? '')
      return {
        pictures: [await set.bitmap(i), ...(await Promise.all(found.map(j => among.bitmap(j))))],
        labels,
        file: set.files[i],
        label: `${set.classes[set.labels[i]] ?? 'image'} → ${labels.join(', ')}`,
      }
    }),
  )
  const title = `Most alike for '${model.name}'`,
    detail = `${count(own[0]?.length ?? 0)} features · the image first, then its neighbours among ${count(among.length)}`
  return pictureCards({
    title,
    detail,
    cards,
    side: 84,
    text: `${title}: ${detail}\n${columns([['Image', 'Neighbours'], [], ...cards.map(({ file, labels }) => [basename(file), labels.join(', ')])], ['left', 'left'])}`,
  })
}
