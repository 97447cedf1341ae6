import type { LayersModel } from '@tensorflow/tfjs'
import { cardOf } from '../card.ts'
import type { MimeBundle } from '../host.ts'
import { showable } from './bundle.ts'
import { columns, count, escape, percent, plural, shorten } from './format.ts'
import { chip, faint, fold, frame, share, table, type Column } from './html.ts'
import { isBlock, layerTree, rowsOf, type LayerEntry, type LayerRow } from './layer-rows.ts'
import { palette } from './palette.ts'

/**
 * A model as a table of its layers: name, type, output shape, parameters, whether they train, whether BatchNormalization uses
 * its moving averages, and which layers came from the hub (the trunk) or are new (the head). Blocks fold. The totals count
 * shared weights once.
 *
 * @example
 * layerTable(tf.sequential({ layers: [tf.layers.dense({ units: 10, inputShape: [1280] })] }))
 */
export function layerTable(model: LayersModel): MimeBundle {
  const tree = layerTree(model)
  return showable({ 'text/html': html(model, tree), 'text/plain': text(model, tree) })
}

/** The table's plain text alone. */
export const layerText = (model: LayersModel): string => text(model, layerTree(model))

/** Parameters of a model, each weight counted once however often it is used. */
export function totals(model: LayersModel): { params: number; trainable: number; bytes: number } {
  const once = (weights: { id?: number; shape: readonly (number | null)[] }[]) =>
    [...new Set(weights)].reduce((sum, weight) => sum + weight.shape.reduce<number>((n, d) => n * (d ?? 1), 1), 0)
  const params = once(model.weights as never)
  const trainable = once(model.trainableWeights as never)
  return { params, trainable, bytes: params * 4 }
}

const layout: Column[] = [
  { head: 'Layer', width: 22 },
  { head: 'Type', width: 21 },
  { head: 'Output shape', width: 18 },
  { head: 'Params', width: 9, align: 'right' },
  { head: 'FLOPs', width: 8, align: 'right' },
  { head: 'Sees', width: 9, align: 'right' },
  { head: 'Training', width: 13 },
]

function html(model: LayersModel, tree: LayerEntry[]): string {
  const { params, trainable } = totals(model)
  const part = params ? trainable / params : 0
  const from = cardOf(model)?.handle
  const head =
    `<div><b style="font-size:15px">${escape(model.name)}</b> ${faint(escape(about(model)))}</div>`
    + (from ? `<div>${faint(`from ${escape(from)}`)}</div>` : '')
    + share(part, palette.train)
    + `<div>${amounts(params, trainable).replace(/[\d,]+(?= (param|train|frozen))/g, '<b>$&</b>')}</div>`
    + `<div>${faint(escape(work(tree)))}</div>`
  const cellsFit = model.layers.length <= 400 // A cell's inline styles take room: beyond, what is folded is set as plain columns.
  return frame(head + table(layout, [], { head: true }) + section(tree, 0, cellsFit), 960, 12)
}

/** Neighbouring rows share a table; a block is a fold between two tables. */
function section(entries: LayerEntry[], depth: number, cellsFit: boolean): string {
  let out = ''
  let open: LayerRow[] = []
  const close = () => {
    if (open.length) out += cellsFit || depth === 0 ? table(layout, open.map(row => cells(row, depth))) : plain(open)
    open = []
  }
  for (const entry of entries) {
    if (isBlock(entry)) {
      close()
      out += fold(layout, blockCells(entry, depth), section(entry.entries, depth + 1, cellsFit))
    } else open.push(entry)
  }
  close()
  return out
}

const plain = (rows: LayerRow[]): string =>
  `<pre style="margin:4px 8px;font-size:12px">${escape(
    columns(
      rows.map(row => [row.name, row.type, row.shape, count(row.params), short(row.cost?.flops), sees(row), `${state(row)} ${row.mode && modes[row.mode]}`]),
      ['left', 'left', 'left', 'right', 'right', 'right', 'left'],
    ),
  )}</pre>`

const indent = (depth: number) => '&nbsp;'.repeat(3 * depth)

/** What BatchNormalization normalizes by: the statistics of the batch, or its moving averages (Keras: inference mode). */
const modes = { batch: 'batch', inference: 'moving' }

const cells = (row: LayerRow, depth: number): string[] => [
  indent(depth) + escape(shorten(row.name, 44)) + (row.part === 'head' ? ` ${chip('head', palette.good)}` : ''),
  escape(row.type),
  row.shape,
  row.params ? count(row.params) : faint('0'),
  row.cost?.flops ? short(row.cost.flops) : '',
  sees(row),
  stateHtml(row.trainable, row.params) + (row.mode ? ` ${faint(modes[row.mode])}` : ''),
]

