import type { LayersModel } from '@tensorflow/tfjs'
import { didYouMean, GraftError } from '../../error.ts'
import { tf } from '../../tf.ts'
import { isModel } from './encode.ts'
import { readCall, readEnds } from './graph.ts'
import { camel, layerRules, same, spelled } from './layers.ts'
import { activationFromKeras, objectFromKeras, Untranslatable } from './objects.ts'
import { isObject, type Json, type Writer } from './types.ts'

type Config = { [key: string]: Json }

/** What TensorFlow.js builds a model or layer from: its class and its configuration in camel case. */
interface Built {
  className: string
  config: Config
}

/** How a model is built by its class; `fast` leaves its weights at zero. */
type FromConfig = { fromConfig(of: unknown, config: Config, custom: Config, fast: boolean): LayersModel }

/** How Keras 3 writes the computation of a mask. */
const maskOps = new Set(['NotEqual', 'Any', 'LogicalAnd'])

const models = new Set(['Functional', 'Model', 'Sequential'])

/**
 * Builds a model from the configuration in a file of Keras 3, Keras 2, TensorFlow.js or Graft. Its weights are zero until they are set.
 * Throws a GraftError that names layer, key and value where TensorFlow.js would compute something else.
 */
export function fromKeras(value: Json, writer: Writer): LayersModel {
  const masks = /"class_name":"Masking"|"mask_zero":true/.test(JSON.stringify(value))
  const { className, config } = readModel(value, { writer, masks })
  const Class = (className === 'Sequential' ? tf.Sequential : tf.LayersModel) as unknown as FromConfig
  try {
    // Building takes parts of the configuration away.
    return frozen(Class.fromConfig(Class, structuredClone(config), {}, true), config)
  } catch (error) {
    throw error instanceof GraftError ? error : new GraftError(`the model cannot be built: ${(error as Error).message}`, { cause: error })
  }
}

/** TensorFlow.js forgets that a model within a model, or the model itself, was frozen as a whole. */
function frozen(model: LayersModel, config: Config): LayersModel {
  const layers = config.layers as unknown as Built[]
  model.layers.filter(isModel).forEach(inner => frozen(inner, layers.find(each => each.config.name === inner.name)!.config))
  if (config.trainable === false) model.trainable = false
  return model
}

/** Who wrote the configuration, and whether any layer of it makes masks. */
interface Source {
  writer: Writer
  masks: boolean
}

function readModel(value: Json, source: Source, depth = 0): Built {
  const { class_name, config } = isObject(value) ? value : {} as Config
  if (!models.has(String(class_name)) || !isObject(config) || !Array.isArray(config.layers)) {
    throw new GraftError(`expected a Functional or Sequential model. Received: ${String(class_name)}. A subclassed model holds no description of its layers: rebuild it with the functional API.`)
  }
  if (depth > 16) throw new GraftError('models are nested more than 16 deep.')
  return class_name === 'Sequential' ? readSequential(config, source, depth) : readFunctional(config, source, depth)
}

function readSequential(config: Config, source: Source, depth: number): Built {
  const layers = (config.layers as Json[]).map(layer => readLayer(layer, source, depth))
  let shape: Json | undefined, dtype: Json | undefined
  if (layers[0]?.className === 'InputLayer') {
    const [{ config: input }] = layers.splice(0, 1)
    shape = input.batchInputShape
    dtype = input.dtype
  }
  const first = layers[0]?.config
  if (!first) throw new GraftError(`the Sequential model '${String(config.name)}' has no layers.`)
  first.batchInputShape ??= shape ?? config.build_input_shape ?? null
  if (dtype !== undefined && dtype !== 'float32') first.inputDType = dtype
  if (!first.batchInputShape && !first.layers) {
    throw new GraftError(`the Sequential model '${String(config.name)}' does not tell its input's shape. Build it with an Input before saving.`)
  }
  return { className: 'Sequential', config: { name: config.name, trainable: config.trainable ?? true, layers: layers as unknown as Json } }
}

function readFunctional(config: Config, source: Source, depth: number): Built {
  const classes = new Map<string, string>()
  for (const layer of config.layers as Json[]) if (isObject(layer) && isObject(layer.config)) classes.set(String(layer.name ?? layer.config.name), String(layer.class_name))
  const known = (name: string) => {
    if (!classes.has(name)) throw new GraftError(`a layer was called on '${name}', which the model does not hold.${didYouMean(name, classes.keys())}`)
    return classes.get(name) as string
  }
  // Here and in Keras 2 a nested model's first call has index 1; in Keras 3 index 0, but for the outputs of a Functional one.
  const callShift = (name: string) => models.has(known(name)) && source.writer === 'keras3' ? 1 : 0
  const endShift = (name: string) => known(name) === 'Sequential' && source.writer === 'keras3' ? 1 : 0
  const layers = (config.layers as Json[]).map(layer => {
    const built = readLayer(layer, source, depth)
    const { inbound_nodes: nodes } = layer as Config
    const name = String((layer as Config).name ?? built.config.name)
    const calls = (Array.isArray(nodes) ? nodes : []).map(node => readCall(name, node, callShift))
    return { ...built, name, inboundNodes: calls as Json }
  })
  return {
    className: 'Model',
    config: {
      name: config.name, trainable: config.trainable ?? true, layers: layers as unknown as Json,
      inputLayers: readEnds(config.input_layers, endShift), outputLayers: readEnds(config.output_layers, endShift),
    },
  }
}

