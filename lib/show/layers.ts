import type { LayersModel } from '@tensorflow/tfjs'
import { cardOf } from '../card.ts'
import { GraftError } from '../error.ts'
import type { MimeBundle } from '../host.ts'
import { showable } from './bundle.ts'
import { bytes, columns as aligned, count, escape, percent, plural, shorten } from './format.ts'
import { chip, faint, frame, share, table, tree, type Branch, type Column } from './html.ts'
import { columnsOf, many, type LayerColumn } from './layer-columns.ts'
import { meanings, signs } from './layer-marks.ts'
import { isBlock, layerTree, rowsOf, type LayerEntry, type LayerRow } from './layer-rows.ts'
import { palette } from './palette.ts'

export interface LayerTableOptions {
  /** Only layers with these letters in their name or type, unfolded: `'conv'`. */
  search?: string
}

/**
 * A model as a table of its layers: name, type, output shape, parameters, what a layer costs and sees, whether it trains, whether
 * BatchNormalization uses its moving averages, and which layers came from the hub (the trunk) or are new (the head); of a trained
 * model each layer's learning rate and how far its weights moved. Blocks fold. The totals count shared weights once.
 *
 * @param more columns in place of what the layers cost, e.g. {@link statisticColumns}
 * @throws GraftError where the search finds nothing
 * @example
 * layerTable(tf.sequential({ layers: [tf.layers.dense({ units: 10, inputShape: [1280] })] }))
 */
export function layerTable(model: LayersModel, options: LayerTableOptions = {}, more: LayerColumn[] = []): MimeBundle {
  const view = viewOf(model, options, more)
  return showable({ 'text/html': html(view), 'text/plain': text(view) })
}

/** The table's plain text alone. */
export const layerText = (model: LayersModel): string => text(viewOf(model, {}))

/** Parameters of a model, each weight counted once however often it is used. */
export function totals(model: LayersModel): { params: number; trainable: number; bytes: number } {
  const once = (weights: { id?: number; shape: readonly (number | null)[] }[]) =>
    [...new Set(weights)].reduce((sum, weight) => sum + weight.shape.reduce<number>((n, d) => n * (d ?? 1), 1), 0)
  const params = once(model.weights as never)
  const trainable = once(model.trainableWeights as never)
  return { params, trainable, bytes: params * 4 }
}

/** Whether a search finds a layer. */
export const found = (row: Pick<LayerRow, 'name' | 'type'>, search: string): boolean =>
  `${row.name} ${row.type}`.toLowerCase().includes(search.trim().toLowerCase())

interface View {
  model: LayersModel
  entries: LayerEntry[]
  /** All rows that are shown, folded ones too. */
  rows: LayerRow[]
  columns: LayerColumn[]
  search?: string
}

function viewOf(model: LayersModel, { search }: LayerTableOptions, more: LayerColumn[] = []): View {
  const entries = layerTree(model), all = entries.flatMap(rowsOf), columns = columnsOf(model, all, more)
  if (!search) return { model, entries, rows: all, columns }
  const rows = all.filter(row => found(row, search))
  if (!rows.length) throw new GraftError(`show.layers: no layer of '${model.name}' has '${search}' in its name or type.`)
  return { model, entries: rows, rows, columns, search }
}

function html(view: View): string {
  const { model, entries, rows, columns } = view, { params, trainable } = totals(model), from = cardOf(model)?.handle
  const widths = [{ head: 'Layer', width: 20 }, { head: 'Type', width: 20 }, ...columns]
  const all = widths.reduce((sum, { width }) => sum + width, 0)
  const layout = widths.map((column): Column => ({ ...column, width: Math.round(1000 * column.width / all) / 10 }))
  const head =
    `<div><b style="font-size:15px">${escape(model.name)}</b> ${faint(escape(about(view)))}</div>`
    + (from ? `<div>${faint(`from ${escape(from)}`)}</div>` : '')
    + share(params ? trainable / params : 0, palette.train)
    + `<div>${amounts(params, trainable).replace(/[\d,]+(?= (param|train|frozen))/g, '<b>$&</b>')}</div>`
  const foot = [legends(columns).join(' · '), ...marked(rows)].filter(Boolean)
  const body = tree(layout, entries.map(entry => branch(entry, columns)))
  const [name, ...sums] = totalOf(view)
  const total = entries.length > 1 ? table(layout, [[`<b>${name}</b>`, ...sums.map(cell => `<b>${escape(cell)}</b>`)]]) : ''
  const lines = table(layout, [], { head: true }) + body + total
  return frame(head + lines + foot.map(line => `<div>${faint(line)}</div>`).join(''), 1040, 12)
}

