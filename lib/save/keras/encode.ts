import type { LayersModel, layers } from '@tensorflow/tfjs'
import { GraftError } from '../../error.ts'
import { camel, layerRules, same, snake, spelled } from './layers.ts'
import { activationToKeras, objectToKeras, Untranslatable } from './objects.ts'
import { isObject, type Json, type KerasLayer, type KerasObject } from './types.ts'

type Layer = layers.Layer

/** Who shall read the file: Keras 3 and tf_keras both, or tf_keras (Keras 2) alone. */
export type Readers = 'all' | 'tf_keras'

/**
 * A model's configuration in the form of Keras 2, which Keras 3 and tf_keras both read.
 * Throws a GraftError that names the layer where Keras has no layer that computes the same.
 */
export function toKeras(model: LayersModel, readers: Readers = 'all'): KerasObject {
  const config = model.getConfig() as unknown as { [key: string]: Json }
  const all = model.layers
  const name = layerName(model.name)
  if (model.getClassName() === 'Sequential') {
    const [input] = model.inputs
    const first: KerasObject = {
      class_name: 'InputLayer',
      config: { name: `${name}_input`, batch_input_shape: input.shape as Json, dtype: input.dtype },
    }
    return { class_name: 'Sequential', config: { name, trainable: true, layers: [first, ...all.map(layer => layerToKeras(layer, readers))] } }
  }
  const written = config.layers as { name: string, inboundNodes: Json[] }[]
  const layers = all.map((layer, i): KerasLayer => ({
    ...layerToKeras(layer, readers),
    name: layerName(layer.name),
    inbound_nodes: written[i].inboundNodes.map(node => (node as Json[]).map(call => inbound(layer, call as Json[]))),
  }))
  const ends = (key: string) => (config[key] as [string, number, number][]).map(([name, node, tensor]) => [layerName(name), node, tensor])
  return { class_name: 'Functional', config: { name, trainable: true, layers, input_layers: ends('inputLayers'), output_layers: ends('outputLayers') } }
}

/** Keras 3 allows no `/` in a layer's name. */
export const layerName = (name: string): string => name.replaceAll('/', '.')

function inbound(layer: Layer, [name, node, tensor, kwargs]: Json[]): Json {
  if (isObject(kwargs) && Object.keys(kwargs).length) {
    throw new GraftError(`layer '${layer.name}' was called with ${Object.keys(kwargs).join(', ')}: a Keras file holds no such call. Call it on its input alone.`)
  }
  return [layerName(name as string), node, tensor, {}]
}

function layerToKeras(layer: Layer, readers: Readers): KerasObject {
  const class_name = layer.getClassName()
  const rule = layerRules.get(class_name)
  const own = Object.entries({ ...layer.getConfig() as { [key: string]: Json }, ...forgotten(layer) })
  const name = layerName(layer.name)
  if (!rule) {
    throw new GraftError(`layer '${layer.name}' is of class ${class_name}, which has no counterpart in Keras that computes the same. Replace the layer before saving.`)
  }
  const isInput = class_name === 'InputLayer'
  const config: { [key: string]: Json } = { name, ...(!isInput && { trainable: layer.trainable }), dtype: isInput ? (layer as Layer & { dtype: string }).dtype : 'float32' }
  for (const [key, value] of own) {
    const keras = snake(key)
    if (['name', 'trainable', 'dtype', 'batch_input_shape'].includes(keras) && !rule.keys.includes(keras)) continue
    if (rule.ignored.includes(keras) || value === undefined || (keras === 'activity_regularizer' && value === null)) continue
    const refuse = (reason: string) => new GraftError(`layer '${layer.name}' (${class_name}) cannot be saved for Keras: its ${camel(keras)} is ${JSON.stringify(value)}. ${reason}.`)
    if (!rule.keys.includes(keras) && !(keras in rule.keras) && keras !== 'activity_regularizer') throw refuse(`Keras's ${class_name} has no ${keras}`)
    const allowed = rule.only[keras] ?? rule.keras[keras]
    if (allowed && !allowed.some(each => same(each, typeof value === 'string' ? snake(value) : value))) throw refuse(`Keras computes the same only for ${allowed.map(each => JSON.stringify(each)).join(' or ')}`)
    try {
      config[keras] = valueToKeras(layer, keras, value, readers)
    } catch (error) {
      throw error instanceof Untranslatable ? refuse(error.message) : error
    }
  }
  return { class_name, config }
}

/** What TensorFlow.js leaves out of a layer's configuration. */
function forgotten(layer: Layer): { [key: string]: Json } {
  const { depthMultiplier, dataFormat } = layer as Layer & { depthMultiplier?: number, dataFormat?: string }
  switch (layer.getClassName()) {
    case 'SeparableConv2D': return { depthMultiplier: depthMultiplier ?? 1 }
    case 'Conv1D': return { dataFormat: dataFormat ?? 'channelsLast' }
    default: return {}
  }
}

function valueToKeras(layer: Layer, key: string, value: Json, readers: Readers): Json {
  if (key === 'activation' || key === 'recurrent_activation') return activationToKeras(value, readers)
  if (key === 'layer') return layerToKeras((layer as Layer & { layer?: Layer, forwardLayer?: Layer }).layer ?? (layer as Layer & { forwardLayer: Layer }).forwardLayer, readers)
  if (/_(initializer|regularizer|constraint)$/.test(key)) return objectToKeras(key, value)
  return typeof value === 'string' && spelled.has(key) ? snake(value) : value
}
