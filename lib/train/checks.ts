import type { LayersModel } from '@tensorflow/tfjs'
import { cardOf } from '../card.ts'
import { checkModel } from '../customize/layers.ts'
import { ImageData } from '../data/images.ts'
import { ImageSet } from '../data/set.ts'
import { GraftError, inWords } from '../error.ts'

/** What a model is trained on: a data set, or images to train on and to validate with. */
export type TrainingData = ImageData | ImageSet | { train: ImageSet, validation?: ImageSet | null }

/** The two parts of the data. */
export function partsOf(data: TrainingData): { train: ImageSet, validation: ImageSet | null } {
  if (data instanceof ImageSet) return { train: data, validation: null }
  const train = data?.train
  if (!(train instanceof ImageSet)) {
    throw new GraftError('train(model, data): expected the answer of data.images(…), one of its parts, ' +
      `or { train, validation } of such; received ${inWords(data)}.${data instanceof Promise ? ' Await it first.' : ''}`)
  }
  const validation = (data instanceof ImageData ? data.parts : data).validation ?? null
  if (validation !== null && !(validation instanceof ImageSet)) {
    throw new GraftError(`train(model, data): expected validation to be a part of a data set, e.g. digits.validation; received ${
      inWords(validation)}.`)
  }
  return { train, validation }
}

/** Refuses, before any work, a model that cannot be trained on these images. */
export function checkFit(model: LayersModel, set: ImageSet): void {
  checkInput(model, set)
  if (!set.length) throw new GraftError('there are no images to train on: the set is empty.')
  if (model.outputs?.length !== 1 || model.outputs[0].shape.length !== 2) {
    throw new GraftError(`expected a model with one output [batch, classes]; received ${shapes(model.outputs)}. ` +
      'customize.extract(base, { classes: data.classes }) puts a head on it.')
  }
  const units = model.outputs[0].shape[1]!, wanted = set.classes.length
  if (units !== wanted && !(units === 1 && wanted === 2)) {
    throw new GraftError(`the model tells ${units} classes apart, the data has ${wanted} (${list(set.classes)}). ` +
      'Make the head for them: customize.extract(base, { classes: data.classes }).')
  }
  const named = cardOf(model)?.classes
  if (named && named.join('\n') !== set.classes.join('\n')) {
    throw new GraftError(`the model's classes are ${list(named)}, the data's ${list(set.classes)}: names and order must agree. ` +
      'Make the head for them: customize.extract(base, { classes: data.classes }).')
  }
}

/** Refuses images of another size or pixel range than the model takes. */
export function checkInput(model: LayersModel, set: ImageSet): void {
  checkModel(model)
  if (model.inputs?.length !== 1) {
    throw new GraftError(`expected a model with one input, the image; received ${shapes(model.inputs)}.`)
  }
  const expected = model.inputs[0].shape.slice(1), received = [...set.size, set.channels]
  if (expected.length !== 3 || expected.some((n, i) => n !== null && n !== received[i])) {
    throw new GraftError(`the model takes images of ${expected.map(n => n ?? 'any').join('×')}, the data has ` +
      `${received.join('×')}. Read them for this model: data.images(folder, { size: model }).`)
  }
  const range = cardOf(model)?.range
  if (range && (range[0] !== set.range[0] || range[1] !== set.range[1])) {
    throw new GraftError(`the model takes pixel values from ${range.join(' to ')}, the data has ${set.range.join(' to ')}. ` +
      'Read them for this model: data.images(folder, { size: model }).')
  }
}

const shapes = (tensors: { shape: (number | null)[] }[] | undefined) =>
  tensors?.map(({ shape }) => `[${shape.map(n => n ?? 'batch').join(', ')}]`).join(' and ') || 'none'

const list = (names: string[]) => names.length > 8 ? `${names.slice(0, 7).join(', ')}, … ${names.at(-1)}` : names.join(', ')

/** Refuses a number that is not what an option takes. */
export function checkNumber(name: string, value: number, kind: 'count' | 'positive'): void {
  const good = Number.isFinite(value) && value > 0 && (kind === 'positive' || Number.isInteger(value))
  if (good) return
  throw new GraftError(`${name} must be a ${kind === 'count' ? 'whole ' : ''}number above 0; received ${inWords(value)}.`)
}
