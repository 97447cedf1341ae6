import type { LayersModel } from '@tensorflow/tfjs'
import type { OptimizerName, OptimizerSettings } from '../../train/optimizers.ts'
import type { Dataset } from '../hdf5/tree.ts'
import { camel, snake } from '../keras/layers.ts'
import { isObject, type Json } from '../keras/types.ts'
import { toFloats } from '../numbers.ts'
import { commonSlots, slotsOf, type Names, type TrainingState } from './state.ts'

/** Says why training cannot go on from what a file holds. */
export class NotResumed extends Error {}

/** Who keeps the optimizer's numbers in which order: Keras 3 with the learning rate behind the count, tf_keras without. */
export type Keeper = 'keras3' | 'tf_keras'

type Config = { [key: string]: Json }

const classes: Record<OptimizerName, string> =
  { adam: 'Adam', adamw: 'AdamW', sgd: 'SGD', momentum: 'SGD', rmsprop: 'RMSprop' }

/** The learning rate that Keras gets: it has one, where ours may have one for each group of layers; then the head's. */
export function oneRate({ learningRate }: TrainingState): number {
  if (typeof learningRate === 'number') return learningRate
  return learningRate.head ?? Math.max(...Object.values(learningRate).filter(rate => rate !== undefined))
}

function ownSettings({ kind, settings }: TrainingState): Config {
  const { beta1, beta2, epsilon, momentum, nesterov, rho } = settings
  if (kind === 'adam' || kind === 'adamw') return { beta_1: beta1, beta_2: beta2, epsilon, amsgrad: false }
  if (kind === 'rmsprop') return { rho, epsilon, centered: false }
  // Keras wants a momentum written with a decimal point, which JSON's 0 has not; 0.0 is its default.
  return kind === 'momentum' ? { momentum, nesterov } : {}
}

/** The optimizer's configuration as both Keras versions write it. */
function optimizerConfig(state: TrainingState): Config {
  const { clipNorm, globalClipNorm, clipValue, emaMomentum } = state.settings
  return {
    name: classes[state.kind], learning_rate: oneRate(state),
    weight_decay: state.kind === 'adamw' ? state.settings.weightDecay : null,
    clipnorm: clipNorm || null, global_clipnorm: globalClipNorm || null, clipvalue: clipValue || null,
    use_ema: emaMomentum > 0, ema_momentum: emaMomentum || 0.99, ema_overwrite_frequency: null,
    ...ownSettings(state),
  }
}

/** Keras's names of losses and metrics that TensorFlow.js calls otherwise than in camel case. */
const others: Record<string, string> = { kullbackLeiblerDivergence: 'kl_divergence', acc: 'accuracy' }
const toName = (name: string): string => others[name] ?? snake(name)
const named = (names: Names | null): Json =>
  names === null ? null
    : typeof names === 'string' ? toName(names)
    : Array.isArray(names) ? names.map(toName)
    : Object.fromEntries(Object.entries(names).map(([output, name]) => [output, named(name)]))

/** Keras wants metrics listed for each output where there are several. */
const metricsOf = ({ metrics }: TrainingState, outputs: number): Json => {
  const list = typeof metrics === 'string' ? [metrics] : metrics
  return Array.isArray(list) && outputs > 1 ? Array.from({ length: outputs }, () => named(list)) : named(list)
}

const steps = ({ settings: { accumulate } }: TrainingState): number | null => accumulate > 1 ? accumulate : null

/** `compile_config` of a `.keras` file. */
export const compileConfig = (state: TrainingState, outputs: number): Json => ({
  optimizer: {
    module: 'keras.optimizers', class_name: classes[state.kind], registered_name: null,
    config: { ...optimizerConfig(state), loss_scale_factor: null, gradient_accumulation_steps: steps(state) },
  },
  loss: named(state.loss), loss_weights: null, metrics: metricsOf(state, outputs), weighted_metrics: null,
  run_eagerly: false, steps_per_execution: 1, jit_compile: false,
})

/** `training_config` of an `.h5` file. The class is written as tf_keras registers it; Keras 3 knows it under that name too. */
export const trainingConfig = (state: TrainingState, outputs: number): Json => ({
  loss: named(state.loss), metrics: metricsOf(state, outputs), weighted_metrics: null, loss_weights: null,
  optimizer_config: {
    class_name: `Custom>${classes[state.kind]}`,
    config: { ...optimizerConfig(state), jit_compile: false, is_legacy_optimizer: false },
  },
})

