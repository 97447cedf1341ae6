import type { LayersModel } from '@tensorflow/tfjs'
import { didYouMean, GraftError } from '../../error.ts'
import { labelsOf } from '../../train/labels.ts'
import type { Prediction } from '../../train/prediction.ts'

/** The index of a class that is named, or `null` where none is. */
export function classIndex(model: LayersModel, wanted: string | number | undefined): number | null {
  if (wanted === undefined) return null
  const names = labelsOf(model),
    index = typeof wanted === 'number' ? wanted : names.indexOf(wanted)
  if (Number.isInteger(index) && index >= 0 && index < names.length) return index
  throw new GraftError(
    `unknown class: ${typeof wanted === 'string' ? `'${wanted}'.${didYouMean(wanted, names)}` : `${wanted}.`} `
      + `The model knows ${names.length}: ${names.slice(0, 10).join(', ')}${names.length > 10 ? ', …' : ''}.`,
  )
}

/** How likely a prediction holds a class. */
export const probabilityOf = (one: Prediction, label: string): number =>
  one.scores.find(score => score.label === label)?.probability ?? NaN
