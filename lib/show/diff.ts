import { inspect } from 'node:util'
import type { LayersModel } from '@tensorflow/tfjs'
import { titleOf } from '../card.ts'
import { compare, type Differences } from '../customize/difference.ts'
import type { Layer } from '../customize/layers.ts'
import { displaySymbol, type MimeBundle } from '../host.ts'
import { columns, count, escape, measure, plural, shape, shorten } from './format.ts'
import { chip, faint, fold, frame, table, type Column } from './html.ts'
import { palette } from './palette.ts'

/** What {@link diff} answers with: names of layers by what happened to them. It shows itself as a table. */
export class Diff {
  readonly added: string[]
  readonly removed: string[]
  readonly replaced: string[]
  readonly frozen: string[]
  readonly unfrozen: string[]
  /** The largest change of a single number, by the layer's name. */
  readonly changed: Record<string, number>
  /** Layers that stand elsewhere: after other layers than before. */
  readonly moved: string[]
  readonly #title: string
  readonly #lines: Line[]
  readonly #notes: string[]

  constructor(a: LayersModel, b: LayersModel) {
    const found = compare(a, b), name = ({ layer }: { layer: Layer }) => layer.name
    this.added = found.added.map(name)
    this.removed = found.removed.map(layer => layer.name)
    this.replaced = found.replaced.map(({ after }) => after.name)
    this.frozen = found.frozen.map(layer => layer.name)
    this.unfrozen = found.unfrozen.map(layer => layer.name)
    this.changed = Object.fromEntries(found.changed.map(({ layer, most }) => [layer.name, most]))
    this.moved = found.moved.map(name)
    this.#title = `${titleOf(a)} → ${titleOf(b)}`
    this.#lines = linesOf(found)
    this.#notes = notesOf(a, b, found)
  }

