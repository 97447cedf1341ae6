import type { layers, LayersModel } from '@tensorflow/tfjs'
import type { WeightGroup } from '../../layers/head-attention.ts'
import { isModel, kerasClass, layerName } from './encode.ts'

type Layer = layers.Layer
type Variable = Layer['weights'][number]

/**
 * Where Keras 3 (and tf_keras) keeps the weights of a layer in `.weights.h5` and `.keras`: the numbered entries of a group
 * `…/vars`.
 */
export interface Slot {
  /** The group, such as `layers/conv2d_1/vars`. */
  path: string
  /** The layer's name, which stands beside it. */
  name: string
  /** The weights in the order in which the layer declares them, whether they can be trained or not. */
  weights: Variable[]
}

/** `GlobalAveragePooling2D` → `global_average_pooling2d`: Keras's rule (`keras/src/utils/naming.py`). */
export const snakeClass = (name: string): string =>
  name
    .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase()

/** Classes that Keras exports under another name. */
const inPython: Record<string, string> = { GroupQueryAttention: 'GroupedQueryAttention' }

/**
 * All groups of variables of a model. A layer is named by its class, with a number from the second of a class on; they are
 * counted in each model separately (`keras/src/saving/saving_lib.py`).
 */
export function slotsOf(model: LayersModel, at = ''): Slot[] {
  return [...numbered(model.layers, `${at}layers/`), { path: `${at}vars`, name: layerName(model.name), weights: [] }]
}

/** The slots of layers that lie in one folder. */
function numbered(layers: Layer[], at: string): Slot[] {
  const counts = new Map<string, number>()
  return layers.flatMap(layer => {
    const className = kerasClass(layer)
    const kind = isModel(layer) && className !== 'Sequential' ? 'functional' : snakeClass(inPython[className] ?? className)
    const count = counts.get(kind) ?? 0
    counts.set(kind, count + 1)
    return slotsOfLayer(layer, `${at}${kind}${count ? `_${count}` : ''}/`)
  })
}

function slotsOfLayer(layer: Layer, at: string): Slot[] {
  if (isModel(layer)) return slotsOf(layer, at)
  const inner = layer as Layer & { cell?: Layer; layer?: Layer; forwardLayer?: Layer; backwardLayer?: Layer }
  const empty: Slot = { path: `${at}vars`, name: layerName(layer.name), weights: [] }
  if (inner.forwardLayer && inner.backwardLayer) {
    return [
      ...slotsOfLayer(inner.forwardLayer, `${at}forward_layer/`),
      ...slotsOfLayer(inner.backwardLayer, `${at}backward_layer/`),
      empty,
    ]
  }
  const { weightGroups } = layer as Layer & { weightGroups?: WeightGroup[] }
  if (weightGroups) {
    return [...weightGroups.map(({ folder, name, from, to }) =>
      ({ path: `${at}${folder}/vars`, name, weights: layer.weights.slice(from, to) })), empty]
  }
  if (inner.layer) {
    const { ownWeights = [] } = layer as Layer & { ownWeights?: Variable[] }
    return [...slotsOfLayer(inner.layer, `${at}layer/`), { ...empty, weights: ownWeights }]
  }
  const { cells } = (inner.cell ?? {}) as { cells?: Layer[] }
  if (cells) return [...numbered(cells, `${at}cell/cells/`), empty]
  if (inner.cell) return [{ path: `${at}cell/vars`, name: layerName(inner.cell.name), weights: layer.weights }, empty]
  return [{ ...empty, weights: layer.weights }]
}
