import type { LayersModel } from '@tensorflow/tfjs'
import { freeze, unfreeze, type FreezeChange } from '../customize/freeze.ts'
import { GraftError } from '../error.ts'
import { count, percent } from './format.ts'
import { isBlock, layerTree, rowsOf, type LayerEntry } from './layer-rows.ts'
import { layerTable, totals } from './layers.ts'
import { frontEnd, Widget } from './widget.ts'

interface Line {
  name: string
  type: string
  shape: string
  params: number
  trainable: number
  block: string
}
interface State {
  name: string
  layers: Line[]
  summary: string
  code: string
  said: string
}
type Message = { freeze?: string; unfreeze?: string; tap?: string }

/**
 * The layer table as a widget: search it, fold blocks, click to freeze or unfreeze a layer or a whole block; each click shows
 * the line of code that does the same. The model itself is changed.
 */
export function layerEditor(model: LayersModel): Widget<State> {
  const editor = new Widget<State>({
    ...frontEnd('layers'),
    fallback: layerTable(model),
    state: { name: model.name, layers: lines(model), summary: summary(model), code: '', said: '' },
  })
  return editor.onMessage(message => {
    const { code, said } = act(model, message as Message)
    editor.set({ layers: lines(model), summary: summary(model), said, code })
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
    const many = `${count(change.changed.length)} ${change.changed.length === 1 ? 'layer' : 'layers'} with weights changed:`
    return {
      said: change.changed.length ? many : 'Nothing changed:',
      code: `${cold === undefined ? 'unfreeze' : 'freeze'}(model, ${quoted(which)})`,
    }
  } catch (error) {
    if (error instanceof GraftError) return { said: error.message, code: ' ' }
    throw error
  }
}

const lines = (model: LayersModel): Line[] =>
  (function flatten(entries: LayerEntry[], block: string): Line[] {
    return entries.flatMap(entry => {
      if (isBlock(entry))
        return flatten(entry.entries, entry.kind === 'trunk' ? block : entry.kind === 'block' ? entry.name : block)
      const [{ name, type, shape, params, trainable }] = rowsOf(entry)
      return [{ name, type, shape, params, trainable, block }]
    })
  })(layerTree(model), '')

function summary(model: LayersModel): string {
  const { params, trainable } = totals(model)
  return `${count(params)} parameters, ${count(trainable)} train (${percent(params ? trainable / params : 0)})`
}
