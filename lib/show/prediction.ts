import { basename } from 'node:path'
import { inspect } from 'node:util'
import type { MimeBundle } from '../host.ts'
import type { Prediction, Predictions, Score } from '../train/prediction.ts'
import { photoFigure } from './figure.ts'
import { columns, count, escape, percent, plural, shorten } from './format.ts'
import { palette } from './palette.ts'
import { thumbnail } from './thumbnail.ts'

const edge = 16,
  card = { width: 196, height: 104, gap: 12 },
  perRow = 4
const tint = { first: '#b5d9ee', wrong: '#f5c4bf', other: '#dfe4e9' }

/** One prediction: the image as the model saw it, and its five most likely classes with their probabilities. */
export async function predictionBundle(prediction: Prediction): Promise<MimeBundle> {
  const side = 160,
    height = side + 2 * edge,
    width = 560,
    x = edge + side + 24
  const top = prediction.scores.slice(0, 5),
    wrong = isWrong(prediction)
  const words = [heading(prediction), prediction.file ? shorten(basename(prediction.file), 56) : '']
  const bars = top.map((score, i) =>
    bar(x, edge + 60 + i * 20, width - x - edge, score, 40, i > 0 ? tint.other : wrong ? tint.wrong : tint.first),
  )
  const svg =
    `<svg width="${width}" height="${height}">${await picture(prediction, edge, edge, side)}`
    + text(x, edge + 20, words[0], 18, wrong ? palette.bad : palette.ink, 600)
    + text(x, edge + 40, words[1], 12, palette.faint)
    + `${bars.join('')}</svg>`
  return photoFigure(svg, { alt: inspect(prediction), text: inspect(prediction) })
}

/**
 * Predictions as a grid of images, each with its three most likely classes; right and wrong ones differ by sign, word and
 * colour. Of a long list an even selection is shown, and the share that is right counts all.
 */
export async function predictionsBundle(all: Predictions, options: { count?: number } = {}): Promise<MimeBundle> {
  const shown = evenly(all, options.count ?? 12)
  const cards = await Promise.all(
    shown.map((one, i) =>
      cell(one, edge + (i % perRow) * (card.width + card.gap), 64 + Math.floor(i / perRow) * (card.height + card.gap)),
    ),
  )
  const height = 64 + Math.ceil(shown.length / perRow) * (card.height + card.gap) + 4
  const width = 2 * edge + perRow * card.width + (perRow - 1) * card.gap
  const { title, detail } = headline(all, shown.length)
  const svg = `<svg width="${width}" height="${height}">${text(edge, 28, title, 16, palette.ink, 600)}${text(edge, 47, detail, 12, palette.faint)}${cards.join('')}</svg>`
  return photoFigure(svg, { alt: `${title}, ${detail}`, text: predictionsText(all, shown) })
}

/** The same in letters: a line for the whole, a line per image. */
function predictionsText(all: Predictions, shown: Prediction[]): string {
  const { title, detail } = headline(all, shown.length),
    known = all.some(one => one.truth !== null)
  const rows = shown.map(one => [
    shorten(basename(one.file), 32),
    ...(known ? [one.truth ?? '–'] : []),
    one.label,
    percent(one.confidence),
    one.truth === null ? '' : one.truth === one.label ? '✓' : '✗ wrong',
  ])
  const head = ['Image', ...(known ? ['True'] : []), 'Predicted', 'Confidence', '']
  return `${title}, ${detail}\n${columns([head, [], ...rows], ['left', ...(known ? ['left' as const] : []), 'left', 'right', 'left'])}`
}

function headline(all: Predictions, shown: number): { title: string; detail: string } {
  const { accuracy } = all,
    known = all.filter(one => one.truth !== null)
  const some = shown < all.length ? `${count(shown)} of ${plural(all.length, 'image')} shown` : plural(all.length, 'image')
  if (accuracy === null) return { title: plural(all.length, 'prediction'), detail: some }
  const wrong = known.filter(isWrong).length
  return {
    title: `${percent(accuracy)} right`,
    detail: `${count(known.length - wrong)} of ${count(known.length)} predictions are right, ${count(wrong)} wrong · ${some}`,
  }
}

async function cell(one: Prediction, x: number, y: number): Promise<string> {
  const wrong = isWrong(one)
  const frame = `<rect x="${x}" y="${y}" width="${card.width}" height="${card.height}" rx="6" fill="none" stroke="${wrong ? palette.bad : palette.edge}" stroke-width="${wrong ? 2 : 1}"/>`
  const side = 72,
    left = x + 8 + side + 10,
    wide = card.width - side - 26
  const sign =
    one.truth === null
      ? ''
      : text(x + card.width - 10, y + 22, wrong ? '✗' : '✓', 14, wrong ? palette.bad : palette.good, 600, 'end')
  const bars = one.scores
    .slice(0, 3)
    .map((score, i) => bar(left, y + 35 + i * 21, wide, score, 11, i > 0 ? tint.other : wrong ? tint.wrong : tint.first))
  const under = wrong ? `true: ${shorten(one.truth!, 8)}` : shorten(basename(one.file), 13)
  return (
    frame
    + (await picture(one, x + 8, y + 8, side))
    + text(left, y + 22, shorten(one.label, 9), 14, wrong ? palette.bad : palette.ink, 600)
    + sign
    + bars.join('')
    + (under ? text(x + 8 + side / 2, y + 96, under, 11, wrong ? palette.bad : palette.faint, wrong ? 600 : 400, 'middle') : '')
  )
}

/** A class with its probability: its name over a bar, the percentage at the end of a line `wide` pixels long. */
function bar(x: number, y: number, wide: number, { label, probability }: Score, letters: number, color: string): string {
  const track = wide - 36
  return (
    `<rect x="${x}" y="${y - 2}" width="${track}" height="16" rx="3" fill="#f3f5f7"/>`
    + `<rect x="${x}" y="${y - 2}" width="${Math.max(1, track * probability).toFixed(1)}" height="16" rx="${probability > 0.05 ? 3 : 0}" fill="${color}"/>`
    + text(x + 5, y + 10, shorten(label, letters), 11, palette.ink)
    + text(x + wide, y + 10, `${Math.round(probability * 100)} %`, 11, palette.faint, 400, 'end')
  )
}

const isWrong = ({ label, truth }: Prediction) => truth !== null && truth !== label

const heading = ({ label, truth }: Prediction) =>
  truth === null ? label : truth === label ? `✓ ${label}` : `✗ ${label}, but it is ${truth}`

async function picture(prediction: Prediction, x: number, y: number, side: number): Promise<string> {
  const href = await thumbnail(await prediction.picture(), 2 * side)
  return `<image x="${x}" y="${y}" width="${side}" height="${side}" href="${href}"/>`
}

const text = (x: number, y: number, words: string, size: number, fill: string, weight = 400, anchor = 'start') =>
  `<text x="${x}" y="${y}" font-size="${size}" font-weight="${weight}" fill="${fill}" text-anchor="${anchor}">${escape(words)}</text>`

/** `n` of a list, spread over all of it. */
function evenly<T>(list: readonly T[], n: number): T[] {
  if (list.length <= n) return Array.from(list)
  return Array.from({ length: n }, (_, i) => list[Math.floor(((i + 0.5) * list.length) / n)])
}
