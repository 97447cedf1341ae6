import type { LayersModel } from '@tensorflow/tfjs'
import { GraftError } from '../../error.ts'
import { group, subgroup, type Dataset, type Group } from '../hdf5/tree.ts'
import { slotsOf } from '../keras/slots.ts'
import { ascii, makeNote, readNote } from '../note.ts'
import { compileConfig, optimizerVars } from '../training/keras.ts'
import { resume } from '../training/resume.ts'
import { readState, setWeights, varsPlaces, type ModelState } from '../weights.ts'
import { begins, decodeTree, encodeTree, type Format } from './format.ts'

/**
 * Keras's file of weights alone, with the optimizer's numbers where the model is being trained: `model.load_weights` reads it
 * into a model of the same layers (`keras/src/saving/saving_lib.py`).
 */
export const weightsH5: Format = {
  extension: '.weights.h5',
  what: 'weights alone',
  begins: begins.hdf5,
  async encode(model, { readers, signal }) {
    const state = await readState(model, varsPlaces(model)),
      root = layOutVars(model, state)
    root.attributes.set('graft', ascii(makeNote(model, readers, state)))
    return encodeTree(root, state, signal)
  },
  async decode(bytes, { into, signal }) {
    if (!into) throw new GraftError('it holds weights alone. Say which model they are for: load(path, { into: model }).')
    const root = await decodeTree(bytes, signal), vars = optimizerIn(root)
    fillVars(into, root)
    // As in Keras: a model that is compiled takes up its optimizer's numbers too, where the file has them.
    const { training } = vars.length > 0 ? await readState(into, []) : {}
    if (training) {
      const config = compileConfig(training, into.outputs.length)
      await resume(into, readNote(root.attributes.get('graft')), config, vars, 'keras3')
    }
    return into
  },
}

/** A group `…/vars` for every layer, and one for the optimizer, with their numbers counted through. */
export function layOutVars(model: LayersModel, { layers, training }: ModelState): Group {
  const root = group(),
    names = new Map(slotsOf(model).map(({ path, name }) => [path, name]))
  for (const { layer: path, weights } of layers) {
    const at = path.split('/').reduce(subgroup, root)
    at.attributes.set('name', names.get(path) as string)
    for (const { path, shape, data } of weights) {
      at.datasets.set(path, { shape, dtype: 'float32', data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) })
    }
  }
  if (training) {
    const at = subgroup(subgroup(root, 'optimizer'), 'vars')
    at.attributes.set('name', 'optimizer')
    optimizerVars(training, model, 'keras3').forEach(({ dataset }, i) => at.datasets.set(String(i), dataset))
  }
  return root
}

/** The optimizer's numbers, in their order. */
export const optimizerIn = (root: Group): Dataset[] => datasetsAt(root, 'optimizer/vars').map(({ dataset }) => dataset)

/** Reads the weights of a model from its groups; every layer must find all of its own. */
export function fillVars(model: LayersModel, root: Group): void {
  if (!root.groups.has('layers'))
    throw new GraftError("it holds no weights in the layout of Keras 3 ('layers'). Save it as .h5 or .keras.")
  const stored = varsPlaces(model).map(({ layer, weights }) => ({ layer, weights, datasets: datasetsOf(root, layer) }))
  const held = countDatasets(root.groups.get('layers') as Group),
    wanted = stored.reduce((sum, { weights }) => sum + weights.length, 0)
  if (held !== wanted) throw new GraftError(`it holds ${held} weights, but the model has ${wanted}.`)
  for (const { layer, weights, datasets } of stored) if (weights.length) setWeights(layer, weights, datasets)
}

/** Those of a layer; tf_keras writes the parts of an attention under names of its own, with a `_` in front. */
function datasetsOf(root: Group, layer: string): ReturnType<typeof datasetsAt> {
  const found = datasetsAt(root, layer)
  return found.length ? found : datasetsAt(root, layer.replace(/\/(\w+_dense)\/vars$/, '/_$1/vars'))
}

function datasetsAt(root: Group, path: string) {
  let at: Group | undefined = root
  for (const part of path.split('/')) at = at?.groups.get(part)
  return [...(at?.datasets ?? [])].map(([path, dataset]) => ({ path, dataset })).sort((a, b) => Number(a.path) - Number(b.path))
}

const countDatasets = ({ groups, datasets }: Group): number =>
  [...groups.values()].reduce((sum, each) => sum + countDatasets(each), datasets.size)
