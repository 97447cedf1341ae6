import type { LayersModel } from '@tensorflow/tfjs'
import { didYouMean, GraftError } from '../../error.ts'
import { augmentations } from '../../layers/augmentation.ts'
import { buildModel, type LayerPlan, type ModelPlan } from './build.ts'
import { readCall, readEnds } from './graph.ts'
import { checkMasks, withoutMasks } from './masks.ts'
import { camel, layerRules, same, spelled } from './layers.ts'
import { activationFromKeras, objectFromKeras, Untranslatable } from './objects.ts'
import { layerOfOp } from './ops.ts'
import { isObject, type Json, type Writer } from './types.ts'

type Config = { [key: string]: Json }

const models = new Set(['Functional', 'Model', 'Sequential'])

/**
 * Builds a model from the configuration in a file of Keras 3, Keras 2, TensorFlow.js or Graft. Its weights are zero until they
 * are set; together they may hold as many `numbers` as the file. Throws a GraftError that names layer, key and value where
 * TensorFlow.js would compute something else.
 */
export function fromKeras(value: Json, writer: Writer, numbers = Infinity): LayersModel {
  return buildModel(readModel(value, { writer, masks: makesMasks(value, 0) }, 0), numbers)
}

/** Whether any layer makes a mask, which some settings matter to. */
function makesMasks(value: Json, depth: number): boolean {
  if (depth > 100) throw new GraftError('its configuration is nested more than 100 deep. The file is damaged.')
  if (Array.isArray(value)) return value.some(each => makesMasks(each, depth + 1))
  if (!isObject(value)) return false
  return (
    value.class_name === 'Masking' || value.mask_zero === true || Object.values(value).some(each => makesMasks(each, depth + 1))
  )
}

/** Layers that compute something else in training. */
const trained = /Dropout|Noise|BatchNormalization|LSTM|GRU|RNN|Bidirectional|TimeDistributed|Attention/

/** Who wrote the configuration, and whether any layer of it makes masks. */
interface Source {
  writer: Writer
  masks: boolean
}

function readModel(value: Json, source: Source, depth: number): ModelPlan {
  const { class_name, config } = isObject(value) ? value : ({} as Config)
  if (!models.has(String(class_name)) || !isObject(config) || !Array.isArray(config.layers)) {
    throw new GraftError(
      `expected a Functional or Sequential model. Received: ${String(class_name)}. ` +
        `A subclassed model holds no description of its layers: rebuild it with the functional API.`,
    )
  }
  if (depth > 16) throw new GraftError('models are nested more than 16 deep.')
  return class_name === 'Sequential' ? readSequential(config, source, depth) : readFunctional(config, source, depth)
}

function readSequential(config: Config, source: Source, depth: number): ModelPlan {
  const name = String(config.name),
    layers = (config.layers as Json[]).map(layer => readLayer(layer, source, depth))
  const input = layers[0]?.className === 'InputLayer' ? layers.shift()?.config : undefined
  if (!layers.length) throw new GraftError(`the Sequential model '${name}' has no layers.`)
  if (!layers[0].model) {
    const first = layers[0].config
    first.batchInputShape ??= input?.batchInputShape ?? config.build_input_shape ?? null
    if (input && input.dtype !== 'float32') first.inputDType = input.dtype
    if (!first.batchInputShape)
      throw new GraftError(
        `the Sequential model '${name}' does not tell its input's shape. Build it with an Input before saving.`,
      )
  }
  checkMasks(layers.map((layer, i) => ({ ...layer, calls: [[[i ? layers[i - 1].name : '', 0, 0]]] })))
  return { name, sequential: true, trainable: config.trainable !== false, layers, inputs: [], outputs: [] }
}

