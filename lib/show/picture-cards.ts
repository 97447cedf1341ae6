import { basename } from 'node:path'
import type { Bitmap } from '../data/resize.ts'
import type { MimeBundle } from '../host.ts'
import { photoFigure } from './figure.ts'
import { shorten } from './format.ts'
import { palette } from './palette.ts'
import { drawing, image, rect, text, titles } from './svg.ts'
import { thumbnail } from './thumbnail.ts'

/** One image of a grid with what was drawn of it beside it: a map over it, its neighbours, … */
export interface PictureCard {
  pictures: Bitmap[]
  label: string
  probability?: number
  truth?: string | null
  file?: string
}

const edge = 16,
  gap = 12,
  pad = 8

/** A grid of cards, each with its pictures side by side and a line of words under them. */
export async function pictureCards({
  title,
  detail,
  cards,
  text: words,
  side = 128,
  width = 810,
}: {
  title: string
  detail: string
  cards: PictureCard[]
  text: string
  side?: number
  width?: number
}): Promise<MimeBundle> {
  const wide = Math.max(1, ...cards.map(({ pictures }) => pictures.length)) * (side + 6) - 6 + 2 * pad,
    high = side + 2 * pad + 24
  const perRow = Math.max(1, Math.min(cards.length, Math.floor((width - 2 * edge + gap) / (wide + gap))))
  const drawn = await Promise.all(
    cards.map((card, i) =>
      cardAt(card, edge + (i % perRow) * (wide + gap), 64 + Math.floor(i / perRow) * (high + gap), wide, high, side),
    ),
  )
  const all = Math.max(420, 2 * edge + perRow * (wide + gap) - gap)
  return photoFigure(
    drawing(
      all,
      64 + Math.ceil(cards.length / perRow) * (high + gap) + 4,
      titles(title, shorten(detail, Math.floor(all / 6.3))),
      ...drawn,
    ),
    { alt: `${title}: ${detail}`, text: words },
  )
}

async function cardAt(
  { pictures, label, probability, truth, file }: PictureCard,
  x: number,
  y: number,
  wide: number,
  high: number,
  side: number,
) {
  const wrong = typeof truth === 'string' && truth !== label,
    ink = wrong ? palette.bad : palette.ink
  const sign = typeof truth !== 'string' ? '' : wrong ? '✗ ' : '✓ '
  const sure = probability === undefined ? '' : ` ${Math.round(probability * 100)} %`
  const room = Math.floor((wide - 2 * pad) / 6.6),
    line = `${sign}${label}${sure}${wrong ? `, true: ${truth}` : ''}`
  const name = file ? basename(file) : '',
    left = room - line.length - 2
  return (
    rect(x, y, wide, high, { rx: 6, fill: 'none', stroke: wrong ? ink : palette.edge, 'stroke-width': wrong ? 2 : 1 })
    + (
      await Promise.all(
        pictures.map(async (picture, n) =>
          image(
            x + pad + n * (side + 6),
            y + pad,
            side,
            await thumbnail(picture, 2 * side, Math.max(picture.width, picture.height) < side),
          ),
        ),
      )
    ).join('')
    + text(x + pad, y + high - 11, shorten(line, room), { fill: ink, bold: true })
    + (left > 7 && name
      ? text(x + wide - pad, y + high - 11, shorten(name, left), { size: 11, fill: palette.faint, anchor: 'end' })
      : '')
  )
}
