import type { LayersModel } from '@tensorflow/tfjs'
import { GraftError } from '../../error.ts'
import { find, group, place, subgroup, type Dataset, type Group } from '../hdf5/tree.ts'
import { fromKeras } from '../keras/decode.ts'
import { isModel, toKeras, type Readers } from '../keras/encode.ts'
import { isObject, type KerasObject } from '../keras/types.ts'
import { applyNote, ascii, makeNote, parse, readNote, writerOf, type Note } from '../note.ts'
import { toFloats } from '../numbers.ts'
import { optimizerVars, trainingConfig, type Keeper } from '../training/keras.ts'
import { resume } from '../training/resume.ts'
import type { TrainingState } from '../training/state.ts'
import { h5Places, readState, setWeights, type LayerWeights, type ModelState } from '../weights.ts'
import { pythonBeside } from './beside.ts'
import { begins, countNumbers, decodeTree, encodeTree, type Format } from './format.ts'
import { getNames, putNames } from './names.ts'

/**
 * Keras's HDF5 file, which Keras 3, Keras 2 (tf_keras) and TensorFlow.js know (`keras/src/legacy/saving/legacy_h5_format.py`).
 */
export const h5: Format = {
  extension: '.h5',
  what: 'Keras 2 and 3',
  begins: begins.hdf5,
  async encode(model, { readers, signal }) {
    const config = toKeras(model, readers)
    refuseUnknown(model.layers, readers)
    const state = await readState(model, h5Places(model)),
      root = layOut(config, state.layers, makeNote(model, readers, state))
    if (state.training) putTraining(root, model, state.training, readers)
    const beside = await pythonBeside(model, false)
    return { ...await encodeTree(root, state, signal), ...beside,
      words: [...trainingWords(state, readers), ...beside.words ?? []] }
  },
  decode: async (bytes, { signal }) => build(await decodeTree(bytes, signal)),
}

/** Classes that a reader has, and yet does not find in an `.h5` or cannot build. */
const unread: Record<string, Partial<Record<Readers, string>>> = {
  GroupQueryAttention: { keras3: 'Keras 3 does not find in an .h5', tf_keras: 'tf_keras lacks' },
  SpectralNormalization: { tf_keras: 'tf_keras does not find in an .h5' },
}

/**
 * Keras 3 drops several axes of a layer when it opens an `.h5`, its own too, and does not find some classes in one
 * (`keras/src/legacy/saving/saving_utils.py`).
 */
function refuseUnknown(layers: LayersModel['layers'], readers: Readers): void {
  for (const layer of layers) {
    if (isModel(layer)) refuseUnknown(layer.layers, readers)
    const { axis } = layer.getConfig() as { axis?: unknown }
    if (readers === 'keras3' && Array.isArray(axis) && axis.length > 1) {
      throw new GraftError(`layer '${layer.name}' works along the axes ${axis.join(', ')}, which Keras 3 loses from an .h5. ` +
        "Save as .keras, or with { readers: 'tf_keras' }.")
    }
    const className = layer.getClassName(), who = unread[className]?.[readers]
    if (who) throw new GraftError(`layer '${layer.name}' is of class ${className}, which ${who}. Save as .keras, for Keras 3.`)
  }
}

const trainingWords = ({ training }: ModelState, readers: Readers): [string, string][] =>
  training && training.iterations > 0 ? [['Training', readers === 'tf_keras'
    ? `goes on after ${training.iterations} steps, here and in tf_keras`
    : `goes on after ${training.iterations} steps here; Keras 3 takes up no optimizer from an .h5, it does from a .keras`]] : []

/**
 * Keras 3 opens no `.h5` with the optimizer's numbers so that it can train on, its own included: for it they lie in a group of
 * Graft's own, and it starts with a fresh optimizer. tf_keras takes them up.
 */
function putTraining(root: Group, model: LayersModel, training: TrainingState, readers: Readers): void {
  root.attributes.set('training_config', ascii(trainingConfig(training, model.outputs.length)))
  const at = subgroup(root, readers === 'tf_keras' ? 'optimizer_weights' : ownOptimizer)
  const vars = optimizerVars(training, model, readers)
  putNames(at, 'weight_names', vars.map(({ path }) => path))
  for (const { path, dataset } of vars) place(at, path, dataset)
}

const ownOptimizer = 'graft_optimizer_weights'

