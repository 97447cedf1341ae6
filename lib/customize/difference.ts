import type { LayersModel } from '@tensorflow/tfjs'
import { learnedAtFirst } from '../card.ts'
import { tf } from '../tf.ts'
import { checkModel, holdsWeights, leaves, type Layer } from './layers.ts'

/** What is different between two models, layer by layer. Layers are the same where they are one object or have the same name. */
export interface Differences {
  /** Layers of the second model that the first has not, with the layers before them. */
  added: { layer: Layer, after: string[] }[]
  /** Layers of the first model that the second has not. */
  removed: Layer[]
  /** Layers of the same name with another type, other settings or weights of other shapes. */
  replaced: { before: Layer, after: Layer, settings: string[] }[]
  /** Layers with weights that could learn in the first model and cannot in the second, and the other way round. */
  frozen: Layer[]
  unfrozen: Layer[]
  /** Layers with the same shapes but other weights, and the largest change of a single number. */
  changed: { layer: Layer, most: number }[]
  /** Layers that give something else because they stand elsewhere. */
  moved: { layer: Layer, before: string[], after: string[] }[]
  /** How many layers with weights are one and the same object in both models: their weights cannot differ. */
  shared: number
}

/** Compares two models; see {@link Differences}. */
export function compare(a: LayersModel, b: LayersModel): Differences {
  checkModel(a)
  checkModel(b)
  const before = leaves(a), after = leaves(b)
  const oldOf = pairs(before, after), kept = new Set(oldOf.values())
  const result: Differences = {
    added: after.filter(layer => !oldOf.has(layer)).map(layer => ({ layer, after: sources(layer, b) })),
    removed: before.filter(layer => !kept.has(layer)),
    replaced: [], frozen: [], unfrozen: [], changed: [], moved: [], shared: 0,
  }
  for (const [layer, old] of oldOf) {
    const could = old === layer ? learnedAtFirst(layer) ?? learns(old) : learns(old)
    if (holdsWeights(layer) && could !== learns(layer)) result[could ? 'frozen' : 'unfrozen'].push(layer)
    const came = sources(old, a), comes = sources(layer, b)
    if (String(came) !== String(comes)) result.moved.push({ layer, before: came, after: comes })
    if (old === layer) {
      if (holdsWeights(layer)) result.shared++
      continue
    }
    const settings = settingsChanged(old, layer)
    if (settings.length) result.replaced.push({ before: old, after: layer, settings })
    else if (holdsWeights(layer)) {
      const most = largestChange(old, layer)
      if (most > 0) result.changed.push({ layer, most })
    }
  }
  return result
}

/** For each layer of the second model the one of the first that it was: itself, or the one of its name. */
function pairs(before: Layer[], after: Layer[]): Map<Layer, Layer> {
  const same = new Set(before), found = new Map<Layer, Layer>()
  for (const layer of after) if (same.has(layer)) found.set(layer, layer)
  const used = new Set(found.values()), byName = new Map(before.filter(layer => !used.has(layer)).map(layer => [layer.name,
    layer]))
  for (const layer of after) {
    const old = byName.get(layer.name)
    if (!found.has(layer) && old) found.set(layer, old)
  }
  return new Map(after.filter(layer => found.has(layer)).map(layer => [layer, found.get(layer)!]))
}

/** Names of the layers that a layer stands on in this model. */
function sources(layer: Layer, model: LayersModel): string[] {
  const inside = new Set(leaves(model))
  return layer.inboundNodes.flatMap(node => node.inboundLayers).filter(source => inside.has(source)).map(source => source.name)
}

const learns = (layer: Layer) => layer.trainable

/** Whether the layer is of another type, and which of its settings are others: `filters 32 → 64`. */
function settingsChanged(before: Layer, after: Layer): string[] {
  if (before.getClassName() !== after.getClassName()) return [`${before.getClassName()} → ${after.getClassName()}`]
  const old = before.getConfig(), now = after.getConfig()
  const others = Object.keys({ ...old, ...now }).filter(key => !passing.test(key) &&
    JSON.stringify(old[key]) !== JSON.stringify(now[key]))
  const shapes = before.weights.map(weight => weight.shape.join('×')).join(', '),
    news = after.weights.map(weight => weight.shape.join('×')).join(', ')
  return [
    ...others.map(key => `${key} ${JSON.stringify(old[key])} → ${JSON.stringify(now[key])}`),
    ...shapes !== news ? [`weights ${shapes || 'none'} → ${news || 'none'}`] : [],
  ]
}

/** Settings that say nothing of what a built layer computes. */
const passing = /^(name|trainable|dtype|batchInputShape|batch_input_shape)$|[iI]nitializer$/

/** The largest change of a single number of a layer's weights; a number that became none counts as endless. */
function largestChange(before: Layer, after: Layer): number {
  return tf.tidy(() => {
    const news = after.getWeights()
    return Math.max(...before.getWeights().map((weight, i) => {
      const a = weight.dataSync(), b = news[i].dataSync()
      let most = 0
      for (let n = 0; n < a.length; n++) {
        const change = Math.abs(a[n] - b[n])
        if (change > most || Number.isNaN(change)) most = Number.isNaN(change) ? Infinity : change
      }
      return most
    }))
  })
}