  /** Whether nothing is different. */
  get none(): boolean { return this.#lines.length === 0 }

  [displaySymbol](): MimeBundle {
    return { 'text/html': html(this.#title, this.#lines, this.#notes), 'text/plain': text(this.#title, this.#lines, this.#notes) }
  }

  [inspect.custom](): string { return text(this.#title, this.#lines, this.#notes) }
}

/**
 * What is different in a second model: layers added, removed, replaced, frozen and unfrozen, and how much weights changed. The
 * answer shows itself.
 *
 * Layers that both models share (as `tap`, `tf.model` and `customize.extract` do) cannot differ in their weights; whether they
 * were frozen is told against the moment they were loaded. To see what training did to them, compare with
 * `await hub.load(handle, { fresh: true })`.
 *
 * @throws GraftError for what is no model
 * @example
 * diff(base, model)
 * diff(await hub.load('models/mobilenet_v2_letters_feature_vector', { fresh: true }), base).changed   // { 'block_16_project': 0.00021, … }
 */
export const diff = (a: LayersModel, b: LayersModel): Diff => new Diff(a, b)

const states = ['added', 'removed', 'replaced', 'moved', 'unfrozen', 'frozen', 'changed'] as const
type State = typeof states[number]
interface Line { state: State, name: string, type: string, shape: string, params: number, what: string }

const colours: Record<State, string> = {
  added: palette.good, removed: palette.bad, replaced: palette.validationText, moved: palette.faint,
  unfrozen: palette.train, frozen: palette.faint, changed: palette.train,
}

function linesOf(found: Differences): Line[] {
  const line = (state: State, layer: Layer, what = ''): Line => ({
    state, name: layer.name, type: layer.getClassName(), shape: shapeOf(layer), what,
    params: layer.weights.reduce((sum, weight) => sum + weight.shape.reduce<number>((n, side) => n * (side ?? 1), 1), 0),
  })
  const from = (names: string[]) => names.length ? `after ${names.join(', ')}` : ''
  const news = new Set(found.added.map(({ layer }) => layer.name))
  return [
    ...found.added.map(({ layer, after }) => line('added', layer, from(after))),
    ...found.removed.map(layer => line('removed', layer)),
    ...found.replaced.map(({ after, settings }) => line('replaced', after, settings.join('; '))),
    // A layer behind a new one did not move: what is new is said already.
    ...found.moved.filter(({ after }) => !after.some(name => news.has(name)))
      .map(({ layer, before, after }) => line('moved', layer, `${from(after)}, before ${from(before)}`)),
    ...found.unfrozen.map(layer => line('unfrozen', layer, 'can learn now')),
    ...found.frozen.map(layer => line('frozen', layer, 'keeps its weights')),
    ...found.changed.map(({ layer, most }) => line('changed', layer, `by ${measure(most)} at most`)),
  ]
}

function notesOf(a: LayersModel, b: LayersModel, { shared }: Differences): string[] {
  const ends = (model: LayersModel) => `${model.inputs.map(tensor => shape(tensor.shape)).join(' ')} to ` +
    `${model.outputs.map(tensor => shape(tensor.shape)).join(' ')}`
  return [
    ends(a) === ends(b) ? `${ends(b)} in both.` : `${ends(a)} became ${ends(b)}.`,
    shared ? `${plural(shared, 'layer')} with weights ${shared === 1 ? 'is' : 'are'} shared by both models: training one trains the other.` : '',
  ].filter(Boolean)
}

const layout: Column[] = [
  { head: '', width: 11 }, { head: 'Layer', width: 23 }, { head: 'Type', width: 22 },
  { head: 'Output shape', width: 15 }, { head: 'Params', width: 10, align: 'right' }, { head: '', width: 19 },
]

/** How many lines of one kind are shown at once; the others fold. */
const most = 8

function html(title: string, lines: Line[], notes: string[]): string {
  const head = `<div><b style="font-size:15px">${escape(title)}</b> ${faint(escape(summary(lines)))}</div>`
  const rows = (some: Line[]) => some.map(line => [
    chip(line.state, colours[line.state]), escape(shorten(line.name, 40)), escape(line.type), escape(line.shape),
    line.params ? count(line.params) : faint('0'), faint(escape(line.what)),
  ])
  const parts = states.map(state => lines.filter(line => line.state === state)).filter(some => some.length).map(some => {
    if (some.length <= most) return table(layout, rows(some))
    const total = some.reduce((sum, line) => sum + line.params, 0)
    const first = [chip(some[0].state, colours[some[0].state]),
      `<b>${plural(some.length, 'layer')}</b>`, faint(`${escape(shorten(some[0].name, 18))} …`),
      '', count(total), faint('')]
    return fold(layout, first, table(layout, rows(some)))
  })
  return frame(head + (parts.length ? table(layout, [], { head: true }) + parts.join('') : '') + notes.map(note =>
    `<div>${faint(escape(note))}</div>`).join(''))
}

function text(title: string, lines: Line[], notes: string[]): string {
  const shown = states.flatMap(state => {
    const some = lines.filter(line => line.state === state), rest = some.length - most
    const rows = some.slice(0, rest > 0 ? most - 1 : most).map(line =>
      [line.state, shorten(line.name, 40), line.type, line.shape, line.params ? count(line.params) : '0', line.what])
    return rest > 0 ? [...rows, [state, `… and ${rest + 1} more`, '', '', '', '']] : rows
  })
  const body = shown.length ? [columns(shown, ['left', 'left', 'left', 'left', 'right', 'left'])] : []
  return [`${title}: ${summary(lines)}`, ...body, ...notes].join('\n')
}

function summary(lines: Line[]): string {
  const counts = states.map(state => ({ state, n: lines.filter(line => line.state === state).length }))
  return counts.filter(({ n }) => n).map(({ n, state }) => `${n} ${state}`).join(', ') || 'no difference'
}

function shapeOf(layer: Layer): string {
  const shapes = new Set(layer.inboundNodes.flatMap(node => node.outputTensors.map(tensor => shape(tensor.shape))))
  return shapes.size > 2 ? 'several' : [...shapes].join(' ')
}
