import type { LayersModel } from '@tensorflow/tfjs'
import { freeze, unfreeze, type FreezeChange } from '../customize/freeze.ts'
import { GraftError } from '../error.ts'
import { count, percent, plural } from './format.ts'
import { columnsOf, many } from './layer-columns.ts'
import { signs } from './layer-marks.ts'
import { isBlock, layerTree, rowsOf, type LayerEntry, type LayerRow } from './layer-rows.ts'
import { layerTable, totals } from './layers.ts'
import { frontEnd, Widget } from './widget.ts'

/** A layer or a block as the browser shows it. */
interface Line {
  name: string
  /** The type; of a block how many layers it has. */
  type: string
  /** What stands in the columns. */
  cells: string[]
  /** Layers that hold weights, and those of them that train, in words with their rate. */
  held: number
  training: number
  state: string
  /** Signs with what they mean. */
  marks: [sign: string, why: string][]
}
/** The browser's columns: those of the static table, but that a button stands for whether a layer trains. */
interface View {
  columns: { head: string; align?: 'right' }[]
  /** Each with the place of its block among the blocks, -1 for none: two blocks may have the same name. */
  layers: (Line & { block: number })[]
  blocks: Line[]
  summary: string
}
interface State extends View {
  name: string
  search: string
  code: string
  said: string
}
type Message = { freeze?: string; unfreeze?: string; tap?: string }

/**
 * The layer table as a widget: search it, fold blocks, click to freeze or unfreeze a layer or a whole block; each click shows
 * the line of code that does the same. The model itself is changed.
 */
export function layerEditor(model: LayersModel, search = ''): Widget<State> {
  const editor = new Widget<State>({
    ...frontEnd('layers'),
    inPlace: true,
    fallback: layerTable(model, { search }),
    state: { name: model.name, ...viewOf(model), search, code: '', said: '' },
  })
  return editor.onMessage(message => {
    const { code, said } = act(model, message as Message)
    editor.set({ ...viewOf(model), said, code })
    editor.refresh(layerTable(model, { search }))
  })
}

/** Does what a click asks for, and says it as a line of code. */
export function act(model: LayersModel, message: Message): { code: string; said: string } {
  const { freeze: cold, unfreeze: warm, tap } = message ?? {},
    which = cold ?? warm
  const quoted = (name: string) => `'${name.replace(/[\\']/g, '\\$&')}'`
  try {
    if (typeof tap === 'string') return { said: 'Its output, to build on:', code: `tap(model, ${quoted(tap)})` }
    if (typeof which !== 'string') return { said: '', code: '' }
    const change: FreezeChange = cold === undefined ? unfreeze(model, which) : freeze(model, which)
    return {
      said: change.changed.length ? `${plural(change.changed.length, 'layer')} with weights changed:` : 'Nothing changed:',
      code: `${cold === undefined ? 'unfreeze' : 'freeze'}(model, ${quoted(which)})`,
    }
  } catch (error) {
    if (error instanceof GraftError) return { said: error.message, code: ' ' }
    throw error
  }
}

function viewOf(model: LayersModel): View {
  const tree = layerTree(model), layers: View['layers'] = [], blocks: Line[] = []
  const all = columnsOf(model, tree.flatMap(rowsOf)), training = all.find(({ head }) => head === 'Training')!
  const columns = all.filter(column => column !== training)
  const line = (name: string, type: string, rows: LayerRow[]): Line => ({
    name, type, cells: columns.map(column => column.text(rows)), held: rows.filter(row => row.params > 0).length,
    training: rows.filter(row => row.trainable > 0).length, state: training.text(rows),
    marks: rows.length === 1 && rows[0].mark ? [[signs[rows[0].mark.kind], `${rows[0].mark.kind}: ${rows[0].mark.why}`]] : [],
  })
  // What is folded is one level deep: blocks, also those inside of the trunk and of nested models.
  const visit = (entry: LayerEntry, block: number): void => {
    if (!isBlock(entry)) return void layers.push({ ...line(entry.name, entry.type, [entry]), block })
    const own = entry.kind === 'block' ? blocks.push(line(entry.name, many(entry.rows), entry.rows)) - 1 : block
    for (const inner of entry.entries) visit(inner, own)
  }
  for (const entry of tree) visit(entry, -1)
  const heads = columns.map(({ head, align }) => ({ head, ...align && { align } }))
  return { columns: heads, layers, blocks, summary: summary(model) }
}

function summary(model: LayersModel): string {
  const { params, trainable } = totals(model)
  return `${count(params)} parameters, ${count(trainable)} train (${percent(params ? trainable / params : 0)})`
}
