import { inspect } from 'node:util'
import type { LayersModel } from '@tensorflow/tfjs'
import { cardOf } from '../card.ts'
import { GraftError, inWords } from '../error.ts'
import type { ImageShape } from './decode.ts'
import type { Range } from './set.ts'

/** The images wanted: their shape and pixel values. */
interface Input { shape: ImageShape, range: Range }

/** Height, width, channels and pixel values that are wanted of images: those a model takes, or a size in pixels. */
export function inputOf(size: LayersModel | [height: number, width: number] | number = 224, range?: Range): Input {
  const pair = Array.isArray(range) && range.length === 2 && range.every(Number.isFinite) && range[0] < range[1]
  if (range !== undefined && !pair) {
    throw new GraftError(`range must be the values of black and white, e.g. [0, 1] or [-1, 1]; received ${inWords(range)}.`)
  }
  if (typeof size === 'number') size = [size, size]
  if (Array.isArray(size)) {
    if (size.length !== 2 || !size.every(n => Number.isInteger(n) && n > 0 && n <= 16384)) {
      throw new GraftError('size must be a model, a number of pixels or [height, width], at most 16384; received ' +
        `${inspect(size)}.`)
    }
    return { shape: [...size, 3], range: range ?? [0, 1] }
  }
  const card = cardOf(size), input = size?.inputs?.[0]?.shape
  if (input?.length !== 4 || ![1, 3, null].includes(input[3])) {
    throw new GraftError(`expected a model that takes images, [batch, height, width, 3 or 1 channels]; ${input
      ? `its input is [${input.map(n => n ?? 'any').join(', ')}]` : `received ${inWords(size)}`}.`)
  }
  const [height, width] = [input[1] ?? card?.size[0], input[2] ?? card?.size[1]]
  if (!height || !width) {
    throw new GraftError('the model takes images of any size. Say which: data.images(folder, { size: 224 }).')
  }
  return { shape: [height, width, input[3] ?? 3], range: range ?? card?.range ?? [0, 1] }
}