/** The optimizer's numbers in the order of their keeper; `paths` names the weights that train. */
export function optimizerVars(state: TrainingState, model: LayersModel, keeper: Keeper): { path: string; dataset: Dataset }[] {
  const bytes = (data: Float32Array<ArrayBuffer>) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  const count = new BigInt64Array([BigInt(state.iterations)]), className = classes[state.kind]
  const trained = model.trainableWeights
  const dataset = (data: Float32Array<ArrayBuffer>, shape: number[]): Dataset => ({ shape, dtype: 'float32', data: bytes(data) })
  const head = [{ path: 'iteration:0', dataset: { shape: [], dtype: 'int64', data: new Uint8Array(count.buffer) } as Dataset }]
  if (keeper === 'keras3') head.push({ path: 'learning_rate', dataset: dataset(Float32Array.of(oneRate(state)), []) })
  const slots = keeper === 'tf_keras' && state.kind === 'sgd' ? ['velocity'] : slotsOf[state.kind]
  // tf_keras adds up no gradients.
  const common = commonSlots(state.settings).filter(slot => keeper === 'keras3' || slot !== 'gradients')
  const one = (slot: string, i: number) => ({
    path: `${className}/${slot}/${i}:0`,
    dataset: dataset(state.slots[slot]?.[i] ?? new Float32Array(sizeOf(trained[i].shape)), trained[i].shape as number[]),
  })
  return [
    ...head, ...common.flatMap(slot => trained.map((_, i) => one(slot, i))),
    ...trained.flatMap((_, i) => slots.map(slot => one(slot, i))),
  ]
}

const sizeOf = (shape: readonly (number | null)[]): number => shape.reduce<number>((size, side) => size * side!, 1)

const kinds: Record<string, OptimizerName> = { adam: 'adam', adamw: 'adamw', sgd: 'sgd', rmsprop: 'rmsprop' }
const usualRate: Record<OptimizerName, number> = { adam: 1e-3, adamw: 1e-3, sgd: 1e-2, momentum: 1e-2, rmsprop: 1e-3 }

/** Settings that change a step and that the optimizers here do not have, with the values at which they change nothing. */
const inert: Record<string, Json[]> = {
  amsgrad: [false], centered: [false], decay: [0], loss_scale_factor: [null], exclude_from_weight_decay: [null],
  ema_overwrite_frequency: [null, 100],
}

/**
 * The state of training as a file of Keras, tf_keras or TensorFlow.js tells it: the compile configuration, and the optimizer's
 * numbers in their order, where it holds them.
 *
 * @throws NotResumed for an optimizer, or a setting of one, that cannot be gone on with here
 */
export function trainingFrom(model: LayersModel, config: Json, vars: Dataset[] | undefined, keeper: Keeper): TrainingState {
  if (!isObject(config)) throw new NotResumed('its training configuration cannot be read')
  const [className, settings] = optimizerOf(config.optimizer ?? config.optimizer_config)
  let kind = kinds[className]
  if (!kind) throw new NotResumed(`the optimizer ${className} is not known here`)
  for (const [key, values] of Object.entries(inert)) {
    if (key in settings && !values.includes(settings[key])) {
      throw new NotResumed(`the optimizer's ${key} is ${JSON.stringify(settings[key])}, which is not known here`)
    }
  }
  if (kind === 'sgd' && settings.momentum) kind = 'momentum'
  if (kind === 'rmsprop' && settings.momentum) throw new NotResumed('RMSprop with a momentum is not known here')
  if (settings.weight_decay) {
    // Keras's Adam decays as AdamW does.
    if (kind !== 'adam' && kind !== 'adamw') throw new NotResumed(`${className} with a weight decay is not known here`)
    kind = 'adamw'
  } else if (kind === 'adamw' && 'weight_decay' in settings) kind = 'adam'
  const rate = settings.learning_rate ?? settings.lr ?? usualRate[kind]
  if (typeof rate !== 'number') throw new NotResumed('its learning rate follows a schedule of Keras')
  const own = readSettings(settings)
  return {
    kind, settings: own, learningRate: rate, ...readVars(model, kind, own, vars, keeper),
    loss: readNames(config.loss ?? null, 'loss'), metrics: readMetrics(config.metrics ?? null),
  }
}

function optimizerOf(value: Json | undefined): [className: string, settings: Config] {
  if (typeof value === 'string') return [value.toLowerCase(), {}]
  if (!isObject(value)) throw new NotResumed('it names no optimizer')
  const config = isObject(value.config) ? value.config : {}
  const settings = Object.fromEntries(Object.entries(config).map(([key, setting]) => [keys[key] ?? snake(key), setting]))
  return [String(value.class_name).replace(/^.*>/, '').toLowerCase(), settings]
}