function readLayer(value: Json, source: Source, depth: number): Built {
  if (!isObject(value) || !isObject(value.config)) throw new GraftError(`a layer cannot be read: ${JSON.stringify(value).slice(0, 200)}.`)
  const className = String(value.class_name).replace(/^.*>/, '')
  if (models.has(className)) return readModel({ ...value, class_name: className }, source, depth + 1)
  const name = String(value.config.name ?? value.name)
  const rule = layerRules.get(className)
  if (maskOps.has(className)) {
    throw new GraftError(`layer '${name}' (${className}) computes a mask. Keras 3 writes masks as layers of their own, which cannot be computed here: save the model with tf_keras, or without masks.`)
  }
  if (!rule) throw new GraftError(`layer '${name}' is of class ${className}, which cannot be computed here.${didYouMean(className, layerRules.keys())} Replace the layer and save the model again.`)
  const config: Config = { name }
  for (const [given, setting] of Object.entries(value.config)) {
    const key = rule.renamed[given] ?? (given === 'batch_shape' ? 'batch_input_shape' : given)
    const refuse = (reason: string) => new GraftError(`layer '${name}' (${className}) cannot be computed here: its ${given} is ${JSON.stringify(setting)}. ${reason}.`)
    if (key === 'name' || rule.ignored.includes(key)) continue
    else if (key === 'dtype') checkDType(setting, className, config, refuse)
    else if (key === 'trainable') { if (className !== 'InputLayer') config.trainable = setting }
    else if (key === 'batch_input_shape') config.batchInputShape = setting
    else if (rule.keys.includes(key) || key === 'activity_regularizer') {
      const allowed = rule.only[key]
      if (allowed && !allowed.some(each => same(each, setting))) throw refuse(`It is computed alike only for ${allowed.map(each => JSON.stringify(each)).join(' or ')}`)
      try {
        config[camel(key)] = readValue(key, setting, source, depth)
      } catch (error) {
        throw error instanceof Untranslatable ? refuse(error.message) : error
      }
    } else if (key === 'zero_output_for_mask' && !source.masks) {
      continue
    } else if (key in rule.keras) {
      if (!rule.keras[key].some(each => same(each, setting))) throw refuse(`Only ${rule.keras[key].map(each => JSON.stringify(each)).join(' or ')} is known here`)
    } else if (key === 'backward_layer' && className === 'Bidirectional') {
      checkBackward(value.config, refuse)
    } else {
      throw refuse('The key is not known here')
    }
  }
  if (className === 'BatchNormalization' && Array.isArray(config.axis)) {
    if (config.axis.length !== 1) throw new GraftError(`layer '${name}' (BatchNormalization) cannot be computed here: its axis is ${JSON.stringify(config.axis)}. Only one axis is known here.`)
    config.axis = config.axis[0]
  }
  return { className, config }
}

function readValue(key: string, value: Json, source: Source, depth: number): Json {
  if (key === 'activation' || key === 'recurrent_activation') return activationFromKeras(value, source.writer)
  if (key === 'layer') return readLayer(value, source, depth + 1) as unknown as Json
  if (/_(initializer|regularizer|constraint)$/.test(key)) return objectFromKeras(key, value)
  if (typeof value === 'string' && spelled.has(key)) return camel(value)
  return typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value)) ? Number(value) : value
}

/** Weights are computed in float32 here, whatever a policy says; whole numbers stay what they are. */
function checkDType(value: Json, className: string, config: Config, refuse: (reason: string) => GraftError): void {
  const name = isObject(value) && isObject(value.config) ? value.config.name : value
  if (className === 'InputLayer') config.dtype = name === 'int64' || name === 'uint8' ? 'int32' : String(name ?? 'float32').replace('float64', 'float32')
  else if (name !== null && !/^(mixed_)?(b?float(16|32|64))$/.test(String(name))) throw refuse('Layers are computed in float32 here')
}

/** A Bidirectional's backward layer is made from its forward layer here: another one would be lost. */
function checkBackward(config: Config, refuse: (reason: string) => GraftError): void {
  const plain = (layer: Json) => {
    const { name, go_backwards, ...rest } = (isObject(layer) && isObject(layer.config) ? layer.config : {}) as Config
    return JSON.stringify(rest, Object.keys(rest).sort())
  }
  const { layer, backward_layer: backward } = config
  const alike = backward === null || (isObject(layer) && isObject(backward) && layer.class_name === backward.class_name && plain(layer) === plain(backward))
  if (!alike) throw refuse('Only a backward layer like the forward one is known here')
}
