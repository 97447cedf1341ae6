import type { LayersModel } from '@tensorflow/tfjs'
import { compare } from '../customize/difference.ts'
import { didYouMean, GraftError } from '../error.ts'
import type { MimeBundle } from '../host.ts'
import { figure } from './figure.ts'
import { columns, count, percent, plural, shorten } from './format.ts'
import { isBlock, layerTree, rowsOf, type LayerEntry, type LayerRow } from './layer-rows.ts'
import { totals } from './layers.ts'
import { palette } from './palette.ts'
import { drawing, element, rect, text, titles } from './svg.ts'

export interface GraphOptions {
  /** Names of blocks to draw layer by layer. */
  open?: string | string[]
  /** The model before the surgery, drawn beside: what was cut there, what was grafted here. */
  before?: LayersModel
}

/** A box of the drawing: a layer or a folded block, and the boxes it is fed by. */
export interface Box {
  name: string
  what: string
  shape: string
  params: number
  state: 'frozen' | 'trains' | 'partly' | 'no weights'
  /** In a model with a card: whether the hub's or new; `cut` and `grafted` only where two models are compared. */
  part: LayerRow['part'] | 'grafted' | 'cut'
  from: number[]
}

/** The boxes of a model in the order in which they run, blocks folded but for those that are to be open. */
export function boxes(model: LayersModel, open: string[] = []): Box[] {
  const blocks = new Set<string>()
  const entries = (function flatten(entries: LayerEntry[]): LayerEntry[] {
    return entries.flatMap(entry => {
      if (isBlock(entry) && entry.kind === 'block') blocks.add(entry.name)
      const opened = isBlock(entry) && (entry.kind === 'trunk' || (entry.kind === 'block' && open.includes(entry.name)))
      return opened ? flatten(entry.entries) : [entry]
    })
  })(layerTree(model))
  const unknown = open.find(name => !blocks.has(name))
  if (unknown)
    throw new GraftError(
      `unknown block: '${unknown}'.${didYouMean(unknown, [...blocks])} Blocks are named in show.layers(model).`,
    )
  const boxOf = new Map<string, number>()
  entries.forEach((entry, i) => {
    if (isBlock(entry) && entry.kind === 'model') boxOf.set(entry.name, i)
    else for (const row of rowsOf(entry)) boxOf.set(row.name, i)
  })
  const from = entries.map(() => new Set<number>()),
    layers = new Set(model.layers)
  for (const layer of model.layers) {
    const to = boxOf.get(layer.name)!
    for (const node of layer.inboundNodes) {
      // A layer that other models share has their nodes too.
      if (!node.inboundLayers.every(source => layers.has(source))) continue
      for (const source of node.inboundLayers) if (boxOf.get(source.name) !== to) from[to].add(boxOf.get(source.name)!)
    }
  }
  return entries.map((entry, i) =>
    boxFor(
      entry,
      [...from[i]].sort((a, b) => a - b),
    ),
  )
}

function boxFor(entry: LayerEntry, from: number[]): Box {
  const rows = rowsOf(entry),
    held = rows.filter(row => row.params > 0),
    learning = held.filter(row => row.trainable > 0).length
  return {
    name: entry.name,
    from,
    shape: rows.at(-1)!.shape,
    params: rows.reduce((sum, row) => sum + row.params, 0),
    part: rows[0].part,
    what: isBlock(entry) ? plural(rows.length, 'layer') : (entry as LayerRow).type,
    state: !held.length ? 'no weights' : learning === 0 ? 'frozen' : learning === held.length ? 'trains' : 'partly',
  }
}

/** A model as boxes and arrows, blocks folded: what is frozen, what trains, what is the head; beside it the model before, where given. */
export function graphBundle(model: LayersModel, options: GraphOptions = {}): MimeBundle {
  const open = [options.open ?? []].flat(),
    after = boxes(model, open)
  if (!options.before) return bundle([[model, after]])
  const { added, removed } = compare(options.before, model)
  const names = (list: { name: string }[]) => new Set(list.map(({ name }) => name))
  const grafted = names(added.map(({ layer }) => layer)),
    cut = names(removed)
  const mark = (list: Box[], source: LayersModel, which: Set<string>, part: 'grafted' | 'cut') =>
    list.map(box => {
      const own = layerNames(source, box)
      return own.length && own.every(name => which.has(name)) ? { ...box, part } : { ...box, part: '' as const }
    })
  const before = boxes(
    options.before,
    open.filter(name => source(options.before!).has(name)),
  )
  return bundle([
    [options.before, gathered(mark(before, options.before, cut, 'cut'))],
    [model, gathered(mark(after, model, grafted, 'grafted'))],
  ])
}

