import type { LayersModel, layers, SymbolicTensor } from '@tensorflow/tfjs'
import { GraftError } from '../../error.ts'
import { KerasAugmentation } from '../../layers/augmentation.ts'
import type { TensorFlowOp, TensorFlowOpConfig } from '../../layers/tensorflow-op.ts'
import { layerRules, same, snake, spelled } from './layers.ts'
import { activationToKeras, objectToKeras, Untranslatable } from './objects.ts'
import { isObject, type Json, type KerasLayer, type KerasObject } from './types.ts'

type Layer = layers.Layer

/**
 * Who shall read the file. Keras 3 and tf_keras (Keras 2) read the same one, but for models within models, whose calls they count
 * differently, and `hard_sigmoid`, which they compute differently.
 */
export type Readers = 'keras3' | 'tf_keras'

/** A model used as a layer, or the model itself. */
export const isModel = (layer: Layer): layer is LayersModel => Array.isArray((layer as Layer & { layers?: Layer[] }).layers)

/** Keras 3 allows no `/` in a layer's name. */
export const layerName = (name: string): string => name.replaceAll('/', '.')

/**
 * A model's configuration in the form of Keras 2, which Keras 3 reads too.
 * Throws a GraftError that names the layer where Keras has no layer that computes the same.
 */
export const toKeras = (model: LayersModel, readers: Readers = 'keras3'): KerasObject => modelToKeras(model, readers, true)

function modelToKeras(model: LayersModel, readers: Readers, mayTrain: boolean): KerasObject {
  const name = layerName(model.name),
    trainable = mayTrain && model.trainable
  const layers = model.layers.map(layer => layerToKeras(layer, readers, trainable))
  if (model.getClassName() === 'Sequential') {
    const [{ shape, dtype }] = model.inputs
    const input = { class_name: 'InputLayer', config: { name: `${name}_input`, batch_input_shape: shape as Json, dtype } }
    return { class_name: 'Sequential', config: { name, trainable, layers: [input, ...layers] } }
  }
  const config = model.getConfig() as unknown as { layers: { inboundNodes: Json[][] }[]; inputLayers: End[]; outputLayers: End[] }
  const models = new Map(model.layers.filter(isModel).map(layer => [layer.name, layer.getClassName()]))
  // Here and in Keras 2 the first call of a model within a model has index 1, in Keras 3 index 0; but not where an output is
  // named.
  const call = (name: string, index: number) => (readers === 'keras3' && models.has(name) ? index - 1 : index)
  const end = ([name, index, output]: End): Json => [
    layerName(name),
    models.get(name) === 'Sequential' ? call(name, index) : index,
    output,
  ]
  const placed = layers.map((layer, i): KerasLayer => ({
    ...layer,
    name: layerName(model.layers[i].name),
    inbound_nodes: config.layers[i].inboundNodes.map((calls, at) => oneByOne(model.layers[i], at, readers,
      calls.map((entry): Place => {
        const [from, index, output, kwargs] = entry as [string, number, number, Json]
        if (isObject(kwargs) && Object.keys(kwargs).length) {
          throw new GraftError(
            `layer '${model.layers[i].name}' was called with ${Object.keys(kwargs).join(', ')}: ` +
              `a Keras file holds no such call. Call it on its inputs alone.`,
          )
        }
        return [layerName(from), call(from, index), output, {}]
      }))),
  }))
  return {
    class_name: 'Functional',
    config: {
      name,
      trainable,
      layers: placed,
      input_layers: config.inputLayers.map(end),
      output_layers: config.outputLayers.map(end),
    },
  }
}

type Place = [layer: string, call: number, output: number, kwargs: { [key: string]: Json }]

/** Within a wrapper, a model of one input or output must say so: Keras 3 takes a list of one for a list. */
function ofOneTensor({ config, ...rest }: KerasObject): KerasObject {
  const alone = (ends: Json): Json => Array.isArray(ends) && ends.length === 1 ? ends[0] : ends
  return { ...rest, config: { ...config, input_layers: alone(config.input_layers), output_layers: alone(config.output_layers) } }
}

/** A call on one list of tensors as it is; one on several tensors in the words of its reader. */
function oneByOne(layer: Layer, at: number, readers: Readers, places: Place[]): Json {
  const { called } = layerRules.get(layer.getClassName()) ?? {}
  if (!called) return places
  if (readers === 'tf_keras') {
    const [first, ...others] = places.map(([from, index, output]) => [from, index, output])
    return [[...first, Object.fromEntries(others.map((each, i) => [called[i + 1], each]))]]
  }
  const { inputTensors } = (layer.inboundNodes as unknown as { inputTensors: SymbolicTensor[] }[])[at]
  const args = places.map(([from, index, output], i) => ({
    class_name: '__keras_tensor__',
    config: { shape: inputTensors[i].shape as Json, dtype: inputTensors[i].dtype, keras_history: [from, index, output] },
  }))
  return { args, kwargs: {} }
}

type End = [layer: string, call: number, output: number]

