import type { LayersModel } from '@tensorflow/tfjs'
import { runOf } from '../train/run.ts'
import { bytes, count, escape, percent, plural, rate } from './format.ts'
import { chip, faint } from './html.ts'
import { learningGroups, type LearningGroup } from './layer-groups.ts'
import type { LayerRow } from './layer-rows.ts'
import { palette } from './palette.ts'

/** A column of the layer table: what stands in it for a layer, a block of layers, or all of them. */
export interface LayerColumn {
  head: string
  /** Its share of the table's width, among those of the other columns. */
  width: number
  align?: 'right'
  text(rows: LayerRow[]): string
  /** The same where HTML says more. */
  html?(rows: LayerRow[]): string
  /** What it says under the table. */
  legend?: string
  /** Whether all layers together come to something in it. Default true. */
  total?: false
}

/**
 * The columns that a model has something to say in, without the first two, the name and the type. `more` stand in place of what the
 * layers cost and see, for there is no room for both.
 */
export function columnsOf(model: LayersModel, rows: LayerRow[], more: LayerColumn[] = []): LayerColumn[] {
  const groups = learningGroups(model), { moved = {} } = (runOf(model) ?? {}) as { moved?: Record<string, number> }
  const some = (has: (row: LayerRow) => unknown, column: LayerColumn) => rows.some(has) ? [column] : []
  const costs: LayerColumn[] = [
    ...some(row => row.cost, { head: 'FLOPs', width: 8, align: 'right', text: rows => short(sum(rows, row => row.cost?.flops ?? 0)) }),
    ...some(row => row.cost, {
      head: 'Memory', width: 10, align: 'right', text: memory,
      ...(rows.some(row => row.cost?.outputs) && { legend: 'FLOPs, and Memory of the outputs, for one image' }),
    }),
    ...some(sees, {
      head: 'Sees', width: 9, align: 'right', text: rows => sees(rows.at(-1)!), total: false,
      legend: 'Sees: pixels of the image behind one point / from one point to the next',
    }),
  ]
  return [
    { head: 'Output shape', width: 19, text: rows => rows.at(-1)!.shape, total: false },
    { head: 'Params', width: 10, align: 'right', text: rows => count(sum(rows, row => row.params)) },
    ...(more.length ? more : costs),
    { head: 'Training', width: groups.size ? 20 : 15, ...training(groups) },
    ...some(row => row.name in moved, {
      head: 'Moved', width: 9, align: 'right', text: rows => furthest(rows.flatMap(row => moved[row.name] ?? [])),
      legend: 'Moved: how far the last run changed the weights, as a share of their length; of a block the furthest',
    }),
  ]
}

const sum = (rows: LayerRow[], of: (row: LayerRow) => number) => rows.reduce((all, row) => all + of(row), 0)

/** `head 0.01`; of layers of several groups or rates, from the lowest to the highest. */
function ranged(groups: LearningGroup[]): string {
  if (!groups.length) return ''
  const rates = groups.map(({ rate }) => rate), [low, high] = [Math.min(...rates), Math.max(...rates)]
  const names = [...new Set(groups.map(({ name }) => name))]
  return `${names.length === 1 ? names[0] : ''} ${low === high ? rate(low) : `${rate(low)}–${rate(high)}`}`.trim()
}

const furthest = (moved: number[]): string => moved.length ? percent(Math.max(...moved)) : ''

/** What the outputs take for one image, as 32-bit numbers. */
function memory(rows: LayerRow[]): string {
  const numbers = sum(rows, row => row.cost?.outputs ?? 0)
  return numbers ? bytes(numbers * 4) : ''
}

/** `2.1 M`, `640 k`; nothing for nothing. */
function short(value: number): string {
  if (!value) return ''
  const [unit, word] = value >= 1e9 ? [1e9, 'G'] : value >= 1e6 ? [1e6, 'M'] : value >= 1e3 ? [1e3, 'k'] : [1, '']
  return `${(value / unit).toFixed(value / unit < 10 && unit > 1 ? 1 : 0)} ${word}`.trim()
}

/** `35/8`: a point sees 35 × 35 pixels, and the next one stands 8 further. */
function sees({ cost }: LayerRow): string {
  if (!cost || Number.isNaN(cost.field) || cost.field <= 1) return ''
  return cost.field === Infinity ? 'all' : `${Math.round(cost.field)}/${+cost.stride.toFixed(2)}`
}

/** What BatchNormalization normalizes by: the statistics of the batch, or its moving averages (Keras: inference mode). */
const modes = { batch: 'batch', inference: 'moving', '': '' } as const
const modeOf = (rows: LayerRow[]) => rows.length === 1 ? modes[rows[0].mode] : ''

/** Whether layers train (all, none, or how many of those that hold weights), by which statistics, at which rate. */
function training(groups: Map<string, LearningGroup>): Pick<LayerColumn, 'text' | 'html'> {
  const wordsOf = (rows: LayerRow[]) => {
    const held = rows.filter(row => row.params > 0), open = held.filter(row => row.trainable > 0)
    const word = !held.length ? '' : !open.length ? 'frozen' : open.length === held.length ? 'trains'
      : `${open.length} of ${held.length} train`
    const more = [modeOf(rows), ranged(open.flatMap(row => groups.get(row.name) ?? []))].filter(Boolean).join(' ')
    return { word, trains: open.length > 0, more }
  }
  return {
    text(rows) {
      const { word, more } = wordsOf(rows)
      return `${word} ${more}`.trim()
    },
    html(rows) {
      const { word, trains, more } = wordsOf(rows), said = trains ? chip(word, palette.train) : word && faint(word)
      return more ? `${said} ${faint(escape(more))}` : said
    },
  }
}

/** The name of a sum of rows, `155 layers`. */
export const many = (rows: LayerRow[]): string => plural(rows.length, 'layer')
