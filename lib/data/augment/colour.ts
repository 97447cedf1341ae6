import type { Random } from '../random.ts'
import { clamp, type Picture } from './picture.ts'

/** A copy with each value changed. */
const each = (picture: Picture, change: (value: number, i: number) => number): Picture =>
  ({ ...picture, values: picture.values.map(change) })

/** Lighter or darker by `delta`, -1 to 1 (keras.layers.RandomBrightness). */
export const brightness = (picture: Picture, delta: number): Picture => each(picture, value => clamp(value + delta))

/** Further from the mean of its channel, or nearer (keras.layers.RandomContrast). 1 changes nothing. */
export function contrast(picture: Picture, factor: number): Picture {
  const { channels } = picture, count = picture.height * picture.width
  const means = perChannel(picture, 0, (sum, value) => sum + value).map(sum => sum / count)
  return each(picture, (value, i) => clamp((value - means[i % channels]) * factor + means[i % channels]))
}

/** Each channel's values, folded into one. */
function perChannel({ values, channels }: Picture, start: number, fold: (so: number, value: number) => number): number[] {
  const out = new Array<number>(channels).fill(start)
  for (let i = 0; i < values.length; i++) out[i % channels] = fold(out[i % channels], values[i])
  return out
}

/** Every colour turned on the wheel, by a part of a full turn (keras.layers.RandomHue). Grey images stay. */
export const hue = (picture: Picture, turn: number): Picture => inHsv(picture, hsv => { hsv[0] += turn })

/** Colours stronger or weaker; 0 is grey, 1 changes nothing (keras.layers.RandomSaturation). Grey images stay. */
export const saturation = (picture: Picture, factor: number): Picture =>
  inHsv(picture, hsv => { hsv[1] = clamp(hsv[1] * factor) })

function inHsv(picture: Picture, change: (hsv: [number, number, number]) => void): Picture {
  if (picture.channels !== 3) return picture
  const values = new Float32Array(picture.values.length), hsv: [number, number, number] = [0, 0, 0]
  for (let i = 0; i < values.length; i += 3) {
    const r = picture.values[i], g = picture.values[i + 1], b = picture.values[i + 2]
    const value = Math.max(r, g, b), spread = value - Math.min(r, g, b)
    const sector = !spread ? 0 : value === r ? (g - b) / spread : value === g ? 2 + (b - r) / spread : 4 + (r - g) / spread
    hsv[0] = sector / 6
    hsv[1] = value > 0 ? spread / value : 0
    hsv[2] = value
    change(hsv)
    // tensorflow/core/kernels/image/colorspace_op.h, from a hue between 0 and 1.
    const six = (hsv[0] - Math.floor(hsv[0])) * 6, [, s, v] = hsv
    values[i] = clamp(v * (1 - s + s * clamp(Math.abs(six - 3) - 1)))
    values[i + 1] = clamp(v * (1 - s + s * clamp(2 - Math.abs(six - 2))))
    values[i + 2] = clamp(v * (1 - s + s * clamp(2 - Math.abs(six - 4))))
  }
  return { ...picture, values }
}

/** Nearer to grey: 0 changes nothing, 1 is grey (keras.layers.RandomColorDegeneration). */
export function fade(picture: Picture, factor: number): Picture {
  if (picture.channels !== 3) return picture
  const { values } = picture
  return each(picture, (value, i) => {
    const p = i - i % 3, grey = 0.2989 * values[p] + 0.587 * values[p + 1] + 0.114 * values[p + 2]
    return clamp(value + factor * (grey - value))
  })
}

