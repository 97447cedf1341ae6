import type { LayersModel, NamedTensorMap, Optimizer, Tensor, Variable } from '@tensorflow/tfjs'
import { host } from '../host.ts'
import { liveOptimizer } from './live-optimizer.ts'
import { Repeated } from './repeat.ts'
import { secure, wasLost } from './secure.ts'
import { refuseSlow } from './slow.ts'
import { tracer } from './start.ts'
import { Stopped } from './tracing.ts'
import type { StepFunction } from './tracing.ts'

type TF = typeof import('@tensorflow/tfjs')
/** Takes inputs, targets and weights of the images, the last `null` where there are none. */
type TrainFunction = (data: (Tensor | null)[]) => Tensor[]

/** What `model.fit` is made of. */
interface Fitted {
  layers: LayersModel['layers']
  stopTraining: boolean
  fitDataset: LayersModel['fitDataset']
  optimizer_: Optimizer
  lossFunctions: unknown[]
  metricsTensors: [metric: unknown, output: number][]
  collectedTrainableWeights: { read(): Tensor }[]
  makeTrainFunction(): TrainFunction
  fitLoop(f: TrainFunction, inputs: Tensor[], labels: string[], batchSize: number, epochs: number, verbose: number,
    callbacks: unknown, valF: unknown, valIns: unknown, ...rest: unknown[]): Promise<unknown>
}

const functions = new WeakMap<Fitted, Repeated>(), told = new WeakSet<Fitted>()
/** Steps on their way, by the model that they train. */
const pending = new WeakMap<object, Promise<void>>()
/** Models whose loop waits for its step at the end of each batch. */
const waiting = new WeakSet<Fitted>()

/**
 * Makes `model.fit`, `fitDataset` and `trainOnBatch` run each of their steps as one function, where the engine can; the first
 * two beside the event loop. Metrics, callbacks, validation, changes of the learning rate and dropout work as before. Where a
 * graphics card is lost on the way, the weights are those of the last epoch's end once the error is thrown.
 */
export function fitAsOneFunction(tf: TF): void {
  const model = tf.LayersModel.prototype as unknown as Fitted
  const { makeTrainFunction, fitLoop, fitDataset } = model

  model.makeTrainFunction = function () {
    refuseSlow(this.layers)
    const plain = makeTrainFunction.call(this)
    return data => {
      const step = prepared(tf, this, data, plain)
      if (!step) return plain(data)
      return waiting.has(this) ? later(tf, this, step) : now(step)
    }
  }

  // Validation follows the last step of an epoch in the same breath: that step cannot be on its way then.
  model.fitLoop = async function (f, inputs, labels, batchSize, epochs, verbose, callbacks, valF, valIns, ...rest) {
    const steps = Math.ceil(inputs[0].shape[0] / (batchSize ?? 32)), validated = Boolean(valF && valIns)
    let done = 0
    const guarded: TrainFunction = data => {
      const last = ++done % steps === 0
      if (last && validated) waiting.delete(this)
      else waiting.add(this)
      return f(data)
    }
    try {
      return await fitLoop.call(this, guarded, inputs, labels, batchSize, epochs, verbose, callbacks, valF, valIns, ...rest)
    } catch (error) {
      await wasLost(error)
      throw error
    } finally {
      waiting.delete(this)
    }
  }

  model.fitDataset = async function (this: Fitted, ...parameters) {
    waiting.add(this)
    try {
      return await fitDataset.apply(this, parameters)
    } catch (error) {
      await wasLost(error)
      throw error
    } finally {
      waiting.delete(this)
    }
  }

  const list = tf.CallbackList.prototype, { onBatchEnd, onEpochEnd, onTrainBegin, setModel } = list, trained = new WeakMap<object, object>()
  list.setModel = function (model) {
    trained.set(this, model)
    return setModel.call(this, model)
  }
  list.onTrainBegin = async function (...parameters) {
    await secure()
    return onTrainBegin.apply(this, parameters)
  }
  list.onEpochEnd = async function (...parameters) {
    await secure()
    return onEpochEnd.apply(this, parameters)
  }
  list.onBatchEnd = async function (...parameters) {
    const model = trained.get(this), step = model && pending.get(model)
    if (step) {
      pending.delete(model)
      await step
    }
    return onBatchEnd.apply(this, parameters)
  }
}