/** How the columns are to be read, for under the table. */
const legends = (columns: LayerColumn[]): string[] => columns.flatMap(({ legend = [] }) => legend)

/** The last line: what the layers come to. */
const totalOf = ({ model, rows, columns, search }: View): string[] => [
  search ? 'found' : 'total', plural(search ? rows.length : model.layers.length, 'layer'),
  ...columns.map(({ text, total }) => total === false ? '' : text(rows)),
]

function branch(entry: LayerEntry, columns: LayerColumn[], depth = 0): Branch {
  const rows = rowsOf(entry), indent = '&nbsp;'.repeat(3 * depth), words = columns.map(column => column.text(rows))
  const values = columns.map(({ text, html }) => {
    const cell = html ? html(rows) : escape(text(rows))
    return cell === '0' ? faint(cell) : cell
  })
  if (isBlock(entry)) {
    const cells = [`${indent}<b>${escape(shorten(entry.name, 40))}</b>${marksHtml(rows)}`, faint(many(rows)), ...values]
    const plain = [`${shorten(entry.name, 40)}${marksText(rows)}`, many(rows), ...words]
    return { cells, plain, inside: entry.entries.map(inner => branch(inner, columns, depth + 1)) }
  }
  const head = entry.part === 'head' ? ` ${chip('head', palette.good)}` : '', { name, type } = entry
  return {
    cells: [`${indent}${escape(shorten(name, 44))}${head}${marksHtml(rows)}`, escape(type), ...values],
    plain: [`${name}${marksText(rows)}`, type, ...words],
  }
}

const sidesOf = (columns: LayerColumn[]) =>
  ['left' as const, 'left' as const, ...columns.map(({ align = 'left' as const }) => align), 'left' as const]

const kinds = ['opaque', 'repaired'] as const

const marksText = (rows: LayerRow[]): string =>
  kinds.map(kind => rows.some(({ mark }) => mark?.kind === kind) ? ` ${signs[kind]}` : '').join('')

/** The signs of the marks that these layers have, with what they say for those who do not see them. */
function marksHtml(rows: LayerRow[]): string {
  return kinds.map(kind => {
    const some = rows.filter(({ mark }) => mark?.kind === kind)
    const why = rows.length === 1 ? some[0]?.mark!.why : plural(some.length, 'layer')
    return some.length ? ` <span title="${kind}: ${escape(why)}">${signs[kind]}</span>` : ''
  }).join('')
}

const sign = ({ mark, part }: LayerRow): string =>
  [part === 'head' && 'head', mark && `${mark.kind} (${mark.why})`].filter(Boolean).join(', ')

/** What the signs mean, and how many layers have them. */
const marked = (rows: LayerRow[]): string[] => kinds.flatMap(kind => {
  const some = rows.filter(({ mark }) => mark?.kind === kind)
  return some.length ? `${signs[kind]} ${plural(some.length, 'layer')} ${escape(meanings[kind])}` : []
})

function text(view: View): string {
  const { model, entries, rows, columns } = view, { params, trainable } = totals(model), from = cardOf(model)?.handle
  const lines = entries.map(entry => {
    const some = rowsOf(entry), [first] = some
    const name = [shorten(entry.name, 40), isBlock(entry) ? `(${many(some)})` : first.type, ...columns.map(column => column.text(some))]
    return [...name, isBlock(entry) ? '' : sign(first)]
  })
  const total = entries.length > 1 ? [[], totalOf(view)] : []
  return [
    `${model.name}: ${about(view)}${from ? `\nfrom ${from}` : ''}`,
    aligned([['Layer', 'Type', ...columns.map(({ head }) => head), ''], [], ...lines, ...total], sidesOf(columns)),
    amounts(params, trainable),
    ...legends(columns), ...marked(rows),
  ].filter(Boolean).join('\n')
}

function amounts(params: number, trainable: number): string {
  const part = percent(params ? trainable / params : 0)
  const frozen = count(params - trainable)
  return `${count(params)} parameters (${bytes(params * 4)}): ${count(trainable)} train (${part}), ${frozen} frozen`
}

function about({ model, rows, search }: View): string {
  const card = cardOf(model)
  return [
    `${search ? `${count(rows.length)} of ` : ''}${plural(model.layers.length, 'layer')}${search ? ` with '${search}'` : ''}`,
    card && `images of ${card.size.join(' × ')} pixels, values ${card.range.join(' to ')}`,
    card?.classes && plural(card.classes.length, 'class', 'classes'),
  ]
    .filter(Boolean)
    .join(' · ')
}
