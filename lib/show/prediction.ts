import { basename } from 'node:path'
import { inspect } from 'node:util'
import { evenly } from '../data/evenly.ts'
import type { MimeBundle } from '../host.ts'
import type { Prediction, Predictions, Score } from '../train/prediction.ts'
import { photoFigure } from './figure.ts'
import { columns, count, percent, plural, shorten } from './format.ts'
import { palette } from './palette.ts'
import { drawing, image, rect, text, titles } from './svg.ts'
import { thumbnail } from './thumbnail.ts'

const edge = 16
const card = { width: 196, height: 104, gap: 12 }
const perRow = 4
const tint = { first: '#b5d9ee', wrong: '#f5c4bf', other: '#dfe4e9' }

/** One prediction: the image as the model saw it, and its five most likely classes with their probabilities. */
export async function predictionBundle(prediction: Prediction): Promise<MimeBundle> {
  const side = 160
  const width = 560
  const x = edge + side + 24
  const wrong = isWrong(prediction)
  const bars = prediction.scores.slice(0, 5)
    .map((score, i) => bar(x, edge + 60 + i * 20, width - x - edge, score, 40, tintOf(i, wrong)))
  const svg = drawing(
    width,
    side + 2 * edge,
    await picture(prediction, edge, edge, side),
    text(x, edge + 20, heading(prediction), { size: 18, fill: wrong ? palette.bad : palette.ink, bold: true }),
    text(x, edge + 40, shorten(basename(prediction.file), 56), { fill: palette.faint }),
    ...bars,
  )
  return photoFigure(svg, { alt: inspect(prediction), text: inspect(prediction) })
}

/**
 * Predictions as a grid of images, each with its three most likely classes; right and wrong ones differ by sign, word and
 * colour. Of a long list an even selection is shown, and the share that is right counts all.
 */
export async function predictionsBundle(all: Predictions, options: { count?: number } = {}): Promise<MimeBundle> {
  const shown = evenly(all.length, options.count ?? 12).map(i => all[i])
  return grid(all, shown, headline(all, shown.length))
}

/** The predictions that are most wrong: those whose true class got the least probability; unknown ones by how unsure they are. */
export async function worstBundle(all: Predictions, options: { count?: number } = {}): Promise<MimeBundle> {
  const chance = (one: Prediction) => one.truth === null ? one.confidence : one.scores.find(score => score.label === one.truth)?.probability ?? 0
  const shown = all.toSorted((a, b) => chance(a) - chance(b)).slice(0, options.count ?? 12), wrong = all.filter(isWrong).length
  const known = all.some(one => one.truth !== null)
  return grid(all, shown, {
    title: known ? `The ${shown.length} worst of ${plural(all.length, 'image')}` : `The ${shown.length} least sure of ${plural(all.length, 'image')}`,
    detail: shown.length ? `${known ? `${count(wrong)} of all are wrong · the true class here got` : 'confidence'} ${percent(chance(shown[0]))} to ${percent(chance(shown.at(-1)!))}` : 'none',
  })
}

async function grid(all: Predictions, shown: Prediction[], { title, detail }: { title: string, detail: string }): Promise<MimeBundle> {
  const left = (i: number) => edge + (i % perRow) * (card.width + card.gap)
  const top = (i: number) => 64 + Math.floor(i / perRow) * (card.height + card.gap)
  const cards = await Promise.all(shown.map((one, i) => cell(one, left(i), top(i))))
  const svg = drawing(left(perRow - 1) + card.width + edge, top(shown.length + perRow - 1) + 4, titles(title, detail), ...cards)
  return photoFigure(svg, { alt: `${title}, ${detail}`, text: predictionsText(all, shown, `${title}, ${detail}`) })
}

/** The same in letters: a line for the whole, a line per image. */
function predictionsText(all: Predictions, shown: Prediction[], heading: string): string {
  const known = all.some(one => one.truth !== null)
  const rows = shown.map(one => [
    shorten(basename(one.file), 32),
    ...(known ? [one.truth ?? '–'] : []),
    one.label,
    percent(one.confidence),
    one.truth === null ? '' : one.truth === one.label ? '✓' : '✗ wrong',
  ])
  const head = ['Image', ...(known ? ['True'] : []), 'Predicted', 'Confidence', '']
  const align = ['left', ...(known ? ['left' as const] : []), 'left', 'right', 'left'] as const
  return `${heading}\n${columns([head, [], ...rows], align)}`
}

function headline(all: Predictions, shown: number): { title: string; detail: string } {
  const { accuracy } = all
  const known = all.filter(one => one.truth !== null)
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
  const side = 72
  const left = x + 8 + side + 10
  const color = wrong ? palette.bad : palette.ink
  const frame = wrong ? { stroke: color, 'stroke-width': 2 } : { stroke: palette.edge, 'stroke-width': 1 }
  const sign = one.truth === null ? '' : wrong ? '✗' : '✓'
  const bars = one.scores.slice(0, 3)
    .map((score, i) => bar(left, y + 35 + i * 21, card.width - side - 26, score, 11, tintOf(i, wrong)))
  const under = wrong ? `true: ${shorten(one.truth!, 8)}` : shorten(basename(one.file), 13)
  return [
    rect(x, y, card.width, card.height, { rx: 6, fill: 'none', ...frame }),
    await picture(one, x + 8, y + 8, side),
    text(left, y + 22, shorten(one.label, 9), { size: 14, fill: color, bold: true }),
    text(x + card.width - 10, y + 22, sign, { size: 14, fill: wrong ? color : palette.good, bold: true, anchor: 'end' }),
    ...bars,
    text(x + 8 + side / 2, y + 96, under, { size: 11, fill: wrong ? color : palette.faint, bold: wrong, anchor: 'middle' }),
  ].join('')
}

/** A class with its probability: its name over a bar, the percentage at the end of a line `wide` pixels long. */
function bar(x: number, y: number, wide: number, { label, probability }: Score, letters: number, fill: string): string {
  const track = wide - 36
  return rect(x, y - 2, track, 16, { rx: 3, fill: '#f3f5f7' })
    + rect(x, y - 2, Math.max(1, track * probability), 16, { rx: probability > 0.05 ? 3 : 0, fill })
    + text(x + 5, y + 10, shorten(label, letters), { size: 11 })
    + text(x + wide, y + 10, `${Math.round(probability * 100)} %`, { size: 11, fill: palette.faint, anchor: 'end' })
}

const tintOf = (rank: number, wrong: boolean) => rank > 0 ? tint.other : wrong ? tint.wrong : tint.first

const isWrong = ({ label, truth }: Prediction) => truth !== null && truth !== label

const heading = ({ label, truth }: Prediction) =>
  truth === null ? label : truth === label ? `✓ ${label}` : `✗ ${label}, but it is ${truth}`

const picture = async (prediction: Prediction, x: number, y: number, side: number) =>
  image(x, y, side, await thumbnail(await prediction.picture(), 2 * side))
