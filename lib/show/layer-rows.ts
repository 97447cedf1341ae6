import type { LayersModel } from '@tensorflow/tfjs'
import { cardOf } from '../card.ts'
import { costs, type Cost } from './cost.ts'
import { shape } from './format.ts'
import { markOf, type LayerMark } from './layer-marks.ts'

type Layer = LayersModel['layers'][number]
type Costs = Map<Layer, Cost>

/** One line of the layer table. */
export interface LayerRow {
  name: string
  /** The class as Keras names it, e.g. `Conv2D`. */
  type: string
  /** Output shape, `None` for a free dimension. */
  shape: string
  /** All numbers the layer holds, and those of them that training changes. */
  params: number
  trainable: number
  /** `trunk` or `head` where the model's card tells them apart. */
  part: 'trunk' | 'head' | ''
  /** For BatchNormalization: whether it normalizes by its moving averages or by the batch while the model trains. */
  mode: 'inference' | 'batch' | ''
  /** What it costs for one image; nothing where the model's input has no fixed size. */
  cost?: Cost
  /** Where it is opaque or repaired. */
  mark?: LayerMark
}

/** Layers that belong together: the trunk, a nested model, or a block of the network. */
export interface LayerBlock {
  name: string
  kind: 'trunk' | 'model' | 'block'
  entries: LayerEntry[]
  rows: LayerRow[]
}

export type LayerEntry = LayerRow | LayerBlock

export const isBlock = (entry: LayerEntry): entry is LayerBlock => 'entries' in entry

/** What the layer table shows of one layer. */
export function layerRow(layer: Layer, part: LayerRow['part'] = '', cost?: Cost): LayerRow {
  const type = layer.getClassName()
  const batchNorm = /BatchNormalization/.test(type)
  return {
    name: layer.name,
    type,
    shape: outputShape(layer),
    params: size(layer.weights),
    trainable: size(layer.trainableWeights),
    part,
    mode: !batchNorm ? '' : layer.trainable ? 'batch' : 'inference',
    cost,
    mark: markOf(layer),
  }
}

/** All rows of a model, nested models as one row each. */
export function layerRows(model: LayersModel, cost: Costs = costs(model)): LayerRow[] {
  const trunk = new Set(cardOf(model)?.trunk)
  const partOf = (layer: Layer) => (trunk.size === 0 ? '' : trunk.has(layer.name) ? 'trunk' : 'head')
  return model.layers.map(layer => layerRow(layer, partOf(layer), cost.get(layer)))
}

/** The rows as a tree that folds: the trunk where there is a head, nested models, and blocks as {@link blockTree} finds them. */
export function layerTree(model: LayersModel, cost: Costs = costs(model)): LayerEntry[] {
  const rows = layerRows(model, cost), within = (inner: LayersModel) => layerTree(inner, cost)
  if (rows.length <= 20) return entriesOf(model, within, cost)
  const folded = limit(blockTree(model, within, cost))
  const head = rows.findIndex(row => row.part === 'head')
  if (head < 5 || rows.slice(head).some(row => row.part === 'trunk')) return folded
  const last = folded.findIndex(entry => rowsOf(entry).some(row => row.part === 'head'))
  return [block('trunk', 'trunk', folded.slice(0, last)), ...folded.slice(last)]
}

/**
 * The rows with what belongs together in blocks. A block is a run of layers whose names say so (`block_3_…`, `conv4_block2_…`,
 * `expanded_conv_5/…`), or else the layers between two places where the network is a single path, as in Inception.
 */
export function blockTree(
  model: LayersModel, within: (inner: LayersModel) => LayerEntry[] = inner => blockTree(inner), cost?: Costs,
): LayerEntry[] {
  return byPath(byName(entriesOf(model, within, cost)), model)
}

