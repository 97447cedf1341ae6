import { setImmediate } from 'node:timers/promises'
import type { LayersModel, Tensor } from '@tensorflow/tfjs'
import { tf } from '../tf.ts'
import { Answers } from './answers.ts'
import type { Values } from './answers.ts'
import { graphOf, workOf } from './graph.ts'
import type { Graph } from './graph.ts'
import { unbroken } from './interrupts.ts'
import { onCard, tracer } from './start.ts'

type PredictLoop = (inputs: Tensor | Tensor[], batchSize?: number, verbose?: boolean) => Tensor | Tensor[]

/** What is known of a model that has predicted. */
interface Known {
  graph: Graph
  /** Multiplications for one example. */
  work: number
  /** Milliseconds to make it ready, roughly. */
  cost: number
  /** Settings and places of the weights: TensorFlow.js gives a weight another place with every change. */
  stamp: unknown[]
  /** Milliseconds that its layers took to predict since it last changed. */
  spent: number
  /** Milliseconds for one example when its layers last predicted. */
  each: number | undefined
  answers: Answers | null
  /** Why ONNX Runtime cannot answer for it. */
  refusal?: string
}

/** Multiplications in a millisecond, roughly, by the engine. */
const pace: Record<string, number> = { cpu: 1e5, wasm: 4e6, tensorflow: 15e6 }, onnxPace = 40e6

/** Milliseconds without a break: an interrupt waits for so long. */
const atOnce = 100

/** So many models stay open. */
const most = 2

const models = new WeakMap<LayersModel, Known>()
/** The models that are open, the one used last at the end. */
let open: Answers[] = []
const registry = new FinalizationRegistry<Answers>(release)
const refusals = new Map<string, string>()

/** Why the predictions of some models do not run in ONNX Runtime, by the models' names; of the latest three. */
export const refusedPredictions = (): ReadonlyMap<string, string> => refusals

/**
 * Makes `model.predict` and `predictOnBatch` run in ONNX Runtime, whichever engine trains, where that pays: making a model ready
 * takes as long as a few predictions, so it is done once the layers themselves have taken, or would take, that long since the
 * weights last changed; a graphics card predicts itself. Whatever changes a weight or a setting makes it start anew. Predictions within a gradient, or of what ONNX cannot
 * say, run in the engine as before. Two models stay ready; one that is disposed of, or that nobody refers to any more, does not.
 */
export function predictInOnnxRuntime(): void {
  const model = tf.LayersModel.prototype as unknown as { predictLoop: PredictLoop, dispose: LayersModel['dispose'] }
  const { predictLoop, dispose } = model

  model.predictLoop = function (this: LayersModel, inputs, ...others) {
    const given = [inputs].flat(), known = knownOf(this, given)
    if (!known) return predictLoop.call(this, inputs, ...others)
    const answers = ready(this, known, given[0].shape[0])
    if (answers) return answered(answers, given, perTurn(onnxPace, known))
    const start = performance.now()
    const results = predictLoop.call(this, inputs, ...others), took = performance.now() - start
    known.spent += took
    known.each = took / given[0].shape[0]
    return results
  }

  model.dispose = function (this: LayersModel) {
    const answers = models.get(this)?.answers
    if (answers) release(answers)
    models.delete(this)
    return dispose.call(this)
  }
}

/**
 * As `model.predictOnBatch`, a few examples at a time, so that the event loop keeps turning.
 *
 * @param inputs one tensor for each input of the model; the caller disposes of them
 * @param all how many examples there will be in all, if these are not the only ones
 * @param signal stops between two turns, by throwing its reason
 */
export async function predictInTurns(
  model: LayersModel, inputs: Tensor[], signal: AbortSignal, all = inputs[0].shape[0],
): Promise<Tensor[]> {
  const count = inputs[0].shape[0], parts: Tensor[][] = []
  try {
    for (let first = 0; first < count;) {
      signal.throwIfAborted()
      // Asked for in each turn: between two of them other models may have taken its place, or its weights may have changed.
      const known = knownOf(model, inputs), answers = known && ready(model, known, all)
      const turn = known ? perTurn(answers ? onnxPace : pace[tf.getBackend()], known)
        : onCard() && inputs.every(({ shape }) => shape[0] === count) ? 32 : count
      parts.push(tf.tidy(() => {
        const slices = inputs.map(input => tf.slice(input, first, Math.min(turn, count - first)))
        return [answers ? answered(answers, slices, turn) : model.predictOnBatch(slices.length === 1 ? slices[0] : slices)].flat()
      }))
      first += turn
      await setImmediate()
    }
    return model.outputs.map((_, i) => tf.concat(parts.map(part => part[i])))
  } finally {
    tf.dispose(parts)
  }
}