function readFunctional(config: Config, source: Source, depth: number): ModelPlan {
  const { layers: unmasked, told } = withoutMasks(config.layers as Json[])
  const written = unmasked.map(layerOfOp)
  const layers = written.map(layer => readLayer(layer, source, depth))
  const known = new Map(layers.map(layer => [layer.name, layer]))
  const find = (name: string) => {
    const layer = known.get(name)
    if (!layer)
      throw new GraftError(`a layer was called on '${name}', which the model does not hold.${didYouMean(name, known.keys())}`)
    return layer
  }
  // Here and in Keras 2 a nested model's first call has index 1; in Keras 3 index 0, but for the outputs of a Functional one.
  const callShift = (name: string) => (find(name).model && source.writer === 'keras3' ? 1 : 0)
  const endShift = (name: string) => (find(name).model?.sequential && source.writer === 'keras3' ? 1 : 0)
  for (const [i, layer] of layers.entries()) {
    const nodes = (written as Config[])[i].inbound_nodes
    const passes = !layer.model && !trained.test(layer.className)
    const called = layerRules.get(layer.className)?.called
    layer.calls = (Array.isArray(nodes) ? nodes : []).map(node => readCall(layer.name, node, callShift, passes, called))
  }
  checkMasks(layers, told)
  return {
    name: String(config.name),
    sequential: false,
    trainable: config.trainable !== false,
    layers,
    inputs: readEnds(config.input_layers, endShift),
    outputs: readEnds(config.output_layers, endShift),
  }
}

function readLayer(value: Json, source: Source, depth: number): LayerPlan {
  if (!isObject(value) || !isObject(value.config))
    throw new GraftError(`a layer cannot be read: ${JSON.stringify(value).slice(0, 200)}.`)
  const given = String(value.class_name).replace(/^.*>/, '')
  const name = String(value.name ?? value.config.name)
  if (augmentations.includes(given)) return readAugmentation(name, given, value.config)
  if (given === 'Lambda')
    throw new GraftError(
      `layer '${name}' is a Lambda, which is Python code: no code of a file is run. ` +
        'Replace it by layers of Keras and save again.',
    )
  // Statistics that were measured are weights; given ones stand in the configuration.
  const className = given === 'Normalization' && (value.config.mean ?? null) === null ? 'AdaptedNormalization'
    : given === 'Identity' ? 'Activation' : given
  const { axis, invert } = value.config
  if (className === 'Normalization' && (invert === true || axis === null || same(axis ?? -1, [])))
    return readLayer({ ...value, class_name: 'Rescaling', config: rescalingOf(value.config) }, source, depth)
  if (models.has(className))
    return { name, className, config: {}, model: readModel({ ...value, class_name: className }, source, depth + 1), calls: [] }
  const wrapped = className === 'TimeDistributed' && isObject(value.config.layer) ? value.config.layer : undefined
  if (wrapped && models.has(String(wrapped.class_name)))
    return { name, className, config: { name }, wrapped: readModel(wrapped, source, depth + 1), calls: [] }
  const rule = layerRules.get(className)
  if (!rule)
    throw new GraftError(
      `layer '${name}' is of class ${className}, which cannot be computed ` +
        `here.${didYouMean(className, layerRules.keys())} Replace the layer and save the model again.`,
    )
  const config: Config = { name: String(value.config.name ?? name) }
  for (const [given, setting] of Object.entries(value.config)) {
    const key = rule.renamed[given] ?? (given === 'batch_shape' ? 'batch_input_shape' : given)
    const refuse = (reason: string) => {
      const text = JSON.stringify(setting), said = text.length > 80 ? `${text.slice(0, 80)}…` : text
      return new GraftError(`layer '${name}' (${className}) cannot be computed here: its ${given} is ${said}. ${reason}.`)
    }
    if (key === 'name' || rule.ignored.includes(key)) continue
    else if (key === 'dtype') checkDType(setting, className, config, refuse)
    else if (key === 'trainable') {
      if (className !== 'InputLayer') config.trainable = setting
    } else if (key === 'batch_input_shape') config.batchInputShape = setting
    else if (rule.keys.includes(key) || key === 'activity_regularizer') {
      const allowed = rule.only[key]
      if (allowed && !allowed.some(each => same(each, setting)))
        throw refuse(`It is computed alike only for ${allowed.map(each => JSON.stringify(each)).join(' or ')}`)
      try {
        config[camel(key)] = readValue(key, setting, source, depth)
      } catch (error) {
        throw error instanceof Untranslatable ? refuse(error.message) : error
      }
    } else if (key === 'zero_output_for_mask' && !source.masks) {
      continue
    } else if (key in rule.keras) {
      if (!rule.keras[key].some(each => same(each, setting)))
        throw refuse(`Only ${rule.keras[key].map(each => JSON.stringify(each)).join(' or ')} is known here`)
    } else if (key === 'backward_layer' && className === 'Bidirectional') {
      checkBackward(value.config, refuse)
    } else {
      throw refuse('The key is not known here')
    }
  }
  if (/^(Batch|Adapted|)Normalization$/.test(className) && Array.isArray(config.axis)) {
    if (config.axis.length !== 1)
      throw new GraftError(
        `layer '${name}' (${given}) cannot be computed here: its axis is ${JSON.stringify(config.axis)}. ` +
          'Only one axis is known here.',
      )
    config.axis = config.axis[0]
  }
  if (/^(Adapted)?Normalization$/.test(className)) {
    if (config.axis !== undefined && config.axis !== -1 && config.axis !== 3)
      throw new GraftError(
        `layer '${name}' (Normalization) cannot be computed here: its axis is ${JSON.stringify(config.axis)}. ` +
          'Only the last is known here.',
      )
    for (const key of ['mean', 'variance']) if (key in config) config[key] = numbersOf(config[key])
  }
  return { name, className, config, calls: [] }
}