/** Where two models are compared, a long run of boxes that are as they were becomes one, so that the change is what one sees. */
function gathered(list: Box[], most = 5): Box[] {
  const out: Box[] = [],
    place: number[] = []
  for (let i = 0; i < list.length; i++) {
    let end = i
    while (end < list.length && list[end].part === '') end++
    if (end - i > most) {
      const run = list.slice(i + 1, end - 2),
        states = new Set(run.map(box => box.state).filter(state => state !== 'no weights'))
      place[i] = out.push({ ...list[i], from: list[i].from.map(from => place[from]) }) - 1
      const box: Box = {
        name: `${run[0].name} … ${run.at(-1)!.name}`,
        what: `${run.length} boxes as they were`,
        shape: run.at(-1)!.shape,
        part: '',
        from: [out.length - 1],
        params: run.reduce((sum, one) => sum + one.params, 0),
        state: states.size > 1 ? 'partly' : ([...states][0] ?? 'no weights'),
      }
      out.push(box)
      for (let k = i + 1; k < end - 2; k++) place[k] = out.length - 1
      i = end - 2
    }
    place[i] = out.push({ ...list[i], from: [...new Set(list[i].from.map(from => place[from]))] }) - 1
  }
  return out
}

const source = (model: LayersModel) =>
  new Set(
    (function names(entries: LayerEntry[]): string[] {
      return entries.flatMap(entry => (isBlock(entry) ? [entry.name, ...names(entry.entries)] : []))
    })(layerTree(model)),
  )

function layerNames(model: LayersModel, box: Box): string[] {
  const find = (entries: LayerEntry[]): LayerEntry | undefined => {
    for (const entry of entries) {
      const found = entry.name === box.name ? entry : isBlock(entry) ? find(entry.entries) : undefined
      if (found) return found
    }
  }
  const entry = find(layerTree(model))
  return entry ? rowsOf(entry).map(row => row.name) : []
}

const width = 330,
  high = 34,
  gap = 14,
  top = 92
const fills = { frozen: '#dfe4e9', trains: '#b5d9ee', partly: '#d6ecf7', 'no weights': '#ffffff' } as const
const marks = { trunk: null, head: palette.good, grafted: palette.good, cut: palette.bad, '': null } as const
const signs = { trunk: '', head: 'head', grafted: '+ grafted', cut: '− cut', '': '' } as const

function bundle(models: [LayersModel, Box[]][]): MimeBundle {
  const arcs = Math.max(...models.map(([, list]) => lanes(list).count)),
    wide = width + 30 + arcs * 7 + 24
  const tall = Math.max(...models.map(([, list]) => list.length)) * (high + gap)
  const drawn = models.map(([model, list], i) =>
    element(
      'g',
      { transform: `translate(${16 + i * wide},0)` },
      models.length > 1 ? text(0, 82, `${i ? 'after' : 'before'}: ${shorten(model.name, 34)}`, { size: 12, bold: true }) : '',
      ...column(list),
    ),
  )
  const [model] = models.at(-1)!,
    { params, trainable } = totals(model)
  const title = models.length > 1 ? `${shorten(models[0][0].name, 40)} → ${shorten(model.name, 40)}` : model.name
  const detail = `${plural(model.layers.length, 'layer')}, ${count(params)} parameters, ${percent(params ? trainable / params : 0)} of them train`
  const all = Math.max(520, 16 + models.length * wide)
  const svg = drawing(all, top + tall + 8, titles(title, detail), legend(models.length > 1), ...drawn)
  return figure(svg, {
    alt: `${title}: ${detail}`,
    text: [`${title}: ${detail}`, ...models.map(([, list]) => graphText(list))].join('\n'),
  })
}

