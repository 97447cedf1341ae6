import { basename } from 'node:path'
import type { LayersModel, Tensor } from '@tensorflow/tfjs'
import type { Layer } from '../../customize/layers.ts'
import type { Bitmap } from '../../data/resize.ts'
import type { ImageSet } from '../../data/set.ts'
import { GraftError } from '../../error.ts'
import { host, type MimeBundle } from '../../host.ts'
import { tf } from '../../tf.ts'
import { labelsOf } from '../../train/labels.ts'
import type { Prediction } from '../../train/prediction.ts'
import { overlay } from './heat.ts'
import { columns } from '../format.ts'
import { pictureCards } from '../picture-cards.ts'
import { classIndex, probabilityOf } from './wanted-class.ts'
import { splitAt, type Split } from './split.ts'

export interface GradCamOptions {
  /** The layer whose map is weighed: its name, its index, or itself. Default: the last feature map. */
  layer?: string | number | Layer
  /** The class to explain, by name or index. Default: for each image the most likely one. */
  class?: string | number
  /** How many images of a data set, spread over it. Default 4. */
  count?: number
}

/** Where a model looked: for each point of a feature map how much it speaks for the class, 0 to 1. */
export interface CamMap {
  values: Float32Array
  width: number
  height: number
}

/**
 * Grad-CAM (Selvaraju et al. 2017): the channels of a feature map, each weighed by the mean gradient of the class's logit,
 * summed; what speaks against the class is cut off; the greatest value is 1.
 *
 * @param pixels images `[n · height · width · channels]` in the model's range
 * @param classes for each image the index of the class to explain
 */
export function camMaps(split: Split, pixels: Float32Array, shape: number[], classes: number[]): CamMap[] {
  const [height, width] = split.shape
  const maps = tf.tidy(() => {
    const given = [split.before.predict(tf.tensor(pixels, [classes.length, ...shape])) as Tensor | Tensor[]].flat()
    const score = (map: Tensor) => {
      const logits = split.logits(split.after.predict(given.length > 1 ? [map, ...given.slice(1)] : map) as Tensor)
      return logits.shape[1] === 1
        ? logits.mul(tf.tensor2d(classes.map(c => [c ? 1 : -1]))).sum()
        : logits.mul(tf.oneHot(tf.tensor1d(classes, 'int32'), logits.shape[1]!)).sum()
    }
    const weights = tf.grad(score)(given[0]).mean([1, 2], true)
    const cam = given[0].mul(weights).sum(3).relu()
    return cam.div(tf.maximum(cam.max([1, 2], true), 1e-8)).dataSync() as Float32Array
  })
  return classes.map((_, n) => ({ values: maps.slice(n * height * width, (n + 1) * height * width), width, height }))
}

/** Pictures of where a model looked, for some images of a set: each as it is, and with the map over it. */
export async function gradCamBundle(
  model: LayersModel,
  set: ImageSet,
  predictions: Prediction[],
  options: GradCamOptions,
): Promise<MimeBundle> {
  const split = splitAt(model, options.layer),
    wanted = classIndex(model, options.class)
  if (split.shape.length !== 3) {
    throw new GraftError(
      `Grad-CAM needs a feature map [height, width, channels]; '${split.name}' gives [${split.shape.join(', ')}]. `
        + 'Leave `layer` out for the last one.',
    )
  }
  const names = labelsOf(model),
    cards = []
  for (const [i, one] of predictions.entries()) {
    host().signal.throwIfAborted()
    const label = wanted === null ? one.label : names[wanted]
    const [map] = camMaps(split, await set.pixels([i]), [...set.size, set.channels], [names.indexOf(label)])
    const picture = await set.bitmap(i)
    cards.push({
      one,
      label,
      pictures: [picture, overlay(picture, map.values, map.width, map.height)] as Bitmap[],
      focus: focusOf(map),
    })
  }
  const title = `Where '${model.name}' looks`
  const detail = `Grad-CAM at '${split.name}', ${split.shape[0]} × ${split.shape[1]} · bright: speaks for the class`
  const rows = cards.map(({ one, label, focus }) => [
    basename(one.file),
    label,
    `${(probabilityOf(one, label) * 100).toFixed(1)} %`,
    focus,
  ])
  return pictureCards({
    title,
    detail,
    cards: cards.map(({ one, label, pictures }) => ({
      pictures,
      label,
      probability: probabilityOf(one, label),
      truth: one.truth,
      file: one.file,
    })),
    text: `${title}: ${detail}\n${columns([['Image', 'Class', 'Probability', 'Most in'], [], ...rows], ['left', 'left', 'right', 'left'])}`,
  })
}

/** In which ninth of the picture most of the map lies, in words. */
function focusOf({ values, width, height }: CamMap): string {
  const sums = new Array<number>(9).fill(0)
  values.forEach((value, i) => {
    sums[Math.floor((Math.floor(i / width) / height) * 3) * 3 + Math.floor(((i % width) / width) * 3)] += value
  })
  const at = sums.indexOf(Math.max(...sums))
  if (!(sums[at] > 0)) return 'nowhere'
  const row = ['top', 'middle', 'bottom'][Math.floor(at / 3)],
    column = ['left', 'centre', 'right'][at % 3]
  return row === 'middle' ? column : column === 'centre' ? row : `${row} ${column}`
}
