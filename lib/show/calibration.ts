import { GraftError } from '../error.ts'
import type { MimeBundle } from '../host.ts'
import type { Prediction } from '../train/prediction.ts'
import { figure } from './figure.ts'
import { columns, count, percent, plural } from './format.ts'
import { palette } from './palette.ts'
import { drawing, element, rect, text, titles } from './svg.ts'

/** One span of confidence: how many predictions fall into it, how sure they are on average, and how many are right. */
export interface Bin {
  from: number
  to: number
  count: number
  confidence: number
  accuracy: number
}

/** How far a model's confidence can be trusted. */
export interface Calibration {
  bins: Bin[]
  /** Expected calibration error: the mean distance between confidence and share right, weighed by the bins' counts. */
  error: number
  /** Mean confidence minus share right: above zero the model is too sure of itself. */
  excess: number
}

/**
 * Compares how sure a model is with how often it is right, in ten spans of confidence (Guo et al. 2017, "On Calibration of Modern
 * Neural Networks"). Spans are open at the left, as there. Throws where no true class is known.
 */
export function calibration(predictions: readonly Prediction[], spans = 10): Calibration {
  const known = predictions.filter(one => one.truth !== null)
  if (!known.length) {
    throw new GraftError(
      'calibration: expected predictions whose true classes are known, received none. '
        + 'Predict a data set: show.calibration(model, data.test).',
    )
  }
  const bins = Array.from({ length: spans }, (_, i): Bin => {
    const inside = known.filter(({ confidence }) => Math.max(0, Math.ceil(confidence * spans - 1e-9) - 1) === i)
    const right = inside.filter(one => one.label === one.truth).length
    return {
      from: i / spans,
      to: (i + 1) / spans,
      count: inside.length,
      confidence: mean(inside.map(one => one.confidence)),
      accuracy: right / inside.length,
    }
  })
  const held = bins.filter(bin => bin.count)
  return {
    bins,
    error: held.reduce((sum, bin) => sum + (bin.count / known.length) * Math.abs(bin.confidence - bin.accuracy), 0),
    excess: mean(known.map(one => one.confidence)) - known.filter(one => one.label === one.truth).length / known.length,
  }
}

const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length

/** The reliability diagram: share right over confidence; on the diagonal a model is as often right as it is sure. */
export function calibrationBundle(predictions: readonly Prediction[]): MimeBundle {
  const found = calibration(predictions),
    { title, detail } = headline(found)
  return figure(diagram(found), { alt: `Calibration: ${title}. ${detail}`, text: calibrationText(found) })
}

function diagram(found: Calibration): string {
  const side = 300,
    left = 62,
    top = 76,
    { bins } = found,
    { title, detail } = headline(found)
  const most = Math.max(...bins.map(bin => bin.count)),
    x = (v: number) => left + v * side,
    y = (v: number) => top + (1 - v) * side
  const faint = { size: 11, fill: palette.faint } as const
  const out = [titles(title, detail)]
  for (const at of [0, 0.25, 0.5, 0.75, 1]) {
    out.push(
      element('line', { x1: left, x2: left + side, y1: y(at), y2: y(at), stroke: palette.grid }),
      text(left - 8, y(at) + 4, `${at * 100} %`, { ...faint, anchor: 'end' }),
      text(x(at), top + side + 16, `${at * 100} %`, { ...faint, anchor: 'middle' }),
    )
  }
  for (const bin of bins.filter(bin => bin.count)) {
    const wide = side / bins.length - 2
    const [low, high] = [bin.confidence, bin.accuracy].sort((a, b) => a - b),
      left = x(bin.from) + 1
    out.push(
      rect(left, y(low), wide, low * side, { fill: palette.train }),
      rect(left, y(high), wide, (high - low) * side, {
        fill: bin.confidence > bin.accuracy ? palette.validation : palette.series[5],
      }),
    )
  }
  out.push(
    element('line', { x1: x(0), y1: y(0), x2: x(1), y2: y(1), stroke: palette.faint, 'stroke-dasharray': '4 3' }),
    text(left + side / 2, top + side + 34, 'confidence', { ...faint, anchor: 'middle' }),
    text(0, 0, 'share right', { ...faint, anchor: 'middle', transform: `translate(18,${top + side / 2}) rotate(-90)` }),
  )
  const across = left + side + 56
  const key = [
    [palette.train, 'sure and right'],
    [palette.validation, 'sure, but wrong'],
    [palette.series[5], 'right, but unsure'],
  ] as const
  for (const [i, [fill, words]] of key.entries()) {
    out.push(
      rect(left + i * 108, top + side + 46, 10, 10, { fill }),
      text(left + 15 + i * 108, top + side + 55, words, { size: 11 }),
    )
  }
  out.push(text(across, top - 6, 'predictions by confidence', { size: 12, bold: true }))
  for (const [i, bin] of bins.entries()) {
    const at = top + 12 + i * 27
    out.push(
      text(across + 78, at + 13, `${bin.from * 100}–${bin.to * 100} %`, { ...faint, anchor: 'end' }),
      rect(across + 86, at, Math.max(bin.count ? 1 : 0, (bin.count / most) * 150), 18, { fill: palette.train, rx: 2 }),
      text(across + 92 + (bin.count / most) * 150, at + 13, count(bin.count), faint),
    )
  }
  return drawing(across + 300, top + side + 68, ...out)
}

function headline({ error, excess, bins }: Calibration): { title: string; detail: string } {
  const all = bins.reduce((sum, bin) => sum + bin.count, 0)
  const way =
    Math.abs(excess) < 0.01
      ? 'about as often right as it is sure'
      : excess > 0
        ? 'more sure than it is right'
        : 'more often right than it is sure'
  return {
    title: `Calibration error ${percent(error)}`,
    detail: `${plural(all, 'prediction')}: ${way} (${excess > 0 ? '+' : '−'}${percent(Math.abs(excess))})`,
  }
}

function calibrationText(found: Calibration): string {
  const { title, detail } = headline(found)
  const rows = found.bins
    .filter(bin => bin.count)
    .map(bin => [`${bin.from * 100}–${bin.to * 100} %`, count(bin.count), percent(bin.confidence), percent(bin.accuracy)])
  return `${title}, ${detail}\n${columns([['Confidence', 'Images', 'Mean', 'Right'], [], ...rows], ['left', 'right', 'right', 'right'])}`
}
