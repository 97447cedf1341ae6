import type { MimeBundle } from '../host.ts'
import type { Run } from '../train/run.ts'
import { rasterize, asDocument } from './figure.ts'
import { showable } from './bundle.ts'
import { columns, duration, escape, measure, percent, plural, shorten } from './format.ts'
import { faint, frame, table } from './html.ts'
import { lineChart, type Curve } from './line-chart.ts'
import { palette } from './palette.ts'
import { drawing, element } from './svg.ts'

/** What a run is called in a list. */
export const nameOf = (run: Run): string => run.title ? `${run.title} (${run.id})` : run.id

const state = (run: Run): string => !run.finished ? 'under way' : run.stopped ?? 'finished'
const epochs = ({ history: { loss }, epochs }: Run): string => loss.length === epochs ? String(epochs) : `${loss.length} of ${epochs}`

/** The values of a run's best epoch. */
function atBest({ history, bestEpoch }: Run, name: string): number | undefined {
  return bestEpoch === null ? undefined : history[name]?.[bestEpoch - 1]
}

function cells(run: Run): Record<string, string> {
  return {
    run: nameOf(run), began: run.started.slice(0, 16).replace('T', ' '), epochs: epochs(run), state: state(run),
    time: duration(run.seconds),
    loss: measure(atBest(run, 'loss')), accuracy: percent(atBest(run, 'accuracy')),
    'val loss': measure(atBest(run, 'valLoss')), 'val accuracy': percent(atBest(run, 'valAccuracy')),
  }
}

const numbers = new Set(['time', 'loss', 'accuracy', 'val loss', 'val accuracy'])
const explained = 'Losses and accuracies are those of the best epoch. Times are UTC.'

/** Runs as a table, in the given order. */
export function runsBundle(runs: Run[], heading: string, more: Record<string, string>[] = []): MimeBundle {
  const rows = runs.map((run, i) => ({ ...cells(run), ...more[i] }))
  if (!rows.length) return { 'text/plain': heading }
  const heads = Object.keys(rows[0]), align = heads.map(head => numbers.has(head) ? 'right' as const : 'left' as const)
  const text = [heading, columns([heads, [], ...rows.map(row => Object.values(row))], align), explained].join('\n')
  const layout = heads.map((head, i) => ({ head, width: 100 / heads.length, align: align[i] }))
  return {
    'text/html': frame(`<div>${escape(heading)}</div>` +
      table(layout, rows.map(row => Object.values(row).map(escape)), { head: true }) + faint(explained), 1100),
    'text/plain': text,
  }
}

/**
 * Runs side by side: what differs in what was asked, what came out, and the curves of the validation loss and accuracy (without a
 * validation set: of training).
 */
export function comparisonBundle(runs: Run[], differences: Record<string, string>[]): MimeBundle {
  const bundle = runsBundle(runs, plural(runs.length, 'run'), differences)
  const svg = chart(runs)
  if (!svg) return bundle
  const { text, width, height } = asDocument(svg, `Curves of ${plural(runs.length, 'run')}`)
  const picture = `<img width="${width}" height="${height}" alt="Curves of ${plural(runs.length, 'run')}" ` +
    `src="data:image/png;base64,${rasterize(text).toString('base64')}">`
  return showable({ 'text/html': `${picture}${String(bundle['text/html'])}`, 'text/plain': String(bundle['text/plain']) })
}

function chart(runs: Run[]): string | null {
  const some = runs.filter(run => run.history.loss.length).slice(0, palette.series.length)
  if (!some.length) return null
  const validated = some.every(run => run.history.valLoss), wide = 410, high = 258
  const panels = [validated ? 'valLoss' : 'loss', validated ? 'valAccuracy' : 'accuracy']
    .filter(name => some.some(run => run.history[name]))
  const last = Math.max(2, ...some.map(run => run.history.loss.length))
  return drawing(wide * panels.length + 8, high, ...panels.map((name, p) => {
    const share = /accuracy/i.test(name)
    const curves = some.map((run, i): Curve => ({
      name: shorten(run.title ?? run.id, 14), color: palette.series[i], text: palette.series[i], dashed: i % 2 === 1,
      points: (run.history[name] ?? []).map((value, e): [number, number] => [e + 1, value])
        .filter(([, value]) => Number.isFinite(value)),
    }))
    const values = curves.flatMap(({ points }) => points.map(([, value]) => value))
    const top = share ? 1 : Math.max(...values, 1e-9), low = share ? Math.min(0.5, ...values) : 0
    return element('g', { transform: `translate(${8 + p * wide},0)` }, lineChart({
      title: { valLoss: 'Validation loss', valAccuracy: 'Validation accuracy', loss: 'Loss', accuracy: 'Accuracy' }[name]!,
      width: wide, height: high, curves, x: { domain: [1, last], label: 'epoch' },
      y: { domain: [low, top], format: value => share ? `${Math.round(value * 100)} %` : String(value) },
    }))
  }))
}