function readValue(key: string, value: Json, source: Source, depth: number): Json {
  if (key === 'activation' || key === 'recurrent_activation') return activationFromKeras(value, source.writer)
  if (key === 'layer' || key === 'cell') {
    if (key === 'cell' && !(isObject(value) && /^(SimpleRNNCell|GRUCell|LSTMCell|StackedRNNCells)$/.test(String(value.class_name))))
      throw new Untranslatable('Only SimpleRNNCell, GRUCell, LSTMCell and several of them are known here')
    const { className, config, model } = readLayer(value, source, depth + 1)
    if (model) throw new Untranslatable('Only TimeDistributed is known here around a model')
    return { className, config }
  }
  if (key === 'cells') return (value as Json[]).map(cell => readValue('cell', cell, source, depth))
  if (/_(initializer|regularizer|constraint)$/.test(key)) return objectFromKeras(key, value)
  if (typeof value === 'string' && spelled.has(key)) return camel(value)
  return typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value)) ? Number(value) : value
}

/** What a Normalization of given numbers computes where it inverts, or has one mean for all pixels, as factor and offset. */
function rescalingOf({ axis, invert, mean, variance, ...config }: Config): Config {
  const means = numbersOf(mean) as number[], deviations = (numbersOf(variance) as number[]).map(Math.sqrt)
  return {
    ...config,
    scale: invert === true ? deviations : deviations.map(deviation => 1 / deviation),
    offset: invert === true ? means : means.map((each, i) => -each / deviations[i]),
  }
}

/** One number per channel, however deep Keras has them. */
const numbersOf = (value: Json): Json => [value].flat(8).filter(each => typeof each === 'number')

function readAugmentation(name: string, className: string, config: Config): LayerPlan {
  const { name: _, ...settings } = config
  return { name, className: 'KerasAugmentation', config: { name,
    keras: { name: JSON.stringify({ className, config: settings }) } }, calls: [] }
}

/** Weights are computed in float32 here, whatever a policy says; whole numbers stay what they are. */
function checkDType(value: Json, className: string, config: Config, refuse: (reason: string) => GraftError): void {
  const name = isObject(value) && isObject(value.config) ? value.config.name : value
  if (className === 'InputLayer')
    config.dtype = name === 'int64' || name === 'uint8' ? 'int32' : String(name ?? 'float32').replace('float64', 'float32')
  else if (name !== null && !/^(mixed_)?(b?float(16|32|64))$/.test(String(name)))
    throw refuse('Layers are computed in float32 here')
}

/** A Bidirectional's backward layer is made from its forward layer here: another one would be lost. */
function checkBackward(config: Config, refuse: (reason: string) => GraftError): void {
  const plain = (layer: Json) => {
    const { name, go_backwards, ...rest } = (isObject(layer) && isObject(layer.config) ? layer.config : {}) as Config
    return JSON.stringify(rest, Object.keys(rest).sort())
  }
  const { layer, backward_layer: backward } = config
  const alike =
    backward === null ||
    (isObject(layer) && isObject(backward) && layer.class_name === backward.class_name && plain(layer) === plain(backward))
  if (!alike) throw refuse('Only a backward layer like the forward one is known here')
}
