import type { MimeBundle } from '../host.ts'
import { showable } from './bundle.ts'
import { asDocument, figure } from './figure.ts'
import { bytes, columns, duration, measure, percent, plural } from './format.ts'
import { lineChart, ticks, type Curve } from './line-chart.ts'
import { palette } from './palette.ts'
import { epochsDone, isRunning, isShare, measures, type Measure, type RunView } from './run-view.ts'
import { drawing, element, rect, text, titles } from './svg.ts'

const width = 820
const panel = 258
const header = 62
const edge = 8
const line = 17

/**
 * A training run as a plot: each measure on the training and the validation images, epoch by epoch, with the best epoch, the
 * time, the engine, and how many images went through the frozen trunk. A run that still goes on comes as SVG and text alone,
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
  const many = all.length > 1
  const rows = Math.ceil(all.length / 2)
  const said = (run.notes ?? []).flatMap(note => wrapped(note, 132)).slice(0, 8)
  const height = header + rows * panel + edge + said.length * line
  const wide = many ? (width - edge) / 2 : width - edge
  const panels = all.map((one, i) => {
    const at = `translate(${edge + (i % 2) * wide},${header + Math.floor(i / 2) * panel})`
    return element('g', { transform: at }, chart(run, one, wide))
  })
  const bar = isRunning(run)
    ? [rect(0, 0, width, 3, { fill: palette.grid }), rect(0, 0, width * progressOf(run), 3, { fill: palette.train })]
    : []
  return drawing(width, height, ...bar, titles(headline(run), fitting(facts(run)), 24), ...panels,
    ...said.map((words, i) => text(24, header + rows * panel + 12 + i * line, words, { fill: palette.faint })))
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
  const done = epochsDone(run)
  const first = done === 0 || run.epochs === 1 ? 0 : 1
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
  const best = run.bestEpoch && done > 1 ? { x: run.bestEpoch, label: `best: ${run.bestEpoch}` } : undefined
  const values = [...train, ...(validation ?? []), ...batches.map(([, value]) => value)].filter(Number.isFinite)
  return lineChart({
    title: title(name),
    width: wide,
    height: panel,
    curves,
    mark: best,
    x: { domain: [first, Math.max(run.epochs, done, first + 1)], label: 'epoch' },
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

function headline(run: RunView): string {
  const done = epochsDone(run)
  const name = run.title ?? 'Training'
  if (isRunning(run)) return `${name}: ${run.paused ? 'paused in ' : ''}epoch ${Math.min(done + 1, run.epochs)} of ${run.epochs}`
  return run.stopped
    ? `${name}: ${run.stopped} after ${done} of ${plural(run.epochs, 'epoch')}`
    : `${name}: ${plural(done, 'epoch')}${run.seconds >= 0 ? ` in ${duration(run.seconds)}` : ''}`
}

/** What the line under the headline says, most wanted first. */
function facts(run: RunView): string[] {
  const done = epochsDone(run)
  const at = (run.bestEpoch ?? done) - 1
  const { valAccuracy, valLoss, accuracy, loss } = run.history
  const best = valAccuracy ? `validation accuracy ${percent(valAccuracy[at])}`
    : valLoss ? `validation loss ${measure(valLoss[at])}`
    : accuracy ? `accuracy ${percent(accuracy[at])}`
    : `loss ${measure(loss[at])}`
  return [
    done > 0 && `best epoch ${at + 1}: ${best}`,
    done > 0 && run.seconds >= 0 && `${duration(run.seconds / done)} per epoch`,
    isRunning(run) && !done && run.forecast && `about ${duration(run.forecast.seconds)} in all, at most ${bytes(run.forecast.bytes)} at once`,
    isRunning(run) && run.secondsLeft !== undefined && `${duration(run.secondsLeft)} left`,
    run.trunkForwards !== undefined && run.trunkForwards > 0 && `frozen trunk: ${plural(run.trunkForwards, 'image')}${once(run)}`,
    run.engine,
  ].filter(fact => typeof fact === 'string')
}

/** As many facts as fit on the line. */
function fitting(facts: string[]): string {
  let line = facts[0] ?? ''
  for (const fact of facts.slice(1)) if (line.length + fact.length < 134) line += ` · ${fact}`
  return line
}

const once = (run: RunView) => (run.images && run.trunkForwards === run.images.train + run.images.validation ? ', each once' : '')

function summary(run: RunView): string {
  const { loss, valLoss } = run.history
  if (!loss.length) return headline(run)
  const fell = `Training loss from ${measure(loss[0])} to ${measure(loss.at(-1))}`
  const judged = valLoss?.length ? `, validation loss from ${measure(valLoss[0])} to ${measure(valLoss.at(-1))}` : ''
  return `${headline(run)}. ${fell}${judged}. ${facts(run).join(', ')}.`
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
  return [headline(run), facts(run).join(' · '), ...(done ? [table] : []), ...(run.notes ?? [])].filter(Boolean).join('\n')
}
