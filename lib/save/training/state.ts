import type { LayersModel, Optimizer, Tensor } from '@tensorflow/tfjs'
import { tf } from '../../tf.ts'
import { GroupedOptimizer, type OptimizerName, type OptimizerSettings } from '../../train/optimizers.ts'
import { ratesOf, type LearningRate } from '../../train/rates.ts'

/** A loss or metrics as `model.compile` takes them: one name, one per output, or one by each output's name. */
export type Names = string | string[] | { [output: string]: string | string[] }

/** How a model is being trained: all that is needed to go on where it stopped. */
export interface TrainingState {
  kind: OptimizerName
  settings: OptimizerSettings
  learningRate: LearningRate
  iterations: number
  /** What the optimizer keeps of each weight that trains, by slot, in the order of `model.trainableWeights`. */
  slots: { [slot: string]: Float32Array<ArrayBuffer>[] }
  /** `null` where it is a function, which a file cannot hold. */
  loss: Names | null
  metrics: Names | null
}

/** The slots of each optimizer, in the order in which Keras keeps them. */
export const slotsOf: Record<OptimizerName, string[]> =
  { adam: ['m', 'v'], adamw: ['m', 'v'], sgd: [], momentum: ['velocity'], rmsprop: ['v'] }

/** A number of tensors that are read once the state of the model is fixed. */
export interface Pending {
  tensors: Tensor[]
  finish(values: Float32Array<ArrayBuffer>[]): TrainingState
}

type Named = { name: string; tensor: Tensor }[]

/**
 * The model's optimizer as one of the library's own, with its state still in its variables; undefined where the model is not
 * compiled, or with an optimizer that Keras has no like of.
 */
export async function liveTraining(model: LayersModel): Promise<(() => Pending) | undefined> {
  const optimizer = model.optimizer as Optimizer | undefined
  const known = optimizer && describe(optimizer)
  if (!optimizer || !known) return undefined
  const { kind, settings, learningRate, names = {}, scale = 1 } = known
  const held = kind === 'sgd' ? [] : await optimizer.getWeights() as Named
  // From here on nothing waits: the state is that of one moment, and the same as that of the weights.
  return () => {
    const byName = new Map(held.map(({ name, tensor }) => [name, tensor]))
    const trained = model.trainableWeights.map(weight => weight.name)
    const wanted = slotsOf[kind].flatMap(slot => trained.map(name => byName.get(`${name}/${names[slot] ?? slot}`)))
    const sizes = model.trainableWeights.map(({ shape }) => shape.reduce<number>((size, side) => size * side!, 1))
    const iterations = optimizer.iterations, present = wanted.filter(tensor => tensor !== undefined)
    const loss = namesOf(model.loss), metrics = namesOf(namedOnly(model.metrics))
    return {
      tensors: present,
      finish(values) {
        const read = new Map(present.map((tensor, i) => [tensor, values[i]]))
        const slots = Object.fromEntries(slotsOf[kind].map((slot, s) => [slot, trained.map((_, i) => {
          const tensor = wanted[s * trained.length + i]
          const value = tensor ? read.get(tensor)! : new Float32Array(sizes[i])
          return scale === 1 ? value : value.map(each => each * scale)
        })]))
        return { kind, settings: { ...defaults, ...settings }, learningRate, iterations, slots, loss, metrics }
      },
    }
  }
}

const { settings: defaults } = new GroupedOptimizer('adam', () => 0)

interface Described {
  kind: OptimizerName
  settings: Partial<OptimizerSettings>
  learningRate: LearningRate
  /** What the optimizer calls its slots, where it is not ours. */
  names?: { [slot: string]: string }
  /** By what its slots must be multiplied to be ours. */
  scale?: number
}

/** An optimizer of the library's own, or of TensorFlow.js, whose state can be said in Keras's terms. */
function describe(optimizer: Optimizer): Described | undefined {
  if (optimizer instanceof GroupedOptimizer) {
    return { kind: optimizer.kind, settings: optimizer.settings, learningRate: optimizer.learningRate }
  }
  const config = optimizer.getConfig() as Record<string, number>, { learningRate, epsilon } = config
  switch (optimizer.getClassName()) {
    case 'Adam':
      return { kind: 'adam', learningRate, settings: { beta1: config.beta1, beta2: config.beta2, epsilon } }
    case 'SGD':
      return { kind: 'sgd', learningRate, settings: {} }
    case 'Momentum':
      // TensorFlow.js sums gradients, Keras steps: the learning rate is in them.
      return {
        kind: 'momentum', learningRate, names: { velocity: 'momentum' }, scale: -learningRate,
        settings: { momentum: config.momentum, nesterov: Boolean(config.useNesterov) },
      }
    case 'RMSProp':
      return config.momentum || config.centered ? undefined
        : { kind: 'rmsprop', learningRate, names: { v: 'rms' }, settings: { rho: config.decay, epsilon } }
    default:
      return undefined
  }
}

/** Metrics that are functions are left out: a file cannot hold them. */
const namedOnly = (metrics: unknown): unknown =>
  Array.isArray(metrics) ? metrics.filter(each => typeof each === 'string') : metrics

/** Names of losses or metrics, or `null` where one is a function. */
function namesOf(value: unknown): Names | null {
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return value.every(each => typeof each === 'string') ? value as string[] : null
  if (typeof value !== 'object' || value === null) return null
  const all = Object.entries(value).map(([output, name]) => [output, namesOf(name)] as const)
  return all.every(([, name]) => name !== null) ? Object.fromEntries(all) as Names : null
}

/**
 * Compiles the model so that it goes on where the state was taken. Without a loss the optimizer alone is put in its place, for
 * `train` to take.
 */
export async function resumeTraining(model: LayersModel, state: TrainingState): Promise<void> {
  const { kind, settings, learningRate, iterations, slots, loss, metrics } = state
  const optimizer = new GroupedOptimizer(kind, ratesOf(model, learningRate), settings)
  optimizer.learningRate = learningRate
  const trained = model.trainableWeights
  const kept = iterations === 0 ? [] : Object.entries(slots).flatMap(([slot, values]) =>
    values.map((value, i) => ({ name: `${trained[i].name}/${slot}`, tensor: tf.tensor(value, trained[i].shape as number[]) })))
  const count = tf.scalar(iterations, 'int32')
  await optimizer.setWeights([{ name: 'iter', tensor: count }, ...kept])
  tf.dispose([count, ...kept.map(({ tensor }) => tensor)])
  if (loss === null) (model as unknown as { optimizer_: Optimizer }).optimizer_ = optimizer
  else model.compile({ optimizer, loss: loss as string, metrics: metrics as string[] ?? [] })
}
