import type { Random } from '../random.ts'
import * as colour from './colour.ts'
import * as geometry from './geometry.ts'
import type { AugmentOptions, Extent } from './options.ts'
import type { Picture } from './picture.ts'

/** A number within an extent. */
export const within = (extent: Extent, random: Random): number => {
  const [low, high] = typeof extent === 'number' ? [-extent, extent] : extent
  return low + random() * (high - low)
}

/** An image changed as the options say; the generator decides how much. Turns, moves and windows are made in one go. */
export function change(picture: Picture, options: AugmentOptions, random: Random): Picture {
  const { height, width } = picture, { fill = 'reflect' } = options
  const affine = place(options, height, width, random)
  let out = affine === geometry.identity ? picture : geometry.transform(picture, affine, fill)
  if (options.randAugment) out = atRandom(out, options.randAugment === true ? {} : options.randAugment, fill, random)
  if (options.brightness !== undefined) out = colour.brightness(out, within(options.brightness, random))
  if (options.contrast !== undefined) out = colour.contrast(out, 1 + within(options.contrast, random))
  if (options.saturation !== undefined) {
    const factor = 0.5 + within(options.saturation / 2, random)
    out = colour.saturation(out, factor / (1 - factor + 1e-7))
  }
  if (options.hue !== undefined) out = colour.hue(out, within(options.hue / 2, random))
  if (options.noise) out = colour.noise(out, options.noise, random)
  if (options.cutOut) {
    const side = () => Math.sqrt(0.02 + random() * Math.max(0, options.cutOut! - 0.02))
    out = colour.erase(out, box(height, width, side(), side(), random))
  }
  return out
}

/** A rectangle somewhere within the image whose sides are these parts of its sides. */
export function box(height: number, width: number, vertical: number, horizontal: number, random: Random): colour.Box {
  const left = random() * width * (1 - horizontal), top = random() * height * (1 - vertical)
  return { left, top, right: left + horizontal * width, bottom: top + vertical * height }
}

/** Everything that moves pixels, as one transform. */
function place(
  { flip, rotate, zoom, translate, shear, crop }: AugmentOptions, height: number, width: number, random: Random,
): geometry.Affine {
  let out = geometry.identity
  const add = (next: geometry.Affine) => { out = out === geometry.identity ? next : geometry.then(out, next) }
  if (crop !== undefined) {
    const part = crop + random() * (1 - crop)
    add(geometry.crop(part, random() * height * (1 - part), random() * width * (1 - part)))
  }
  const axis = flip === true ? 'horizontal' : flip || ''
  if (/horizontal|both/.test(axis) && random() < 0.5) add(geometry.flipX(width))
  if (/vertical|both/.test(axis) && random() < 0.5) add(geometry.flipY(height))
  if (zoom !== undefined) {
    const factor = 1 + within(zoom, random)
    add(geometry.zoom(factor, factor, height, width))
  }
  if (shear !== undefined) add(geometry.shear(within(shear, random), within(shear, random)))
  if (rotate !== undefined) add(geometry.rotation(within(rotate, random), height, width))
  if (translate !== undefined) add(geometry.translation(within(translate, random) * height, within(translate, random) * width))
  return out
}

/** RandAugment's changes, with Keras's extents for a magnitude. */
const changes: ((picture: Picture, magnitude: number, fill: geometry.Fill, random: Random) => Picture)[] = [
  (p, m, fill, random) => geometry.transform(p, geometry.shear(within(m, random), within(m, random)), fill),
  (p, m, fill, random) =>
    geometry.transform(p, geometry.translation(within(m, random) * p.height, within(m, random) * p.width), fill),
  (p, m, fill, random) => geometry.transform(p, geometry.rotation(within(m, random), p.height, p.width), fill),
  (p, m, _, random) => colour.brightness(p, within(m, random)),
  (p, m, _, random) => colour.fade(p, random() * m),
  (p, m, _, random) => colour.contrast(p, 1 + within(m, random)),
  (p, m, _, random) => colour.sharpness(p, random() * m),
  (p, m) => colour.posterize(p, Math.max(1, Math.floor(8 * m))),
  (p, m, _, random) => colour.solarize(p, random() * m, random() * m),
  p => colour.autoContrast(p),
  p => colour.equalize(p),
]

function atRandom(picture: Picture, { count = 2, magnitude = 0.5 }: { count?: number, magnitude?: number }, fill: geometry.Fill,
  random: Random): Picture {
  let out = picture
  for (let i = 0; i < count; i++) out = changes[Math.floor(random() * changes.length)](out, magnitude, fill, random)
  return out
}