function layerToKeras(layer: Layer, readers: Readers, mayTrain: boolean): KerasObject {
  if (isModel(layer)) return modelToKeras(layer, readers, mayTrain)
  const class_name = layer.getClassName(),
    rule = layerRules.get(class_name)
  if (layer instanceof KerasAugmentation) {
    const { className, config } = layer.keras
    return { class_name: className, config: { ...config as { [key: string]: Json }, name: layerName(layer.name) } }
  }
  if (!rule) {
    throw new GraftError(
      `layer '${layer.name}' is of class ${class_name}, which has no counterpart in Keras that computes the same. ` +
        `Replace the layer before saving.`,
    )
  }
  const name = layerName(layer.name)
  if (class_name === 'InputLayer') {
    const { batchInputShape, dtype } = layer as Layer & { batchInputShape: Json; dtype: string }
    return { class_name, config: { name, batch_input_shape: batchInputShape, dtype } }
  }
  const config: { [key: string]: Json } = { name, trainable: mayTrain && layer.trainable, dtype: 'float32' }
  // Keras 3's constructor takes no such argument.
  if (class_name.startsWith('SpatialDropout')) delete config.trainable
  for (const [given, value] of Object.entries({ ...(layer.getConfig() as { [key: string]: Json }), ...forgotten(layer) })) {
    const key = snake(given)
    if (['name', 'trainable', 'dtype', 'batch_input_shape'].includes(key) || rule.ignored.includes(key) || value === undefined)
      continue
    if (key === 'activity_regularizer' && value === null) continue
    const refuse = (reason: string) =>
      new GraftError(
        `layer '${layer.name}' (${class_name}) cannot be saved for Keras: its ${given} is ${JSON.stringify(value)}. ${reason}.`,
      )
    const known = rule.keys.includes(key) || key in rule.keras || key === 'activity_regularizer'
    if (!known) throw refuse(`Keras's ${class_name} has no ${key}`)
    const allowed = rule.only[key] ?? rule.keras[key],
      spelling = typeof value === 'string' && spelled.has(key) ? snake(value) : value
    if (allowed && !allowed.some(each => same(each, spelling)))
      throw refuse(`Keras computes the same only for ${allowed.map(each => JSON.stringify(each)).join(' or ')}`)
    try {
      config[key] = valueToKeras(layer, key, spelling, readers, mayTrain)
    } catch (error) {
      throw error instanceof Untranslatable ? refuse(error.message) : error
    }
  }
  if (class_name === 'MultiHeadAttention' && readers === 'tf_keras') Object.assign(config, shapesCalledOn(layer))
  return { class_name: rule.missing ? `graft>${kerasClass(layer)}` : kerasClass(layer), config }
}

/** What Keras 2 makes an attention's weights from when it reads it. */
function shapesCalledOn({ inboundNodes: [node] }: Layer): { [key: string]: Json } {
  const [query, value, key = value] = (node as unknown as { inputTensors: SymbolicTensor[] }).inputTensors.map(({ shape }) => shape as Json)
  return { query_shape: query, value_shape: value, key_shape: key }
}

/** The layers of a model that Keras lacks, by name, with what `.keras` files know all the same left out. */
export const layersMissing = (model: LayersModel, archive: boolean): string[] =>
  model.layers.flatMap(layer => {
    if (isModel(layer)) return layersMissing(layer, archive)
    const inner = (layer as Layer & { layer?: Layer; forwardLayer?: Layer }).layer ?? layer
    const missing = layerRules.get(inner.getClassName())?.missing
    const known = typeof missing === 'string' || Boolean((inner as TensorFlowOp & { config?: TensorFlowOpConfig }).config?.keras)
    return missing && !(archive && known) ? [layerName(layer.name)] : []
  })

/** What Keras calls the layer's class. */
export function kerasClass(layer: Layer): string {
  if (layer instanceof KerasAugmentation) return layer.keras.className
  const name = layer.getClassName()
  return name === 'AdaptedNormalization' ? 'Normalization' : name
}

/** What TensorFlow.js leaves out of a layer's configuration. */
function forgotten(layer: Layer): { [key: string]: Json } {
  const { depthMultiplier, dataFormat } = layer as Layer & { depthMultiplier?: number; dataFormat?: string }
  switch (layer.getClassName()) {
    case 'SeparableConv2D':
      return { depthMultiplier: depthMultiplier ?? 1 }
    case 'Conv1D':
      return { dataFormat: dataFormat ?? 'channelsLast' }
    default:
      return {}
  }
}

function valueToKeras(layer: Layer, key: string, value: Json, readers: Readers, mayTrain: boolean): Json {
  if (key === 'activation' || key === 'recurrent_activation') return activationToKeras(value, readers)
  if (key === 'layer') {
    const { layer: inner, forwardLayer } = layer as Layer & { layer?: Layer; forwardLayer?: Layer }
    const wrapped = (inner ?? forwardLayer) as Layer, written = layerToKeras(wrapped, readers, mayTrain && layer.trainable)
    if (!isModel(wrapped)) return { module: 'keras.layers', registered_name: null, ...written }
    if (wrapped.getClassName() === 'Sequential') return { module: 'keras', registered_name: null, ...written }
    const functional = readers === 'keras3' ? ofOneTensor(written) : written
    return { module: 'keras.src.models.functional', registered_name: 'Functional', ...functional }
  }
  if (key === 'cell' || key === 'cells') {
    const { cell, cells } = layer as Layer & { cell: Layer, cells: Layer[] }
    const written = (each: Layer) => ({ module: 'keras.layers', registered_name: null, ...layerToKeras(each, readers, mayTrain) })
    return key === 'cell' ? written(cell) : cells.map(written)
  }
  if (key === 'target_shape') return (value as Json[]).map(size => size ?? -1)
  return /_(initializer|regularizer|constraint)$/.test(key) ? objectToKeras(key, value) : value
}
