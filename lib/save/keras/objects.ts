import { activations as layerActivations } from '../../layers/activations.ts'
import { isObject, type Json, type Writer } from './types.ts'
import { camel, snake } from './layers.ts'

/** Says why a value cannot be translated: what it is, and the way out. */
export class Untranslatable extends Error {}

const configOf = (object: { [key: string]: Json }): { [key: string]: Json } => (isObject(object.config) ? object.config : {})

/** Activations of one name and one meaning everywhere. */
const activations = new Set([
  'linear',
  'relu',
  'relu6',
  'elu',
  'selu',
  'sigmoid',
  'tanh',
  'softmax',
  'softplus',
  'softsign',
  'swish',
  'gelu',
  'mish',
  'exponential',
])

/** Those that Keras 3 alone has, by our spelling. */
const keras3Activations = new Set([...Object.keys(layerActivations).filter(name => name !== 'exponential'), 'logSoftmax'])

/** TensorFlow.js's activation (as its config names it) → Keras's. */
export function activationToKeras(name: Json, readers: 'keras3' | 'tf_keras'): Json {
  const known = snake(String(name))
  if (activations.has(known)) return known
  if (known === 'hard_sigmoid' && readers === 'tf_keras') return known
  if (known === 'hard_sigmoid3' && readers === 'keras3') return 'hard_sigmoid'
  if (keras3Activations.has(camel(known)) && readers === 'keras3') return known
  if (known === 'hard_sigmoid3' || keras3Activations.has(camel(known))) {
    throw new Untranslatable(`it is Keras 3's, which Keras 2 lacks. Save with { readers: 'keras3' }`)
  }
  if (known === 'hard_sigmoid') {
    throw new Untranslatable(
      "'hard_sigmoid' is 0.2·x + 0.5 here and in Keras 2, but relu6(x + 3) / 6 in Keras 3. " +
        "Build the layer with 'sigmoid', or save with { readers: 'tf_keras' } for a file that only Keras 2 reads right",
    )
  }
  throw new Untranslatable(`Keras has no activation '${known}'`)
}

/** Keras's activation → TensorFlow.js's, in its config's spelling. */
export function activationFromKeras(value: Json, writer: Writer): Json {
  const name = isObject(value) ? value.config : value
  if (name === null || name === undefined) return 'linear'
  if (name === 'silu') return 'swish'
  if (typeof name === 'string' && activations.has(name)) return name
  // Keras 3's is another function than that of Keras 2 and TensorFlow.js.
  if (name === 'hard_sigmoid') return writer === 'keras3' ? 'hardSigmoid3' : 'hardSigmoid'
  if (name === 'hard_swish') return 'hardSilu'
  if (typeof name === 'string' && keras3Activations.has(camel(name))) return camel(name)
  throw new Untranslatable(`TensorFlow.js has no activation ${JSON.stringify(name)}`)
}

/** Initializers by Keras's name; TensorFlow.js spells two otherwise. They have no effect on what is loaded. */
const initializers: Record<string, string> = {
  Zeros: 'Zeros',
  Ones: 'Ones',
  Constant: 'Constant',
  RandomNormal: 'RandomNormal',
  RandomUniform: 'RandomUniform',
  TruncatedNormal: 'TruncatedNormal',
  VarianceScaling: 'VarianceScaling',
  Orthogonal: 'Orthogonal',
  Identity: 'Identity',
  GlorotUniform: 'GlorotUniform',
  GlorotNormal: 'GlorotNormal',
  HeNormal: 'HeNormal',
  HeUniform: 'HeUniform',
  LecunNormal: 'LeCunNormal',
  LecunUniform: 'LeCunUniform',
}
const initializerKeys = new Set(['seed', 'value', 'mean', 'stddev', 'minval', 'maxval', 'scale', 'mode', 'distribution', 'gain'])

function initializerToKeras(value: { [key: string]: Json }): Json {
  const name = Object.keys(initializers).find(name => initializers[name] === value.className)
  if (!name) throw new Untranslatable(`Keras has no initializer '${value.className}'`)
  const config = Object.fromEntries(Object.entries(configOf(value)).map(([key, value]) => [snake(key), value ?? null]))
  if (typeof config.mode === 'string') config.mode = snake(config.mode)
  // What TensorFlow.js calls a normal distribution here is a truncated one.
  if (name === 'VarianceScaling') config.distribution = config.distribution === 'uniform' ? 'uniform' : 'truncated_normal'
  return { module: 'keras.initializers', class_name: name, config, registered_name: null }
}

function initializerFromKeras(value: { [key: string]: Json }): Json {
  const className = initializers[String(value.class_name).replace(/V2$/, '')] ?? 'GlorotUniform'
  const config: { [key: string]: Json } = {}
  for (const [key, setting] of Object.entries(configOf(value))) {
    if (initializerKeys.has(key) && setting !== null && !isObject(setting)) config[key] = setting
  }
  if (typeof config.mode === 'string') config.mode = camel(config.mode)
  if (className === 'VarianceScaling') config.distribution = config.distribution === 'uniform' ? 'uniform' : 'normal'
  if (className === 'Constant' && typeof config.value !== 'number') config.value = 0
  return { className, config }
}

function regularizerFromKeras(value: { [key: string]: Json }): Json {
  const { l1 = 0, l2 = 0 } = configOf(value)
  if (!['L1', 'L2', 'L1L2'].includes(String(value.class_name)))
    throw new Untranslatable(`TensorFlow.js has no regularizer '${value.class_name}'`)
  return { className: 'L1L2', config: { l1: Number(l1), l2: Number(l2) } }
}

const constraints = ['MaxNorm', 'UnitNorm', 'NonNeg', 'MinMaxNorm']

/** An initializer, regularizer or constraint of TensorFlow.js → Keras's; which of them it is the key tells. */
export function objectToKeras(key: string, value: Json): Json {
  if (!isObject(value)) return value
  if (key.endsWith('_initializer')) return initializerToKeras(value)
  const config = Object.fromEntries(Object.entries(configOf(value)).map(([key, value]) => [snake(key), value]))
  return {
    module: `keras.${key.endsWith('_constraint') ? 'constraints' : 'regularizers'}`,
    class_name: String(value.className),
    config,
    registered_name: null,
  }
}

/** An initializer, regularizer or constraint of Keras → TensorFlow.js's. */
export function objectFromKeras(key: string, value: Json): Json {
  if (!isObject(value)) return value
  if (key.endsWith('_initializer')) return initializerFromKeras(value)
  if (key.endsWith('_regularizer')) return regularizerFromKeras(value)
  if (!constraints.includes(String(value.class_name)))
    throw new Untranslatable(`TensorFlow.js has no constraint '${value.class_name}'`)
  const config = Object.fromEntries(Object.entries(configOf(value)).map(([key, value]) => [camel(key), value]))
  return { className: value.class_name, config }
}
