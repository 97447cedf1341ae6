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

/** The slots of each optimizer, in the order in which Keras keeps them for each weight. */
export const slotsOf: Record<OptimizerName, string[]> =
  { adam: ['m', 'v'], adamw: ['m', 'v'], sgd: [], momentum: ['velocity'], rmsprop: ['v'] }

/** The slots that any optimizer has by its settings; Keras keeps each for all weights together, before the others. */
export const commonSlots = ({ emaMomentum, accumulate }: OptimizerSettings): string[] =>
  [...emaMomentum ? ['average'] : [], ...accumulate > 1 ? ['gradients'] : []]

/** A number of tensors that are read once the state of the model is fixed. */
export interface Pending {
  tensors: Tensor[]
  finish(values: Float32Array<ArrayBuffer>[]): TrainingState
}

/**
 * Where the model's training stands, its numbers not yet read; undefined where the model is not compiled, or with an optimizer
 * that Keras has no like of.
 */
export function trainingOf(model: LayersModel): Pending | undefined {
  const optimizer = model.optimizer as Optimizer | undefined
  const known = optimizer && describe(optimizer)
  if (!optimizer || !known) return undefined
  const { kind, settings, learningRate, held, scale = 1 } = known, trained = model.trainableWeights
  const all = { ...defaults, ...settings }, names = [...commonSlots(all), ...slotsOf[kind]]
  const wanted = names.map(slot => trained.map(({ name }) => held.get(`${name}/${slot}`)))
  const sizes = trained.map(({ shape }) => shape.reduce<number>((size, side) => size * side!, 1))
  const { iterations } = optimizer, loss = namesOf(model.loss), metrics = namesOf(namedOnly(model.metrics))
  return {
    tensors: wanted.flat().filter(tensor => tensor !== undefined),
    finish(values) {
      let next = 0
      const read = (tensor: Tensor | undefined, size: number) => tensor ? values[next++] : new Float32Array(size)
      const slots = Object.fromEntries(names.map((slot, s) => [slot, wanted[s].map((tensor, i) => {
        const value = read(tensor, sizes[i])
        return scale === 1 ? value : value.map(each => each * scale)
      })]))
      return { kind, settings: all, learningRate, iterations, slots, loss, metrics }
    },
  }
}

const { settings: defaults } = new GroupedOptimizer('adam', () => 0)

interface Described {
  kind: OptimizerName
  settings: Partial<OptimizerSettings>
  learningRate: LearningRate
  /** What the optimizer keeps, by `<variable>/<slot>`. */
  held: ReadonlyMap<string, Tensor>
  /** By what its slots must be multiplied to be Keras's. */
  scale?: number
}

/** An optimizer of the library's own, or of TensorFlow.js, whose state can be said in Keras's terms. */
function describe(optimizer: Optimizer): Described | undefined {
  if (optimizer instanceof GroupedOptimizer) {
    const { kind, settings, learningRate, slots } = optimizer
    return { kind, settings, learningRate, held: slots }
  }
  const config = optimizer.getConfig() as Record<string, number>, { learningRate, epsilon } = config
  switch (optimizer.getClassName()) {
    case 'Adam':
      return {
        kind: 'adam', learningRate, held: kept(optimizer, { accumulatedFirstMoment: 'm', accumulatedSecondMoment: 'v' }),
        settings: { beta1: config.beta1, beta2: config.beta2, epsilon },
      }
    case 'SGD':
      return { kind: 'sgd', learningRate, held: new Map(), settings: {} }
    case 'Momentum':
      // TensorFlow.js sums gradients, Keras steps: the learning rate is in them.
      return {
        kind: 'momentum', learningRate, held: kept(optimizer, { accumulations: 'velocity' }), scale: -learningRate,
        settings: { momentum: config.momentum, nesterov: Boolean(config.useNesterov) },
      }
    case 'RMSProp':
      return config.momentum || config.centered ? undefined : {
        kind: 'rmsprop', learningRate, held: kept(optimizer, { accumulatedMeanSquares: 'v' }),
        settings: { rho: config.decay, epsilon },
      }
    default:
      return undefined
  }
}

/** What an optimizer of TensorFlow.js keeps in its lists, by the variable's name and our slot's. */
function kept(optimizer: Optimizer, lists: { [list: string]: string }): Map<string, Tensor> {
  const all = optimizer as unknown as { [list: string]: { originalName: string; variable: Tensor }[] }
  return new Map(Object.entries(lists).flatMap(([list, slot]) => all[list].map(({ originalName, variable }) =>
    [`${originalName.slice(0, originalName.lastIndexOf('/'))}/${slot}`, variable] as const)))
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
