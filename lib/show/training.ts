import type { MimeBundle } from '../host.ts'
import { showable } from './bundle.ts'
import { asDocument, figure } from './figure.ts'
import { columns, measure, percent } from './format.ts'
import { lineChart, ticks, type Curve } from './line-chart.ts'
import { palette } from './palette.ts'
import { rateChart } from './rate-chart.ts'
import { circumstances, facts, headline, opened, summary } from './run-facts.ts'
import { epochsDone, isRunning, isShare, measures, type Measure, type RunView } from './run-view.ts'
import { drawing, element, rect, text, titles } from './svg.ts'

const width = 820
const panel = 258
const strip = 140
const header = 78
const edge = 8
const line = 17

/**
 * A training run as a plot: each measure on the training and the validation images, epoch by epoch, with the best epoch, the
 * time, the engine, how many images went through the frozen trunk, and the learning rate where it changed. A run that still goes on comes as SVG and text alone,
 * which cost less than a millisecond; a finished one also as PNG.
 *
 * @example
 * trainingPlot({ epochs: 3, seconds: 4.2, history: { loss: [2.3, 1.1, 0.6], accuracy: [0.1, 0.6, 0.8] } })
 */
export function trainingPlot(run: RunView): MimeBundle {
  const svg = trainingSvg(run)
  const words = trainingText(run)
  return isRunning(run)
    ? showable({ 'image/svg+xml': asDocument(svg, summary(run)).text, 'text/plain': words })
    : figure(svg, { alt: summary(run), text: words })
}

function trainingSvg(run: RunView): string {
  const all = measures(run)
  const wide = all.length > 1 ? (width - edge) / 2 : width - edge
  const charts = header + Math.ceil(all.length / 2) * panel
  const panels = all.map((one, i) => {
    const at = `translate(${edge + (i % 2) * wide},${header + Math.floor(i / 2) * panel})`
    return element('g', { transform: at }, chart(run, one, wide))
  })
  const rates = rateChart(run, { width: wide, height: strip, x: epochAxis(run) })
  // Beside the learning rate where there is one, else below the charts.
  const beside = rates && all.length > 1
  const said = (run.notes ?? []).flatMap(note => wrapped(note, beside ? 62 : 132)).slice(0, 8)
  const [left, first] = beside ? [edge + wide + 16, charts + 18] : [24, charts + (rates ? strip : 0) + 12]
  const height = beside ? charts + Math.max(strip, 26 + said.length * line) : first - 4 + said.length * line
  const bar = isRunning(run)
    ? [rect(0, 0, width, 3, { fill: palette.grid }), rect(0, 0, width * progressOf(run), 3, { fill: palette.train })]
    : []
  return drawing(width, height, ...bar, titles(headline(run), fitting(facts(run)), 24),
    text(24, 64, fitting(circumstances(run)), { fill: palette.faint }), ...panels,
    ...(rates ? [element('g', { transform: `translate(${edge},${charts})` }, rates)] : []),
    ...said.map((words, i) => text(left, first + i * line, words, { fill: palette.faint })))
}

/** The epochs that all charts of a run show. */
function epochAxis(run: RunView): [number, number] {
  const done = epochsDone(run), first = done === 0 || run.epochs === 1 ? 0 : 1
  return [first, Math.max(run.epochs, done, first + 1)]
}

/** Words in lines of at most so many letters. */
function wrapped(words: string, most: number): string[] {
  const lines = ['']
  for (const word of words.split(/\s+/)) {
    if (lines.at(-1) && lines.at(-1)!.length + word.length >= most) lines.push('')
    lines.push(`${lines.pop()} ${word}`.trim())
  }
  return lines
}