/** TensorFlow.js's spellings. */
const keys: Record<string, string> = { beta1: 'beta_1', beta2: 'beta_2', decay: 'decay' }

function readSettings(settings: Config): OptimizerSettings {
  const number = (key: string, usual: number) => typeof settings[key] === 'number' ? settings[key] : usual
  return {
    beta1: number('beta_1', 0.9), beta2: number('beta_2', 0.999), epsilon: number('epsilon', 1e-7),
    momentum: number('momentum', 0.9), nesterov: settings.nesterov === true, rho: number('rho', 0.9),
    weightDecay: number('weight_decay', 0.004), clipNorm: number('clipnorm', 0), clipValue: number('clipvalue', 0),
    globalClipNorm: number('global_clipnorm', 0), accumulate: number('gradient_accumulation_steps', 1),
    emaMomentum: settings.use_ema === true ? number('ema_momentum', 0.99) : 0,
  }
}

function readVars(
  model: LayersModel, kind: OptimizerName, settings: OptimizerSettings, vars: Dataset[] | undefined, keeper: Keeper,
): Pick<TrainingState, 'iterations' | 'slots'> {
  if (!vars?.length) return { iterations: 0, slots: {} }
  const trained = model.trainableWeights, count = trained.length
  const iterations = toFloats(vars[0])[0], rest = vars.slice(keeper === 'keras3' ? 2 : 1)
  const common = commonSlots(settings), names = slotsOf[kind]
  // tf_keras keeps a momentum for SGD without one too.
  const wanted = (common.length + names.length) * count
  if (!Number.isSafeInteger(iterations) || iterations < 0 || rest.length < wanted || kind !== 'sgd' && rest.length > wanted) {
    throw new NotResumed(`it holds ${rest.length} numbers of the optimizer, but ${wanted} belong to the model's weights`)
  }
  const read = (at: number, i: number) => {
    const found = rest[at], { shape, originalName } = trained[i]
    if (found.shape.join() !== shape.join()) {
      throw new NotResumed(`what the optimizer keeps of '${originalName}' is [${found.shape}] in the file, but [${shape}] here`)
    }
    return toFloats(found)
  }
  const start = common.length * count
  return {
    iterations,
    slots: Object.fromEntries([
      ...common.map((slot, s) => [slot, trained.map((_, i) => read(s * count + i, i))]),
      ...names.map((slot, s) => [slot, trained.map((_, i) => read(start + i * names.length + s, i))]),
    ]),
  }
}

/** Keras's losses and metrics that TensorFlow.js computes alike, by their names in snake case. */
const alike = new Set([
  'mean_squared_error', 'mean_absolute_error', 'mean_absolute_percentage_error', 'mean_squared_logarithmic_error',
  'squared_hinge', 'hinge', 'categorical_hinge', 'categorical_crossentropy', 'sparse_categorical_crossentropy',
  'binary_crossentropy', 'poisson', 'accuracy', 'categorical_accuracy', 'binary_accuracy', 'sparse_categorical_accuracy',
])
const shortNames: Record<string, string> = { mse: 'mean_squared_error', mae: 'mean_absolute_error', acc: 'accuracy' }

function readName(value: Json): string | null {
  const object = isObject(value) ? value : undefined
  const config = isObject(object?.config) ? object.config : {}
  if (config.from_logits || config.label_smoothing) return null
  // An accuracy's own class is wrapped by tf_keras.
  const given = config.name === 'accuracy' ? 'accuracy'
    : object ? String(config.fn ?? object.class_name).replace(/^.*>/, '') : String(value)
  const name = shortNames[given] ?? snake(given)
  return alike.has(name) ? camel(name) : null
}

function readNames(value: Json, what: string): Names | null {
  if (value === null) return null
  if (Array.isArray(value)) {
    const all = value.map(each => readNames(each, what))
    return all.every(each => typeof each === 'string') ? all : null
  }
  if (isObject(value) && !('class_name' in value)) {
    const all = Object.entries(value).map(([output, name]) => [output, readNames(name, what)] as const)
    return all.every(([, name]) => name !== null) ? Object.fromEntries(all) as Names : null
  }
  return readName(value)
}

/** Metrics without those that are not known here. */
function readMetrics(value: Json): Names | null {
  const all = [value].flat(2).filter(each => each !== null && (!isObject(each) || 'class_name' in each))
  const names = all.flatMap(each => readName(each) ?? [])
  return [...new Set(names)]
}
