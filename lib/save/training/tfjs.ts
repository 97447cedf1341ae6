import type { LayersModel, Optimizer, Scalar } from '@tensorflow/tfjs'
import { tf } from '../../tf.ts'
import type { Dataset } from '../hdf5/tree.ts'
import { camel } from '../keras/layers.ts'
import { isObject, type Json } from '../keras/types.ts'
import { toFloats } from '../numbers.ts'
import { oneRate, trainingConfig } from './keras.ts'
import { commonSlots, slotsOf, type TrainingState } from './state.ts'

interface Held {
  name: string
  shape: number[]
  data: Float32Array | Int32Array
}

/** TensorFlow.js's optimizers: their class, settings, and what they call the slots. AdamW it has none of. */
function described({ kind, settings }: TrainingState): [className: string, config: object,
  slots: { [slot: string]: string }] | undefined {
  const { beta1, beta2, epsilon, momentum, nesterov, rho } = settings
  switch (kind) {
    case 'adam': return ['Adam', { beta1, beta2, epsilon }, { m: 'm', v: 'v' }]
    case 'sgd': return ['SGD', {}, {}]
    case 'momentum': return ['Momentum', { momentum, use_nesterov: nesterov }, { velocity: 'momentum' }]
    case 'rmsprop': return ['RMSProp', { decay: rho, momentum: 0, epsilon, centered: false }, { v: 'rms' }]
    default: return undefined
  }
}

/**
 * The training configuration and the optimizer's numbers as TensorFlow.js has them; undefined for an optimizer it lacks. All
 * numbers of one slot come together, not those of one weight.
 */
export function toTfjs(state: TrainingState, model: LayersModel): { config: Json; weights: Held[] } | undefined {
  const known = described(state), rate = oneRate(state)
  if (!known || state.loss === null) return undefined
  const [class_name, config, slots] = known, trained = model.trainableWeights
  const scale = state.kind === 'momentum' ? -1 / rate : 1
  const named = trainingConfig(state, 1) as { loss: Json; metrics: Json }
  if (commonSlots(state.settings).length) return undefined
  const held = slotsOf[state.kind].flatMap(slot => trained.map(({ originalName, shape }, i): Held => {
    const values = state.slots[slot][i]
    return { name: `${originalName}/${slots[slot]}`, shape: shape as number[], data: scale === 1 ? values
      : values.map(each => each * scale) }
  }))
  // TensorFlow.js's RMSProp keeps a momentum even where it has none.
  if (state.kind === 'rmsprop') {
    held.push(...trained.map(({ originalName, shape }, i): Held =>
      ({ name: `${originalName}/momentum`, shape: shape as number[], data: new Float32Array(state.slots.v[i].length) })))
  }
  return {
    config: { loss: named.loss, metrics: named.metrics, optimizer_config: { class_name,
      config: { learning_rate: rate, ...config } } },
    weights: [{ name: 'iter', shape: [], data: Int32Array.of(state.iterations) }, ...held],
  }
}

/** The same in tf_keras's form: its names of the settings, and its order of the numbers. */
export function fromTfjs(
  config: Json | undefined, held: Map<string, Dataset>, model: LayersModel,
): { config: Json; vars: Dataset[] | undefined } | undefined {
  if (!isObject(config) || !isObject(config.optimizer_config)) return undefined
  const { class_name, config: given } = config.optimizer_config
  const { use_nesterov, useNesterov, decay, learningRate, ...settings } = isObject(given) ? given : {}
  const rate = settings.learning_rate ?? learningRate ?? null
  const own: { [key: string]: Json } = { ...settings, learning_rate: rate }
  if (class_name === 'Momentum') own.nesterov = use_nesterov ?? useNesterov ?? false
  if (class_name === 'RMSProp') own.rho = decay ?? 0.9
  const keras = { Momentum: 'SGD', RMSProp: 'RMSprop' }[String(class_name)] ?? class_name
  const translated = { ...config, optimizer_config: { class_name: keras, config: own } } as Json
  if (held.size === 0) return { config: translated, vars: undefined }
  const [count, ...rest] = held.values(), weights = model.trainableWeights.length
  const slots = class_name === 'Adam' ? 2 : class_name === 'SGD' ? 0 : 1
  if (class_name === 'Momentum' && typeof rate === 'number') for (const each of rest) multiply(each, -rate)
  const vars = Array.from({ length: weights }, (_, i) => Array.from({ length: slots }, (_, s) => rest[s * weights + i])).flat()
  return { config: translated, vars: vars.every(each => each !== undefined) ? [count, ...vars] : undefined }
}

/**
 * Compiles a model that TensorFlow.js trained with its own optimizer, whose Adam rounds otherwise than Keras's. Resolves to
 * whether the configuration is one of those that it writes.
 */
export async function compileAsTfjs(model: LayersModel, config: Json | undefined, held: Map<string, Dataset>): Promise<boolean> {
  if (!isObject(config) || !isObject(config.optimizer_config) || typeof config.loss !== 'string') return false
  const { class_name, config: given } = config.optimizer_config, make = makers[String(class_name)]
  if (!make || !isObject(given)) return false
  const { learning_rate, learningRate, use_nesterov, useNesterov, ...rest } = given
  const settings: { [key: string]: Json } = { ...rest, rate: learning_rate ?? learningRate ?? null, nesterov: use_nesterov ??
    useNesterov ?? false }
  if (!Object.entries(settings).every(([key, value]) => /^(nesterov|centered)$/.test(key) || Number.isFinite(value))) return false
  const optimizer = make(settings as never), [count, ...slots] = [...held].map(([name, dataset]) => ({ name, dataset }))
  const sizes = model.trainableWeights.map(({ shape }) => shape.join())
  if (count && slots.every(({ dataset }, i) => dataset.shape.join() === sizes[i % sizes.length])) {
    const tensors = [tf.scalar(toFloats(count.dataset)[0], 'int32'),
      ...slots.map(({ dataset }) => tf.tensor(toFloats(dataset), dataset.shape))]
    await optimizer.setWeights(tensors.map((tensor, i) => ({ name: i ? slots[i - 1].name : 'iter', tensor: tensor as Scalar })))
    tf.dispose(tensors)
  }
  const metrics = [config.metrics ?? []].flat().filter(each => typeof each === 'string').map(camel)
  model.compile({ optimizer, loss: camel(config.loss), metrics })
  return true
}

type Settings = Record<'rate' | 'beta1' | 'beta2' | 'epsilon' | 'momentum' | 'decay', number> & Record<'nesterov' | 'centered', boolean>

const makers: Record<string, (settings: Settings) => Optimizer> = {
  Adam: ({ rate, beta1, beta2, epsilon }) => tf.train.adam(rate, beta1, beta2, epsilon),
  SGD: ({ rate }) => tf.train.sgd(rate),
  Momentum: ({ rate, momentum, nesterov }) => tf.train.momentum(rate, momentum, nesterov),
  RMSProp: ({ rate, decay, momentum, epsilon, centered }) => tf.train.rmsprop(rate, decay, momentum, epsilon, centered),
}

function multiply(dataset: Dataset, by: number): void {
  const values = new Float32Array(dataset.data!.buffer)
  for (const [i, value] of values.entries()) values[i] = value * by
}
