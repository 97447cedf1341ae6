import type { MimeBundle } from '../host.ts'
import type { Run } from '../train/run.ts'
import { rasterize, asDocument } from './figure.ts'
import { showable } from './bundle.ts'
import { columns, duration, escape, measure, percent, plural, shorten } from './format.ts'
import { faint, frame, table, type Column } from './html.ts'
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

/** `Nov 22, 21:40`, with the year where it is another one. */
function began(date: string): string {
  const year = date.slice(0, 4) === new Date().toISOString().slice(0, 4) ? undefined : 'numeric'
  return new Date(date).toLocaleString('en', {
    month: 'short', day: 'numeric', year, hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone: 'UTC',
  })
}

/** The columns, by their heads. */
const values: Record<string, (run: Run) => string> = {
  began: run => began(run.started),
  epochs,
  state,
  time: run => duration(run.seconds),
  loss: run => measure(atBest(run, 'loss')),
  accuracy: run => percent(atBest(run, 'accuracy')),
  'val loss': run => measure(atBest(run, 'valLoss')),
  'val accuracy': run => percent(atBest(run, 'valAccuracy')),
}

const numbers = new Set(['time', 'loss', 'accuracy', 'val loss', 'val accuracy'])
const explained = 'Losses and accuracies are those of the best epoch.'

interface Rows {
  heads: string[]
  rows: string[][]
}

/** The rows of the table; what is the same for all and says nothing is left out. `settings`: what was asked of each run. */
function rowsOf(runs: Run[], settings: Record<string, string>[]): Rows {
  const asked = [...new Set(settings.flatMap(Object.keys))]
  // Settings that stand in columns of their own need not stand in the name, as those of a sweep do.
  const named = (run: Run, i: number) => {
    const own = Object.values(settings[i] ?? {})
    return own.length && own.every(value => run.title?.includes(value)) ? run.id : nameOf(run)
  }
  const kept = Object.entries(values).filter(([head, of]) => {
    const all = runs.map(of)
    return head === 'began' ? !asked.length : head === 'state' ? all.some(value => value !== 'finished') : all.some(value => value !== '–')
  })
  return {
    heads: ['run', ...asked, ...kept.map(([head]) => head)],
    rows: runs.map((run, i) => [named(run, i), ...asked.map(name => settings[i]?.[name] ?? ''), ...kept.map(([, of]) => of(run))]),
  }
}

/** Runs as a table, in the given order. */
export function runsBundle(runs: Run[], heading: string, settings: Record<string, string>[] = []): MimeBundle {
  if (!runs.length) return { 'text/plain': heading }
  const all = rowsOf(runs, settings)
  return { 'text/html': html(heading, all), 'text/plain': text(heading, all) }
}

const sidesOf = (heads: string[]) => heads.map(head => numbers.has(head) ? 'right' as const : 'left' as const)
const words = (heads: string[]) => [explained, heads.includes('began') && 'Times are UTC.'].filter(Boolean).join(' ')

const text = (heading: string, { heads, rows }: Rows): string =>
  [heading, columns([heads, [], ...rows], sidesOf(heads)), words(heads)].join('\n')

/** `signs`: HTML before the name of each run. */
function html(heading: string, { heads, rows }: Rows, signs: string[] = []): string {
  // Columns are as wide as what stands in them; very long names break.
  const longest = heads.map((head, i) => Math.min(26, Math.max(head.length + 1, ...rows.map(row => row[i].length))))
  const letters = longest.map((count, i) => count + (i || !signs.length ? 3 : 6))
  const all = letters.reduce((sum, width) => sum + width, 0), align = sidesOf(heads)
  const layout = heads.map((head, i): Column => ({ head, width: Math.round(1000 * letters[i] / all) / 10, align: align[i] }))
  const cells = rows.map((row, r) => row.map((cell, i) => (i === 0 ? signs[r] ?? '' : '') + escape(cell)))
  const inside = table(layout, cells, { head: true })
  return frame(`<div><b>${escape(heading)}</b></div>${inside}<div>${faint(words(heads))}</div>`, 1040, 12)
}

/**
 * Runs side by side: what differs in what was asked, what came out, and the curves of the validation loss and accuracy (without a
 * validation set: of training). The first six are drawn; in the table they have the colour of their curve.
 */
export function comparisonBundle(runs: Run[], differences: Record<string, string>[]): MimeBundle {
  const heading = plural(runs.length, 'run'), all = rowsOf(runs, differences)
  const drawn = runs.filter(run => run.history.loss.length).slice(0, palette.series.length)
  if (!drawn.length) return runsBundle(runs, heading, differences)
  const label = (run: Run) => Object.values(differences[runs.indexOf(run)] ?? {}).join(' · ') || run.title || run.id
  const picture = asDocument(chart(drawn, label), `Curves of ${plural(drawn.length, 'run')}`)
  const signs = runs.map(run => {
    const i = drawn.indexOf(run)
    return i < 0 ? '' : swatch(palette.series[i], i % 2 === 1)
  })
  const { width, height } = picture, source = rasterize(picture.text).toString('base64')
  const alt = `Curves of ${plural(drawn.length, 'run')}: ${drawn.map(label).join('; ')}`
  const image = `<img width="${width}" height="${height}" alt="${escape(alt)}" src="data:image/png;base64,${source}">`
  return showable({ 'text/html': image + html(heading, all, signs), 'text/plain': text(heading, all) })
}

/** As the points of a curve: round, or square where it is dashed. */
const swatch = (color: string, square: boolean): string =>
  `<span style="display:inline-block;width:9px;height:9px;background:${color};border-radius:${square ? 0 : 5}px;margin:0 6px 0 0"></span>`

function chart(runs: Run[], label: (run: Run) => string): string {
  const validated = runs.every(run => run.history.valLoss), wide = 410, high = 258
  const panels = [validated ? 'valLoss' : 'loss', validated ? 'valAccuracy' : 'accuracy']
    .filter(name => runs.some(run => run.history[name]))
  const last = Math.max(2, ...runs.map(run => run.history.loss.length))
  return drawing(wide * panels.length + 8, high, ...panels.map((name, p) => {
    const share = /accuracy/i.test(name)
    const curves = runs.map((run, i): Curve => ({
      name: shorten(label(run), 14), color: palette.series[i], text: palette.words[i], dashed: i % 2 === 1,
      points: (run.history[name] ?? []).map((value, e): [number, number] => [e + 1, value])
        .filter(([, value]) => Number.isFinite(value)),
    }))
    const all = curves.flatMap(({ points }) => points.map(([, value]) => value))
    const top = share ? 1 : Math.max(...all, 1e-9), low = share ? Math.min(0.5, ...all) : 0
    return element('g', { transform: `translate(${8 + p * wide},0)` }, lineChart({
      title: { valLoss: 'Validation loss', valAccuracy: 'Validation accuracy', loss: 'Loss', accuracy: 'Accuracy' }[name]!,
      width: wide, height: high, curves, x: { domain: [1, last], label: 'epoch' },
      y: { domain: [low, top], format: value => share ? `${Math.round(value * 100)} %` : String(value) },
    }))
  }))
}