function entriesOf(model: LayersModel, within: (inner: LayersModel) => LayerEntry[], cost?: Costs): LayerEntry[] {
  return layerRows(model, cost).map((row, i) => {
    const inner = model.layers[i] as unknown as LayersModel
    return Array.isArray(inner.layers) ? block(row.name, 'model', within(inner)) : row
  })
}

export const rowsOf = (entry: LayerEntry): LayerRow[] => (isBlock(entry) ? entry.rows : [entry])

const block = (name: string, kind: LayerBlock['kind'], entries: LayerEntry[]): LayerBlock => ({
  name,
  kind,
  entries,
  rows: entries.flatMap(rowsOf),
})

const named = /^(.*(?:block|unit|cell|stage|expanded_conv|mixed)_?\d*[a-z]?)(?=[_/.])/i

function byName(entries: LayerEntry[]): LayerEntry[] {
  const keyOf = (entry: LayerEntry) => (isBlock(entry) ? undefined : named.exec(entry.name)?.[1])
  const out: LayerEntry[] = []
  let from = 0
  for (let i = 1; i <= entries.length; i++) {
    const key = keyOf(entries[from])
    if (i < entries.length && key && keyOf(entries[i]) === key && samePart(entries[i], entries[from])) continue
    const run = entries.slice(from, i)
    out.push(...(run.length > 1 ? [block(key!, 'block', run)] : run))
    from = i
  }
  return out
}

/** Folds what lies between two single-path places, among the rows that no name has folded. */
function byPath(entries: LayerEntry[], model: LayersModel): LayerEntry[] {
  const cuts = singlePaths(model)
  const out: LayerEntry[] = []
  let open: LayerRow[] = []
  const close = () => {
    out.push(
      ...(open.length >= 3 && open.every(row => row.part === open[0].part) ? [block(open.at(-1)!.name, 'block', open)] : open),
    )
    open = []
  }
  for (const entry of entries) {
    if (isBlock(entry)) {
      out.push(...open, entry)
      open = []
      continue
    }
    open.push(entry)
    if (cuts.has(entry.name)) close()
  }
  return [...out, ...open]
}

/** Names of the layers after which nothing but their own output is still needed. */
export function singlePaths(model: LayersModel): Set<string> {
  const position = new Map(model.layers.map((layer, i) => [layer.name, i]))
  const until = model.layers.map((_, i) => i)
  for (const [i, layer] of model.layers.entries()) {
    for (const node of layer.inboundNodes) {
      const sources = node.inboundLayers.map(source => position.get(source.name))
      if (sources.every(source => source !== undefined)) for (const source of sources) until[source] = Math.max(until[source], i)
    }
  }
  const cuts = new Set<string>()
  let furthest = -1
  for (const [i, layer] of model.layers.entries()) {
    if (furthest <= i) cuts.add(layer.name)
    furthest = Math.max(furthest, until[i])
  }
  return cuts
}

/** A long chain without blocks folds by the number, so that no table is endless. */
function limit(entries: LayerEntry[], most = 60, step = 25): LayerEntry[] {
  if (entries.length <= most) return entries
  const out: LayerEntry[] = []
  for (let i = 0; i < entries.length; i += step) {
    const some = entries.slice(i, i + step)
    out.push(some.length === 1 ? some[0] : block(`${some[0].name} … ${some.at(-1)!.name}`, 'block', some))
  }
  return out
}

function outputShape(layer: Layer): string {
  try {
    const output = layer.outputShape
    return Array.isArray(output[0]) ? (output as (number | null)[][]).map(shape).join(' ') : shape(output as (number | null)[])
  } catch {
    return 'several' // A layer used more than once with different shapes has no single output shape.
  }
}

const samePart = (a: LayerEntry, b: LayerEntry) => rowsOf(a)[0].part === rowsOf(b)[0].part

const size = (weights: { shape: (number | null)[] }[]) =>
  weights.reduce((sum, weight) => sum + weight.shape.reduce<number>((n, d) => n * (d ?? 1), 1), 0)