function chart(run: RunView, { name, train, validation }: Measure, wide: number): string {
  const share = isShare(name)
  const points = (values: number[]) => values.map((value, i): [number, number] => [i + 1, value])
  const label = (word: string, values: number[]) => `${word} ${share ? percent(values.at(-1)) : measure(values.at(-1))}`
  const curves: Curve[] = []
  const batches = name === 'loss' && isRunning(run) && run.batchLosses?.length ? batchPoints(run) : []
  if (batches.length) curves.push({ name: '', color: palette.train, text: palette.train, thin: true, points: batches })
  curves.push({ name: label('train', train), color: palette.train, text: palette.train, points: points(train) })
  if (validation) {
    curves.push({
      name: label('val.', validation),
      color: palette.validation,
      text: palette.validationText,
      dashed: true,
      points: points(validation),
    })
  }
  const best = run.bestEpoch && epochsDone(run) > 1 ? [{ x: run.bestEpoch, label: `best: ${run.bestEpoch}` }] : []
  const unfrozen = run.unfrozen ? [{ x: run.unfrozen.epoch - 1, color: palette.good }] : []
  const values = [...train, ...(validation ?? []), ...batches.map(([, value]) => value)].filter(Number.isFinite)
  return lineChart({
    title: title(name),
    width: wide,
    height: panel,
    curves,
    marks: [...unfrozen, ...best],
    x: { domain: epochAxis(run), label: 'epoch' },
    y: {
      domain: share ? shares(values) : amounts(values),
      format: value => (share ? `${Math.round(value * 100)} %` : String(value)),
    },
  })
}

/** The losses of the epoch that runs, spread over its width on the axis. */
function batchPoints(run: RunView): [number, number][] {
  const losses = run.batchLosses ?? []
  const done = epochsDone(run)
  const perEpoch = run.images && run.batch ? Math.ceil(run.images.train / run.batch) : losses.length
  return losses.map((loss, i) => [done + (i + 1) / Math.max(perEpoch, losses.length), loss])
}

function shares(values: number[]): [number, number] {
  const low = Math.min(1, ...values)
  return [low >= 0.9 ? 0.9 : low >= 0.5 ? 0.5 : 0, 1]
}

function amounts(values: number[]): [number, number] {
  const low = Math.min(0, ...values)
  const high = Math.max(...values, low)
  if (!(high > low)) return [low, low + 1]
  const steps = ticks(low, high, 5)
  const step = steps.length > 1 ? steps[1] - steps[0] : high - low
  return [low < 0 ? Math.floor(low / step) * step : 0, parseFloat((Math.ceil(high / step - 1e-9) * step).toPrecision(12))]
}

/** `meanAbsoluteError` → `Mean absolute error` */
function title(name: string): string {
  const words = name.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase()
  return words[0].toUpperCase() + words.slice(1)
}

function progressOf(run: RunView): number {
  const batches = run.images && run.batch ? (run.batchLosses?.length ?? 0) / Math.ceil(run.images.train / run.batch) : 0
  return Math.min(1, (epochsDone(run) + Math.min(1, batches)) / run.epochs)
}

/** As many facts as fit on the line. */
function fitting(facts: string[]): string {
  let line = facts[0] ?? ''
  for (const fact of facts.slice(1)) if (line.length + fact.length < 134) line += ` · ${fact}`
  return line
}

/** The run in letters: a line for the whole and a table of its epochs; of a long run the first, the best and the last ones. */
export function trainingText(run: RunView): string {
  const all = measures(run)
  const done = epochsDone(run)
  const heads = all.flatMap(one => [one.name, ...(one.validation ? [`val ${one.name}`] : [])])
  const cells = (i: number) =>
    all.flatMap(one =>
      [one.train, ...(one.validation ? [one.validation] : [])].map(values =>
        isShare(one.name) ? percent(values[i]) : measure(values[i]),
      ),
    )
  const row = (i: number) => [String(i + 1), ...cells(i), i + 1 === run.bestEpoch ? '← best' : '']
  const kept = Array.from({ length: done }, (_, i) => i).filter(
    i => done <= 20 || i < 3 || i >= done - 10 || i + 1 === run.bestEpoch,
  )
  const rows = kept.flatMap((i, n) => (n > 0 && kept[n - 1] !== i - 1 ? [['…'], row(i)] : [row(i)]))
  const table = columns([['epoch', ...heads], [], ...rows], [...['epoch', ...heads].map(() => 'right' as const), 'left'])
  const about = [headline(run), facts(run).join(' · '), circumstances(run).join(' · ')]
  return [...about, ...(done ? [table] : []), ...opened(run), ...(run.notes ?? [])].filter(Boolean).join('\n')
}
