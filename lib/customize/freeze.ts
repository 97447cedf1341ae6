import { inspect } from 'node:util'
import type { LayersModel } from '@tensorflow/tfjs'
import { GraftError } from '../error.ts'
import { host } from '../host.ts'
import { tf } from '../tf.ts'
import { blockNamed, blocksOf } from './blocks.ts'
import { checkModel, findLayers, holdsWeights, isModel, leaves, type Layer } from './layers.ts'
import type { NamesOf, Unknown } from './named.ts'

/** What a call of {@link freeze} or {@link unfreeze} changed. It prints as a sentence. */
export interface FreezeChange {
  /** Names of the layers whose flag changed and that hold weights. */
  changed: string[]
  /** Weights (single numbers) that training can change now, and all there are. */
  trainable: number
  total: number
}

/**
 * Which layers: a name, a pattern of names (`block_1*`, `/conv/`), a layer, or a list of these; `'first 10'` or `'last 5'`
 * (layers with weights); `'last 2 blocks'` or `'block block_16'`
 * (blocks as the layer table folds them); default all.
 */
export type Selection<N extends string = string> = N | `${string}*${string}` | RegExp | Layer | (N | (string & {}) | RegExp | Layer)[] |
  `${'first' | 'last'} ${number}${'' | ' block' | ' blocks'}` | `block ${string}`

/**
 * Freezes layers: training leaves their weights as they are, and a frozen BatchNormalization uses its stored statistics. Takes
 * effect in the next `train`. A model that is compiled is compiled anew, with a fresh optimizer of the same settings, so that it
 * takes effect in `model.fit` too; other models that share the layers must be compiled again.
 *
 * @returns What changed, and how many weights are left to train. Where nothing changed, it is said at once.
 * @throws GraftError for an unknown layer
 * @example
 * freeze(model)                   // all
 * freeze(model, 'block_1*')       // by name
 * freeze(model, 'first 100')      // the first hundred layers with weights
 * freeze(model, 'first 4 blocks') // blocks, as the layer table folds them
 */
export const freeze = <M extends LayersModel, S extends string = never>(model: M,
  which?: Selection<NamesOf<M>> | Unknown<S>): FreezeChange =>
  warned('freeze', setTrainable(model, which, false))

/**
 * Lets layers learn again: the opposite of {@link freeze}. A frozen model around them is opened, its other layers stay frozen.
 *
 * @example
 * unfreeze(model, 'last 5')       // the last five layers with weights
 * unfreeze(model, 'block block_16')
 */
export const unfreeze = <M extends LayersModel, S extends string = never>(model: M,
  which?: Selection<NamesOf<M>> | Unknown<S>): FreezeChange =>
  warned('unfreeze', setTrainable(model, which, true))

/** Says at once that a call changed nothing: its answer is seen only at the end of a cell. */
function warned(call: string, change: FreezeChange): FreezeChange {
  const state = call === 'freeze' ? 'frozen' : 'trainable'
  if (!change.changed.length) host().display({ 'text/plain': `${call}: nothing changed: these layers were ${state} already, or hold no weights.` })
  return change
}

/** The layers a selection means. */
export function select(model: LayersModel, which: Selection): Layer[] {
  const named = typeof which === 'string' ? /^block (.+)$/.exec(which) : null
  if (named) return blockNamed(model, named[1]).layers
  const counted = typeof which === 'string' ? /^(first|last) (\d+)( blocks?)?$/.exec(which) : null
  if (!counted) return findLayers(model, which)
  const groups = counted[3] ? blocksOf(model).map(({ layers }) => layers) : leaves(model).filter(holdsWeights).map(layer =>
    [layer])
  const n = Number(counted[2])
  if (n > groups.length) {
    throw new GraftError(`'${which}': '${model.name}' has ${groups.length} ${counted[3] ? 'blocks' : 'layers'} with weights.`)
  }
  return (counted[1] === 'first' ? groups.slice(0, n) : n ? groups.slice(-n) : []).flat()
}

/** As {@link freeze} or {@link unfreeze}, without a word. */
export function setTrainable(model: LayersModel, which: Selection = '*', trainable: boolean): FreezeChange {
  checkModel(model)
  const before = new Map(leaves(model).map(layer => [layer, learns(layer)]))
  if (!model.trainable && trainable) open(model)
  for (const layer of select(model, which)) mark(model, layer, trainable)
  const changed = leaves(model).filter(layer => holdsWeights(layer) && learns(layer) !== before.get(layer))
    .map(layer => layer.name)
  if (changed.length) recompile(model)
  const size = (weights: { shape: (number | null)[] }[]) =>
    weights.reduce((n, { shape }) => n + shape.reduce<number>((a, b) => a * (b ?? 1), 1), 0)
  const result = { changed, trainable: size(model.trainableWeights), total: size(model.weights) }
  return Object.defineProperty(result, inspect.custom, { enumerable: false, value: () => sentence(result, trainable) })
}

/** TensorFlow.js collects what learns when a model is compiled, and its optimizers keep what they know by number. */
function recompile(model: LayersModel): void {
  const { optimizer, loss, metrics } = model
  if (!optimizer || !loss) return
  const type = optimizer.constructor as unknown as { fromConfig?: (type: unknown, config: object) => tf.Optimizer,
    className?: string }
  const fresh = type.fromConfig?.(type, optimizer.getConfig()) ?? optimizer
  model.compile({ optimizer: fresh, loss, metrics: metrics as string[] | undefined })
}

/** Marks a layer, or all within a model, and opens the frozen models around it. */
function mark(root: LayersModel, layer: Layer, trainable: boolean): void {
  if (trainable) for (const outer of around(root, layer)) if (!outer.trainable) open(outer)
  if (isModel(layer)) for (const inner of leaves(layer)) inner.trainable = trainable
  layer.trainable = trainable
}

/** Makes a frozen model trainable and keeps each of its layers frozen. */
function open(model: LayersModel): void {
  model.trainable = true
  for (const layer of model.layers) layer.trainable = false
}

function around(model: LayersModel, layer: Layer): LayersModel[] {
  const inner = model.layers.filter(isModel).find(one => one === layer || one.layers.includes(layer) || around(one, layer).length)
  return inner && inner !== layer ? [inner, ...around(inner, layer)] : []
}

const learns = (layer: Layer): boolean => layer.trainableWeights.length > 0

function sentence({ changed, trainable, total }: FreezeChange, on: boolean): string {
  const word = on ? 'Unfroze' : 'Froze', state = on ? 'trainable' : 'frozen'
  const numbers = `${trainable.toLocaleString('en')} of ${total.toLocaleString('en')} weights can learn.`
  if (!changed.length) return `Nothing changed: these layers were ${state} already, or hold no weights. ${numbers}`
  const names = changed.length > 6 ? [...changed.slice(0, 3), '…', ...changed.slice(-2)] : changed
  return `${word} ${changed.length} ${changed.length === 1 ? 'layer' : 'layers'} (${names.join(', ')}). ${numbers}`
}