function legend(compared: boolean): string {
  const words = [
    [fills.trains, 'trains'],
    [fills.frozen, 'frozen'],
    [fills['no weights'], 'no weights'],
  ] as const
  const boxes = words
    .map(
      ([fill, word], i) =>
        rect(16 + i * 90, 58, 12, 10, { fill, stroke: palette.edge }) + text(33 + i * 90, 67, word, { size: 11 }),
    )
    .join('')
  const head = rect(286, 58, 3, 10, { fill: palette.good }) + text(295, 67, compared ? 'grafted' : 'head', { size: 11 })
  return boxes + head + (compared ? rect(360, 58, 3, 10, { fill: palette.bad }) + text(369, 67, 'cut', { size: 11 }) : '')
}

/** Which arcs need a lane of their own: those that leap over boxes. Two that do not overlap share one. */
function lanes(list: Box[]): { arcs: { from: number; to: number; lane: number }[]; count: number } {
  const ends: number[] = []
  const arcs = list
    .flatMap((box, to) => box.from.filter(from => to - from > 1).map(from => ({ from, to, lane: 0 })))
    .sort((a, b) => a.from - b.from || a.to - b.to)
  for (const arc of arcs) {
    arc.lane = ends.findIndex(end => end <= arc.from)
    if (arc.lane < 0) arc.lane = ends.length
    ends[arc.lane] = arc.to
  }
  return { arcs, count: ends.length }
}

function column(list: Box[]): string[] {
  const y = (i: number) => top + i * (high + gap),
    out: string[] = []
  for (const [i, box] of list.entries()) {
    const mark = marks[box.part],
      color = mark ?? palette.ink
    out.push(
      rect(0, y(i), width, high, {
        rx: 5,
        fill: fills[box.state],
        stroke: mark ?? palette.edge,
        'stroke-dasharray': box.part === 'cut' ? '4 3' : undefined,
      }),
    )
    if (mark) out.push(rect(0, y(i), 4, high, { fill: mark }))
    const right = [box.params ? count(box.params) : '', signs[box.part]].filter(Boolean).join(' · ')
    out.push(
      text(12, y(i) + 14, shorten(box.name, 32), { size: 12, bold: true, fill: color }),
      text(12, y(i) + 28, `${box.what} ${box.shape}`, { size: 10, fill: palette.faint }),
      text(width - 8, y(i) + 14, right, { size: 10, fill: mark ?? palette.faint, anchor: 'end' }),
    )
    if (box.from.includes(i - 1)) out.push(arrow(`M${width / 2},${y(i) - gap}V${y(i) - 3}`, width / 2, y(i)))
  }
  for (const { from, to, lane } of lanes(list).arcs) {
    const x = width + 16 + lane * 7,
      start = y(from) + high - 8,
      end = y(to) + 8
    out.push(
      element('path', {
        d: `M${width},${start}H${x - 5}Q${x},${start} ${x},${start + 5}V${end - 5}Q${x},${end} ${x - 5},${end}H${width + 4}`,
        fill: 'none',
        stroke: palette.faint,
      }),
      element('path', { d: `M${width},${end}l6,-3v6z`, fill: palette.faint }),
    )
  }
  return out
}

const arrow = (d: string, x: number, y: number) =>
  element('path', { d, fill: 'none', stroke: palette.faint }) + element('path', { d: `M${x},${y}l-3,-6h6z`, fill: palette.faint })

/** The drawing in letters: a line per box, and what feeds it where that is not the line above. */
function graphText(list: Box[]): string {
  const rows = list.map((box, i) => {
    const others = box.from.filter(from => from !== i - 1).map(from => list[from].name)
    const fed = others.length ? `← ${box.from.map(from => list[from].name).join(', ')}` : ''
    return [shorten(box.name, 36), box.what, box.shape, count(box.params), box.state, signs[box.part], fed]
  })
  return columns(
    [['Box', 'What', 'Output', 'Parameters', 'Training', '', ''], [], ...rows],
    ['left', 'left', 'left', 'right', 'left', 'left', 'left'],
  )
}
