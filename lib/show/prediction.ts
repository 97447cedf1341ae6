import { basename } from 'node:path'
import { inspect } from 'node:util'
import type { MimeBundle } from '../host.ts'
import type { Prediction, Predictions } from '../train/prediction.ts'
import { figure } from './figure.ts'
import { escape, percent, plural, shorten } from './format.ts'
import { thumbnail } from './images.ts'
import { palette } from './palette.ts'

const most = { classes: 5, images: 40 }

/** One prediction: the image, and its most likely classes as bars. */
export async function predictionBundle(prediction: Prediction): Promise<MimeBundle> {
  const scores = prediction.scores.slice(0, most.classes), side = 160, bars = 200, height = Math.max(side + 24, 60 + scores.length * 26)
  const out = [image(await thumbnail(await prediction.picture(), 2 * side), 12, 12, side)]
  const name = prediction.file ? ` · ${shorten(basename(prediction.file), 40)}` : ''
  out.push(text(side + 32, 32, `${prediction.label}  ${percent(prediction.confidence)}`, 16, palette.ink, 600))
  out.push(text(side + 32, 50, `${verdict(prediction)}${name}`.replace(/^ · /, ''), 11, palette.faint))
  scores.forEach(({ label, probability }, i) => {
    const y = 64 + i * 24, x = side + 32
    out.push(text(x, y + 12, shorten(label, 18), 12))
    out.push(`<rect x="${x + 130}" y="${y + 2}" width="${bars}" height="13" rx="2" fill="${palette.grid}"/>`)
    out.push(`<rect x="${x + 130}" y="${y + 2}" width="${Math.max(1, probability * bars).toFixed(1)}" height="13" rx="2" ` +
      `fill="${i === 0 ? palette.train : '#9aa5b1'}"/>`)
    out.push(text(x + 138 + bars, y + 12, percent(probability), 12))
  })
  return figure(`<svg width="${side + 32 + 138 + bars + 60}" height="${height}">${out.join('')}</svg>`, { alt: inspect(prediction) })
}

/** Many predictions as a grid: each image with its class, those that are wrong marked by colour and word. */
export async function predictionsBundle(predictions: Predictions): Promise<MimeBundle> {
  const shown = predictions.slice(0, most.images), side = 72, wide = 92, high = 112, columns = 10
  const { accuracy } = predictions
  const heading = `${plural(predictions.length, 'prediction')}${accuracy === null ? '' : `, ${percent(accuracy)} right`}`
  const out = [text(12, 26, heading, 16, palette.ink, 600)]
  for (const [i, prediction] of shown.entries()) {
    const x = 12 + i % columns * wide, y = 40 + Math.floor(i / columns) * high, wrong = prediction.truth !== null && prediction.truth !== prediction.label
    out.push(image(await thumbnail(await prediction.picture(), 2 * side), x, y, side))
    if (wrong) out.push(`<rect x="${x - 1}" y="${y - 1}" width="${side + 2}" height="${side + 2}" fill="none" stroke="${palette.bad}" stroke-width="2"/>`)
    out.push(text(x, y + side + 14, `${shorten(prediction.label, 9)} ${percent(prediction.confidence)}`, 11, wrong ? palette.bad : palette.ink, 600))
    const below = wrong ? `is ${shorten(prediction.truth!, 11)}` : prediction.truth === null ? shorten(basename(prediction.file), 14) : ''
    if (below) out.push(text(x, y + side + 27, below, 10, wrong ? palette.bad : palette.faint))
  }
  const rows = Math.max(1, Math.ceil(shown.length / columns)), rest = predictions.length - shown.length
  const height = 48 + rows * high
  if (rest) out.push(text(12, height, `… and ${rest} more`, 11, palette.faint))
  const width = 12 + Math.max(4, Math.min(columns, shown.length)) * wide
  return figure(`<svg width="${width}" height="${height + 10}">${out.join('')}</svg>`, { alt: heading, text: inspect(predictions) })
}

const verdict = ({ truth, label }: Prediction) => truth === null ? '' : truth === label ? 'right' : `wrong: it is ${truth}`

const image = (href: string, x: number, y: number, side: number) => `<image x="${x}" y="${y}" width="${side}" height="${side}" href="${href}"/>`

const text = (x: number, y: number, words: string, size: number, fill: string = palette.ink, weight = 400) =>
  `<text x="${x}" y="${y}" font-size="${size}" font-weight="${weight}" fill="${fill}">${escape(words)}</text>`
