import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs'
import { didYouMean, GraftError, inWords } from '../error.ts'

/** A layer of a model, as TensorFlow.js knows it. */
export type Layer = LayersModel['layers'][number]

/** Which layers are meant: a name, a part of names (`block_1*`, `/conv/`), a layer, or a list of these. */
export type Which = string | RegExp | Layer | (string | RegExp | Layer)[]

/** Every layer that computes, those inside nested models and wrappers included, in the order of the model. */
export const leaves = (model: LayersModel): Layer[] => model.layers.flatMap(layer => isModel(layer) ? leaves(layer) : [layer])

/** Whether a layer is a model itself. */
export const isModel = (layer: unknown): layer is LayersModel => Array.isArray((layer as LayersModel).layers)

/** Refuses what is no model, e.g. a handle that was not loaded or a promise that was not awaited. */
export function checkModel(model: unknown): asserts model is LayersModel {
  if (isModel(model ?? {}) && (model as LayersModel).inputs) return
  const hint = model instanceof Promise ? 'Await it: const base = await hub.load(handle).' : 'hub.load(handle) gives one.'
  throw new GraftError(`expected a model (tf.LayersModel); received ${inWords(model)}. ${hint}`)
}

/** Whether a layer holds weights of its own. */
export const holdsWeights = (layer: Layer): boolean => layer.weights.length > 0

/**
 * The layers that `which` names, in the order of the model.
 *
 * @throws GraftError for a name that no layer has, with the closest one
 */
export function findLayers(model: LayersModel, which: Which): Layer[] {
  const all = [...model.layers.filter(isModel), ...leaves(model)]
  const chosen = new Set<Layer>()
  for (const one of Array.isArray(which) ? which : [which]) {
    const found = all.filter(layer => matches(layer, one))
    if (!found.length) throw unknownLayer(model, one)
    for (const layer of found) chosen.add(layer)
  }
  return all.filter(layer => chosen.has(layer))
}

function matches(layer: Layer, which: string | RegExp | Layer): boolean {
  if (which instanceof RegExp) return which.test(layer.name)
  if (typeof which !== 'string') return layer === which
  if (!which.includes('*')) return layer.name === which
  return new RegExp(`^${which.split('*').map(part => part.replace(/[.+?^${}()|[\]\\/]/g, '\\$&')).join('.*')}$`).test(layer.name)
}

function unknownLayer(model: LayersModel, which: string | RegExp | Layer): GraftError {
  const names = leaves(model).map(layer => layer.name)
  const word = typeof which === 'string' ? which : which instanceof RegExp ? String(which) : which?.name ?? String(which)
  const hint = typeof which === 'string' ? didYouMean(which, names) : ''
  return new GraftError(`unknown layer: ${typeof which === 'string' ? `'${word}'` : word}.${hint} The model has ` +
    `${names.length} layers, from '${names[0]}' to '${names.at(-1)}'; show.layers(model) lists them.`)
}

/** The one symbolic tensor a layer gives, at its last use. */
export const outputOf = (layer: Layer): SymbolicTensor => {
  const { output } = layer
  if (Array.isArray(output)) {
    throw new GraftError(`the layer '${layer.name}' gives ${output.length} tensors. Take one: layer.output[0].`)
  }
  return output
}

/** The activation that a model's output has gone through, e.g. `softmax`; `linear` where there is none. */
export function outputActivation(model: LayersModel): string {
  const layer = model.outputs[0].sourceLayer
  if (isModel(layer)) return outputActivation(layer)
  if (layer.getClassName() === 'Softmax') return 'softmax'
  return (layer.getConfig() as { activation?: string } | undefined)?.activation ?? 'linear'
}

/** A shape as messages say it: `[batch, 8, 8, 64]`. */
export const shapeOf = (shape: (number | null)[]): string => `[${shape.map((n, i) => n ?? (i ? 'any' : 'batch')).join(', ')}]`

/**
 * The one layer that is meant, nested ones included.
 *
 * @throws GraftError for an unknown name, an index out of range, a pattern that several layers match
 */
export function oneLayer(model: LayersModel, which: string | number | Layer): Layer {
  if (typeof which === 'number') {
    const layer = model.layers.at(which)
    if (layer && Number.isInteger(which)) return layer
    throw new GraftError(`no layer ${which}: '${model.name}' has ${model.layers.length} layers, 0 to ` +
      `${model.layers.length - 1}, or -1 for the last.`)
  }
  const found = findLayers(model, which)
  if (found.length === 1) return found[0]
  throw new GraftError(`${typeof which === 'string' ? `'${which}'` : which.name} means ${found.length} layers ` +
    `(${found.slice(0, 3).map(layer => layer.name).join(', ')}${found.length > 3 ? ', …' : ''}). Name one.`)
}