/** Sharper above 0.5, smoother below (keras.layers.RandomSharpness). Beyond the edge lies black. */
export function sharpness(picture: Picture, factor: number): Picture {
  const { values, height, width, channels } = picture, row = width * channels
  return each(picture, (value, i) => {
    const x = Math.floor(i / channels) % width, y = Math.floor(i / row)
    let sum = 4 * value
    for (let dy = -1; dy <= 1; dy++) {
      for (let dx = -1; dx <= 1; dx++) {
        if (y + dy >= 0 && y + dy < height && x + dx >= 0 && x + dx < width) sum += values[i + dy * row + dx * channels]
      }
    }
    return clamp(value + (1 - 2 * factor) * (sum / 13 - value))
  })
}

/** What is lighter than the threshold, after an addition, is inverted (keras.layers.Solarization). Both as parts of white. */
export const solarize = (picture: Picture, addition: number, threshold: number): Picture => each(picture, value => {
  const lighter = clamp(value + addition)
  return lighter < threshold ? lighter : 1 - lighter
})

/** Fewer tones: `bits` of the eight (keras.layers.RandomPosterization). */
export const posterize = (picture: Picture, bits: number): Picture =>
  each(picture, value => (Math.floor(value * 255) >> (8 - bits) << (8 - bits)) / 255)

/** Each channel stretched from black to white (keras.layers.AutoContrast). */
export function autoContrast(picture: Picture): Picture {
  const low = perChannel(picture, Infinity, Math.min), high = perChannel(picture, -Infinity, Math.max)
  return each(picture, (value, i) => {
    const c = i % picture.channels
    return high[c] > low[c] ? clamp((value - low[c]) / (high[c] - low[c])) : value
  })
}

/** Each channel's tones spread evenly, in 256 steps (keras.layers.Equalization). */
export function equalize(picture: Picture): Picture {
  const { channels } = picture, tone = (value: number) => Math.min(255, Math.floor(Math.fround(value * 255)))
  const tables = Array.from({ length: channels }, (_, c) => {
    const counts = new Array<number>(256).fill(0)
    picture.values.forEach((value, i) => { if (i % channels === c) counts[tone(value)]++ })
    if (counts.filter(Boolean).length <= 1) return null
    let sum = 0
    const sums = counts.map(count => sum += count), first = sums.find(count => count > 0)!
    return sums.map(count => nearestEven((count - first) * 255 / (sum - first || 1)) / 255)
  })
  return each(picture, (value, i) => tables[i % channels]?.[tone(value)] ?? value)
}

/** Rounded as IEEE 754 and TensorFlow do: of two that are as near the even one. */
const nearestEven = (value: number) => value % 1 === 0.5 ? 2 * Math.round(value / 2) : Math.round(value)

/** Gaussian noise of this standard deviation, as a part of white (keras.layers.GaussianNoise, cut to the range). */
export function noise(picture: Picture, deviation: number, random: Random): Picture {
  return each(picture, value => clamp(value + deviation * normal(random)))
}

/** A number of the standard normal distribution (Box and Muller, 1958). */
export const normal = (random: Random): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())

/** A rectangle, in pixels: from the first whole one within to the last. */
export interface Box { top: number, left: number, bottom: number, right: number }

/** Whether a value of a picture lies within. */
const inside = ({ top, left, bottom, right }: Box, { width, channels }: Picture, i: number) => {
  const x = Math.floor(i / channels) % width, y = Math.floor(i / (width * channels))
  return x >= left && x < right && y >= top && y < bottom
}

/** Part of the image greyed out (DeVries and Taylor, "Cutout", 2017; keras.layers.RandomErasing with a fill value). */
export const erase = (picture: Picture, box: Box, fill = 0.5): Picture =>
  each(picture, (value, i) => inside(box, picture, i) ? fill : value)

/** Part of the image from another one (Yun et al., "CutMix", 2019). */
export const patch = (picture: Picture, other: Picture, box: Box): Picture =>
  each(picture, (value, i) => inside(box, picture, i) ? other.values[i] : value)

/** Both images over each other; `part` is the first one's (Zhang et al., "mixup", 2017). */
export const blend = (picture: Picture, other: Picture, part: number): Picture =>
  each(picture, (value, i) => part * value + (1 - part) * other.values[i])