function blockCells(entry: LayerEntry, depth: number): string[] {
  const rows = rowsOf(entry)
  const params = rows.reduce((sum, row) => sum + row.params, 0)
  return [
    `${indent(depth)}<b>${escape(shorten(entry.name, 40))}</b>`,
    faint(plural(rows.length, 'layer')),
    rows.at(-1)!.shape,
    count(params),
    short(flopsOf(rows)),
    sees(rows.at(-1)!),
    blockState(rows),
  ]
}

const state = (row: LayerRow): string => (row.params === 0 ? '' : row.trainable > 0 ? 'trains' : 'frozen')

const stateHtml = (trainable: number, params: number): string =>
  params === 0 ? '' : trainable > 0 ? chip('trains', palette.train) : faint('frozen')

function blockState(rows: LayerRow[]): string {
  const held = rows.filter(row => row.params > 0)
  const some = held.filter(row => row.trainable > 0)
  if (some.length > 0 && some.length < held.length)
    return `${chip('trains', palette.train)} ${faint(`${some.length} of ${held.length}`)}`
  return held.length ? stateHtml(some.length, 1) : ''
}

function text(model: LayersModel, tree: LayerEntry[]): string {
  const { params, trainable } = totals(model)
  const lines = tree.map(entry => {
    const rows = rowsOf(entry)
    const all = rows.reduce((sum, row) => sum + row.params, 0)
    const some = rows.filter(row => row.trainable > 0)
    const held = rows.filter(row => row.params > 0)
    const state = held.length === 0 ? ''
      : some.length === 0 ? 'frozen'
      : some.length === held.length ? 'trains'
      : `${some.length} of ${held.length} train`
    return [
      shorten(entry.name, 40),
      isBlock(entry) ? `(${plural(rows.length, 'layer')})` : (entry as LayerRow).type,
      rows.at(-1)!.shape,
      count(all),
      short(flopsOf(rows)),
      sees(rows.at(-1)!),
      state,
      rows[0].part === 'head' ? 'head' : '',
    ]
  })
  const from = cardOf(model)?.handle
  const head = ['Layer', 'Type', 'Output shape', 'Parameters', 'FLOPs', 'Sees', 'Training', '']
  return [
    `${model.name}: ${about(model)}${from ? `\nfrom ${from}` : ''}`,
    columns([head, [], ...lines, []], ['left', 'left', 'left', 'right', 'right', 'right', 'left', 'left']),
    amounts(params, trainable),
    work(tree),
  ].filter(Boolean).join('\n')
}

/** What one image costs, and how to read the columns. */
function work(tree: LayerEntry[]): string {
  const rows = tree.flatMap(rowsOf), numbers = rows.reduce((sum, row) => sum + (row.cost?.outputs ?? 0), 0)
  if (!numbers) return ''
  const flops = short(flopsOf(rows)).replace(/\d$/, '$& ') || '0 '
  return `one image: ${flops}FLOPs, ${size(numbers * 4)} of activations · Sees: pixels of the image behind one point / from one point to the next`
}

const flopsOf = (rows: LayerRow[]): number => rows.reduce((sum, row) => sum + (row.cost?.flops ?? 0), 0)

/** `2.1 M`, `640 k`; nothing for nothing. */
function short(value = 0): string {
  if (!value) return ''
  const [unit, word] = value >= 1e9 ? [1e9, 'G'] : value >= 1e6 ? [1e6, 'M'] : value >= 1e3 ? [1e3, 'k'] : [1, '']
  const digits = value / unit < 10 && unit > 1 ? 1 : 0
  return `${(value / unit).toFixed(digits)} ${word}`.trim()
}

/** `35/8`: a point sees 35 × 35 pixels, and the next one stands 8 further. */
function sees({ cost }: LayerRow): string {
  if (!cost || Number.isNaN(cost.field) || cost.field <= 1) return ''
  return cost.field === Infinity ? 'all' : `${Math.round(cost.field)}/${+cost.stride.toFixed(2)}`
}

function amounts(params: number, trainable: number): string {
  const part = percent(params ? trainable / params : 0)
  const frozen = count(params - trainable)
  return `${count(params)} parameters (${size(params * 4)}): ${count(trainable)} train (${part}), ${frozen} frozen`
}

function about(model: LayersModel): string {
  const card = cardOf(model)
  return [
    plural(model.layers.length, 'layer'),
    card && `images of ${card.size.join(' × ')} pixels, values ${card.range.join(' to ')}`,
    card?.classes && plural(card.classes.length, 'class', 'classes'),
  ]
    .filter(Boolean)
    .join(' · ')
}

function size(bytes: number): string {
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(1)} kB`
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`
}
