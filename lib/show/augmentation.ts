import type { ImageSet } from '../data/set.ts'
import type { MimeBundle } from '../host.ts'
import { photoFigure } from './figure.ts'
import { plural, shorten } from './format.ts'
import { palette } from './palette.ts'
import { drawing, image, text, titles } from './svg.ts'
import { thumbnail } from './thumbnail.ts'

export interface AugmentationOptions {
  /** How many images are shown. Default 4, of different classes. */
  count?: number
  /** How many variants of each. Default 7. */
  variants?: number
}

const side = 92
const gap = 8

/** Some training images, and beside each what the model gets of it in one epoch after the other. */
export async function augmentationBundle(set: ImageSet, { count = 4, variants = 7 }: AugmentationOptions): Promise<MimeBundle> {
  const shown = spread(set, count), views = Array.from({ length: variants }, (_, v) => set.variant(v + 1))
  const words = Object.entries(set.augmentation!.options).map(([name, value]) => `${name}: ${JSON.stringify(value)}`).join(', ')
  const heading = `${plural(shown.length, 'image')} and ${plural(variants, 'variant')} of each`
  const out = [titles(heading, shorten(words, 110))]
  let y = 64
  for (const i of shown) {
    out.push(image(16, y, side, await thumbnail(await set.bitmap(i), 2 * side)),
      text(16, y + side + 13, shorten(set.classes[set.labels[i]], 14), { size: 11, bold: true }))
    for (const [v, view] of views.entries()) {
      const x = 16 + (v + 1) * (side + gap) + gap
      const parts = [...view.truth(i)].map((part, c) => ({ part, name: set.classes[c] })).filter(({ part }) => part > 0.005)
      out.push(image(x, y, side, await thumbnail(await view.bitmap(i), 2 * side)))
      if (parts.length > 1) {
        const label = parts.sort((a, b) => b.part - a.part).slice(0, 2)
          .map(({ part, name }) => `${shorten(name, 6)} ${Math.round(part * 100)}`).join(' + ')
        out.push(text(x, y + side + 13, `${label} %`, { size: 10, fill: palette.faint }))
      }
    }
    y += side + 24
  }
  const svg = drawing(16 + (variants + 1) * (side + gap) + gap + 8, y + 4, ...out)
  return photoFigure(svg, { alt: `Augmentation: ${heading}`, text: `Augmentation: ${words}; ${heading}` })
}

/** The first image of each class, then the second ones. */
function spread(set: ImageSet, count: number): number[] {
  const rank = new Map<number, number>()
  const ranked = Array.from(set.labels, (label, i) => {
    const nth = rank.get(label) ?? 0
    rank.set(label, nth + 1)
    return { i, nth }
  })
  return ranked.sort((a, b) => a.nth - b.nth || a.i - b.i).slice(0, count).map(({ i }) => i)
}
