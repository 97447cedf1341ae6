import { basename } from 'node:path'
import type { LayersModel } from '@tensorflow/tfjs'
import { memorySource } from '../../data/memory.ts'
import { ImageSet } from '../../data/set.ts'
import { host, type MimeBundle } from '../../host.ts'
import { labelsOf } from '../../train/labels.ts'
import { predict } from '../../train/predict.ts'
import type { Prediction } from '../../train/prediction.ts'
import { columns } from '../format.ts'
import { classIndex, probabilityOf } from './wanted-class.ts'
import { overlay } from './heat.ts'
import { pictureCards } from '../picture-cards.ts'

export interface OcclusionOptions {
  /** How many places in a row and in a column are covered in turn. Default 8. */
  grid?: number
  /** The class to explain, by name or index. Default: for each image the most likely one. */
  class?: string | number
  /** How many images of a data set, spread over it. Default 2: each costs `grid` × `grid` predictions. */
  count?: number
}

/**
 * Occlusion (Zeiler and Fergus 2014): how much the class's probability falls when a grey square covers a place of the image.
 * Needs no gradients, so that it holds for any model. The square covers two places of the grid in either direction.
 *
 * @returns the fall of the probability, `grid` × `grid` values, row by row; below zero where covering helps
 */
export async function occlusion(
  model: LayersModel,
  set: ImageSet,
  index: number,
  label: string,
  whole: number,
  grid: number,
): Promise<Float32Array> {
  const { data, width, height, channels } = await set.bitmap(index)
  const square = [Math.ceil((2 * height) / grid), Math.ceil((2 * width) / grid)]
  const covered = Array.from({ length: grid * grid }, (_, n) => {
    const picture = Uint8Array.from(data),
      top = Math.round(((Math.floor(n / grid) + 0.5) * height) / grid - square[0] / 2)
    const left = Math.round((((n % grid) + 0.5) * width) / grid - square[1] / 2)
    for (let y = Math.max(0, top); y < Math.min(height, top + square[0]); y++) {
      const from = Math.max(0, left),
        to = Math.min(width, left + square[1])
      picture.fill(128, (y * width + from) * channels, (y * width + to) * channels)
    }
    return picture
  })
  const source = memorySource(covered, [], [height, width, channels], set.range)
  const judged = await predict(
    model,
    new ImageSet(
      source,
      covered.map((_, key) => ({ key, file: '', label: 0, id: `covered ${set.ids[index]} ${grid} ${key}` })),
    ),
  )
  return Float32Array.from(judged, one => whole - probabilityOf(one, label))
}

/** Pictures of what a model needs to see, for some images of a set. */
export async function occlusionBundle(
  model: LayersModel,
  set: ImageSet,
  predictions: Prediction[],
  options: OcclusionOptions,
): Promise<MimeBundle> {
  const grid = options.grid ?? 8,
    wanted = classIndex(model, options.class),
    names = labelsOf(model),
    cards = []
  for (const [i, one] of predictions.entries()) {
    host().signal.throwIfAborted()
    const label = wanted === null ? one.label : names[wanted],
      probability = probabilityOf(one, label)
    const falls = await occlusion(model, set, i, label, probability, grid),
      most = Math.max(...falls, 1e-6)
    const picture = await set.bitmap(i)
    cards.push({
      label,
      probability,
      most,
      truth: one.truth,
      file: one.file,
      pictures: [
        picture,
        overlay(
          picture,
          falls.map(fall => Math.max(0, fall) / most),
          grid,
          grid,
        ),
      ],
    })
  }
  const title = `What '${model.name}' needs to see`,
    detail = `a grey square at ${grid} × ${grid} places · bright: the probability falls`
  const rows = cards.map(({ file, label, probability, most }) => [
    basename(file),
    label,
    `${(probability * 100).toFixed(1)} %`,
    `${(most * 100).toFixed(1)} points`,
  ])
  return pictureCards({
    title,
    detail,
    cards,
    text: `${title}: ${detail}\n${columns([['Image', 'Class', 'Probability', 'Falls by up to'], [], ...rows], ['left', 'left', 'right', 'right'])}`,
  })
}