const perTurn = (pace: number, { work }: Known) => Math.max(1, Math.min(32, Math.floor(atOnce * pace / work)))

/** What is known of a model, where ONNX Runtime may answer for it; `null` where it may not. */
function knownOf(model: LayersModel, inputs: Tensor[]): Known | null {
  const { state } = tf.engine(), backend = tf.getBackend()
  if (state.gradientDepth > 0 || state.profiling || tracer()?.current || onCard() || !(backend in pace)) return null
  const [{ shape: [count] }] = inputs
  if (!count || inputs.some(({ shape, dtype }) => dtype !== 'float32' || shape[0] !== count)) return null
  if (model.inputs.some(({ shape }) => shape.slice(1).includes(null))) return null
  let known = models.get(model)
  if (!known) {
    const graph = graphOf(model), cost = 20 + 0.3 * graph.steps.length + 16e-6 * model.countParams()
    known = { graph, work: workOf(graph.steps), cost, stamp: [], spent: 0, each: undefined, answers: null }
    models.set(model, known)
  }
  const watched = known.graph.steps.some(({ layer }) => (layer as unknown as { _callHook: unknown })._callHook)
  return known.refusal || watched ? null : known
}

/** The model in ONNX Runtime as it is now, where that pays for so many more examples. */
function ready(model: LayersModel, known: Known, count: number): Answers | null {
  const stamp = stampOf(known.graph)
  if (stamp.length !== known.stamp.length || stamp.some((value, i) => value !== known.stamp[i])) {
    if (known.answers) release(known.answers)
    Object.assign(known, { stamp, spent: 0, answers: null })
  }
  if (!known.answers || known.answers.released) {
    const expected = count * (known.each ?? known.work / pace[tf.getBackend()])
    if (known.spent + expected < known.cost) return null
    const made = tf.tidy(() => Answers.of(known.graph) as never) as Answers | string
    if (typeof made === 'string') {
      known.refusal = made
      refuse(model.name, made)
      return null
    }
    known.answers = made
    registry.register(model, made, made)
  }
  keepOpen(known.answers)
  return known.answers
}

/** What decides about a model's answers: its layers' settings, and the places of their weights. */
function stampOf({ steps }: Graph): unknown[] {
  const but = (key: string, value: unknown) => key === 'trainable' ? undefined : value
  const settings = (layer: LayersModel['layers'][number]) => JSON.stringify(layer.getConfig(), but)
  return steps.flatMap(({ layer }) => [settings(layer), ...layer.weights.map(weight => weight.read().dataId)])
}

function refuse(name: string, reason: string): void {
  refusals.delete(name)
  refusals.set(name, reason)
  for (const oldest of [...refusals.keys()].slice(0, -3)) refusals.delete(oldest)
}

function keepOpen(answers: Answers): void {
  open = [...open.filter(one => one !== answers), answers]
  for (const oldest of open.slice(0, -most)) release(oldest)
}

function release(answers: Answers): void {
  registry.unregister(answers)
  open = open.filter(one => one !== answers)
  answers.release()
}

/** The model's outputs, so many examples at a time; an interrupt ends it between two times. */
function answered(answers: Answers, inputs: Tensor[], turn: number): Tensor | Tensor[] {
  const count = inputs[0].shape[0], given = inputs.map(input => input.dataSync<'float32'>()), parts: Values[][] = []
  for (let first = 0; first < count; first += turn) {
    const examples = Math.min(turn, count - first)
    parts.push(unbroken(tf, () => answers.run(inputs.map(({ shape, size }, i) => ({
      data: given[i].subarray(first * size / count, (first + examples) * size / count), shape: [examples, ...shape.slice(1)],
    })))))
  }
  const outputs = unbroken(tf, () => parts[0].map(({ shape }, i) =>
    tf.tensor(joined(parts.map(part => part[i].data)), [count, ...shape.slice(1)])))
  return outputs.length === 1 ? outputs[0] : outputs
}

function joined(parts: Float32Array[]): Float32Array {
  if (parts.length === 1) return parts[0]
  const whole = new Float32Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