/** The optimizer's numbers in their order, and whose order it is: Keras 3 has the learning rate among them. */
function trainingIn(root: Group): { vars: Dataset[] | undefined; keeper: Keeper } {
  const at = root.groups.get(ownOptimizer) ?? root.groups.get('optimizer_weights')
  const names = at && getNames(at, 'weight_names')
  const vars = at && names?.map(name => find(at, name))
  return {
    vars: vars?.every(each => each !== undefined) ? vars : undefined,
    keeper: names?.[1]?.endsWith('learning_rate') ? 'keras3' : 'tf_keras',
  }
}

/**
 * The configuration in an attribute, the weights of each layer under `model_weights/<layer>/<weight's path>`, found again
 * through the attributes `layer_names` and `weight_names`.
 */
export function layOut(config: KerasObject, layers: LayerWeights[], note: Note): Group {
  const root = group(),
    weights = subgroup(root, 'model_weights')
  for (const { attributes } of [root, weights]) attributes.set('keras_version', '2.15.0').set('backend', 'tensorflow')
  root.attributes.set('model_config', ascii(config)).set('graft', ascii(note))
  putNames(
    weights,
    'layer_names',
    layers.map(({ layer }) => layer),
  )
  for (const { layer, weights: own } of layers) {
    const at = subgroup(weights, layer)
    putNames(
      at,
      'weight_names',
      own.map(({ path }) => path),
    )
    for (const { path, shape, data } of own) {
      place(at, path, { shape, dtype: 'float32', data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) })
    }
  }
  // Weights of the model itself, outside its layers; Keras 3 looks for the group.
  putNames(subgroup(weights, 'top_level_model_weights'), 'weight_names', [])
  return root
}

async function build(root: Group): Promise<LayersModel> {
  const text = root.attributes.get('model_config')
  if (text === undefined) {
    throw new GraftError(
      getNames(root, 'layer_names') || root.groups.has('layers')
        ? 'it holds weights alone, without the model they belong to. Save the whole model (model.save), not its weights.'
        : 'it is an HDF5 file, but not a Keras model: it has no model_config.',
    )
  }
  const config = parse(text)
  if (!isObject(config)) throw new GraftError('its model_config is not JSON. The file is damaged.')
  const stored = root.groups.get('model_weights') ?? root,
    note = readNote(root.attributes.get('graft'))
  const version = root.attributes.get('keras_version') ?? stored.attributes.get('keras_version')
  const model = fromKeras(config, writerOf(note, version), countNumbers(root))
  try {
    const names = getNames(stored, 'layer_names')
    if (!names) throw new GraftError('it lists no layers (layer_names). The file is damaged.')
    const layers = names.map(layer => ({ layer, weights: weightsIn(stored, layer) }))
    fill(model, layers)
    applyNote(note, model, () =>
      layers.map(({ layer, weights }) => ({
        layer,
        weights: weights.map(({ path, dataset }) => ({ path, shape: dataset.shape, data: toFloats(dataset) })),
      })),
    )
    const { vars, keeper } = trainingIn(root)
    await resume(model, note, parse(root.attributes.get('training_config')), vars, keeper)
    return model
  } catch (error) {
    model.dispose()
    throw error
  }
}

interface Stored {
  path: string
  dataset: Dataset
}

function weightsIn(stored: Group, layer: string): Stored[] {
  let at: Group | undefined = stored
  for (const part of layer.split('/')) at = at?.groups.get(part)
  if (!at) throw new GraftError(`it holds no weights for layer '${layer}'. The file is damaged.`)
  return (getNames(at, 'weight_names') ?? []).map(path => {
    const dataset = find(at, path)
    if (!dataset) throw new GraftError(`it lacks the weight '${path}' of layer '${layer}'. The file is damaged.`)
    return { path, dataset }
  })
}

/** As Keras does it: the layers with weights, in their order, whatever their names. */
function fill(model: LayersModel, layers: { layer: string; weights: Stored[] }[]): void {
  const stored = layers.filter(({ weights }) => weights.length > 0),
    places = h5Places(model).filter(({ weights }) => weights.length > 0)
  if (stored.length !== places.length)
    throw new GraftError(`it holds weights for ${stored.length} layers, but its model has ${places.length} layers with weights.`)
  places.forEach(({ weights }, i) => setWeights(stored[i].layer, weights, stored[i].weights))
}