interface PreparedStep { traced: StepFunction, feeds: Tensor[], stepped(): void, release(): void }

/** The function for this batch with all that it is given; `null` where there is none. */
function prepared(tf: TF, model: Fitted, data: (Tensor | null)[], plain: TrainFunction): PreparedStep | null {
  const optimizer = model.optimizer_, live = liveOptimizer(optimizer)
  if (!live || !tracer() || tracer()!.current) return null
  const variables = model.collectedTrainableWeights.map(weight => weight.read() as Variable)
  const settings = tf.keep(tf.tensor1d(live.values(variables.map(({ name }) => name))))
  const seeds = tf.keep(tf.tensor1d([Math.floor(Math.random() * 2 ** 31), 0], 'int32'))
  const release = () => tf.dispose([settings, seeds])
  if (!functions.has(model)) functions.set(model, new Repeated())
  const repeated = functions.get(model)!, given = data.filter(tensor => tensor !== null), feeds = [...given, settings, seeds]
  const traced = repeated.functionFor({
    key: [
      ...live.key, model.collectedTrainableWeights, ...model.lossFunctions, ...model.metricsTensors.map(([metric]) => metric),
      ...flags(tf, model.layers), ...data.map(tensor => tensor !== null),
    ],
    prepare: () => live.prepare(variables),
    work(_feeds, trace) {
      trace.seed = seeds
      // The step ends in the optimizer's method, by way of its `minimize`.
      const changed = optimizer as unknown as { applyGradients?(gradients: unknown): void }
      changed.applyGradients = gradients => {
        delete changed.applyGradients
        live.apply(byName(gradients as { name: string, tensor: Tensor }[]), settings, trace)
      }
      try {
        return plain(data)
      } finally {
        delete changed.applyGradients
      }
    },
  }, feeds)
  if (traced) return { traced, feeds, stepped: live.stepped, release }
  release()
  if (!told.has(model)) {
    const words = `Each step of this training runs operation by operation, not as one function, since ${repeated.reason}.`
    host().display({ 'text/plain': words })
  }
  told.add(model)
  return null
}

const byName = (gradients: { name: string, tensor: Tensor }[]): NamedTensorMap =>
  Object.fromEntries(gradients.map(({ name, tensor }) => [name, tensor]))

/** Which layers train, models within models included. */
const flags = (tf: TF, layers: LayersModel['layers']): boolean[] =>
  layers.flatMap(layer => layer instanceof tf.LayersModel ? [layer.trainable, ...flags(tf, layer.layers)] : layer.trainable)

function now({ traced, feeds, stepped, release }: PreparedStep): Tensor[] {
  try {
    const results = traced.callNow(feeds)
    stepped()
    return results
  } finally {
    release()
  }
}

/** Starts the step and gives tensors that have their values once it is done: at the end of the batch. */
function later(tf: TF, model: Fitted, { traced, feeds, stepped, release }: PreparedStep): Tensor[] {
  const { signal } = host(), { promise, fulfil } = tracer()!
  // The loop disposes of a batch as soon as this returns.
  const own = feeds.map(feed => tf.keep(feed.clone())), promised = promise(traced.results)
  const settle = (values: Tensor[]) => {
    fulfil(promised, values)
    tf.dispose(values)
  }
  const step = traced.call(own, () => signal.aborted).then(results => {
    settle(results)
    stepped()
  }, error => {
    settle(promised.map(({ shape }) => tf.fill(shape, NaN)))
    model.stopTraining = true
    if (!(error instanceof Stopped)) throw error
  }).finally(() => {
    tf.dispose(own)
    release()
  })
  step.catch(() => {})
  pending.set(model, step)
  return promised
}
