import type { LayersModel, NamedTensorMap, Optimizer, Scalar, Tensor, Variable } from '@tensorflow/tfjs'
import { seedFrom } from '../data/random.ts'
import { leaves } from '../customize/layers.ts'
import { unbroken } from '../engine/interrupts.ts'
import { liveOptimizer } from '../engine/live-optimizer.ts'
import { Repeated, type Step } from '../engine/repeat.ts'
import { refuseSlow } from '../engine/slow.ts'
import { tracer } from '../engine/start.ts'
import { Stopped } from '../engine/tracing.ts'
import type { StepFunction } from '../engine/tracing.ts'
import { tf } from '../tf.ts'

/** A value per image from the true and the predicted output, `[batch]`; or a row of them, `[batch, width]`. */
export type Measure = (truth: Tensor, prediction: Tensor) => Tensor

/** What a model is trained for: the loss, and what is measured beside it. */
export interface Objective {
  loss: Measure
  /** By the name under which it is kept in the history, e.g. `accuracy`. */
  metrics: Record<string, Measure>
}

/** A model, and the part of it that is left to run once the frozen part gave its features; the layers are the same. */
export interface Trainee { whole: LayersModel, rest: LayersModel }

/** The means over one batch: the loss (with regularization), then each metric's one or several, in the objective's order. */
export type Measured = number[]

const meanOf = (value: Tensor): Tensor => value.rank > 1 ? value.mean(0).flatten() : value.mean().flatten()

/** What a trainee's steps are run as, for as long as it is trained. */
const functions = new WeakMap<Trainee, Repeated>()

/** Lets go of what a trainee's steps were run as, once it is no longer trained. */
export function forgetFunctions(trainee: Trainee): void {
  functions.get(trainee)?.dispose()
  functions.delete(trainee)
}

/** Why a trainee's steps run operation by operation though the engine could run them as one; absent where they do not. */
export const reasonAgainstOneFunction = (trainee: Trainee): string | undefined => functions.get(trainee)?.reason

/**
 * One step of training: forward, backward, update. It is one function that runs beside the event loop; where it cannot be one, it is
 * run operation by operation.
 *
 * @param stopped is asked while a function runs; soon after it says yes the step ends, and no weight has changed
 * @returns when the numbers are there; none of them where it was stopped
 */
export async function trainStep(
  trainee: Trainee, objective: Objective, optimizer: Optimizer, inputs: Tensor[], truth: Tensor, seed: number, stopped?: () => boolean,
): Promise<Measured> {
  refuseSlow(trainee.rest.layers)
  const numbers = await asOneFunction(trainee, objective, optimizer, inputs, truth, seed, stopped)
    ?? unbroken(tf, () => tf.tidy(() => withRandomness(trainee.whole, seed, () => {
      const { grads, all } = learnFrom(trainee, objective, inputs, truth)
      optimizer.applyGradients(grads)
      return all
    })))
  if (numbers === 'stopped') return []
  const values = await read(numbers)
  // A loss that clips the prediction hides that it is not a number.
  return Number.isFinite(values.pop()!) ? values : [NaN, ...values.slice(1)]
}

/** Forward and backward: the gradients by the names of their variables, and all measures in one tensor, the prediction's mean last. */
function learnFrom({ whole, rest }: Trainee, objective: Objective, inputs: Tensor[], truth: Tensor): { grads: NamedTensorMap, all: Tensor } {
  const variables = rest.trainableWeights.map(weight => weight.read() as Variable)
  let measured: Tensor[] = []
  const { value, grads } = tf.variableGrads(() => {
    const prediction = rest.apply(inputs, { training: true }) as Tensor
    measured = [...Object.values(objective.metrics).map(metric => metric(truth, prediction)), prediction.mean()]
      .map(value => tf.keep(meanOf(value)))
    let loss = objective.loss(truth, prediction).mean() as Scalar
    for (const penalty of whole.calculateLosses()) loss = loss.add(penalty)
    return loss
  }, variables)
  const all = tf.concat([value.flatten(), ...measured])
  tf.dispose(measured)
  return { grads, all }
}

async function asOneFunction(trainee: Trainee, objective: Objective, optimizer: Optimizer, inputs: Tensor[], truth: Tensor,
  seed: number, stopped?: () => boolean): Promise<Tensor | 'stopped' | null> {
  const work = learning(trainee, objective, optimizer, inputs, truth, seed)
  try {
    return work && await called(trainee, work.feeds, work.step, stopped)
  } finally {
    work?.release()
  }
}

/**
 * The most bytes that tensors hold in a step of training. For that the step is written down, as it would be for its first call, and
 * nothing is computed; null where it is to be run operation by operation.
 */
export async function bytesOfStep(
  trainee: Trainee, objective: Objective, optimizer: Optimizer, inputs: Tensor[], truth: Tensor,
): Promise<number | null> {
  const work = learning(trainee, objective, optimizer, inputs, truth, 1)
  if (!work) return null
  let written: StepFunction | null = null
  try {
    const { peakBytes } = await tf.profile(() => { written = repeated(trainee).functionFor(work.step, work.feeds) })
    return written && peakBytes
  } finally {
    work.release()
  }
}

/** A step of training that can be one function, and all that it is given; null where it cannot. */
function learning(trainee: Trainee, objective: Objective, optimizer: Optimizer, inputs: Tensor[], truth: Tensor, seed: number) {
  const live = tracer() && liveOptimizer(optimizer)
  if (!live) return null
  const variables = trainee.rest.trainableWeights.map(weight => weight.read() as Variable)
  const seeds = tf.tensor1d([seed | 0, 0], 'int32'), settings = tf.tensor1d(live.values(variables.map(({ name }) => name)))
  const step: Step & { done(): void } = {
    key: ['train', ...live.key, ...state(trainee, objective)],
    prepare: () => live.prepare(variables),
    work(_feeds, trace) {
      trace.seed = seeds
      const { grads, all } = learnFrom(trainee, objective, inputs, truth)
      live.apply(grads, settings, trace)
      return [all]
    },
    done: live.stepped,
  }
  return { step, feeds: [...inputs, truth, settings, seeds], release: () => tf.dispose([seeds, settings]) }
}

/** What a trainee's functions depend on. */
const state = ({ whole }: Trainee, { loss, metrics }: Objective): unknown[] =>
  [loss, ...Object.values(metrics), ...leaves(whole).map(layer => layer.trainable)]

function repeated(trainee: Trainee): Repeated {
  if (!functions.has(trainee)) functions.set(trainee, new Repeated())
  return functions.get(trainee)!
}

/** Calls the function that a step is; `null` where it cannot be one. */
async function called(trainee: Trainee, feeds: Tensor[], step: Step & { done?(): void }, stopped?: () => boolean): Promise<Tensor | 'stopped' | null> {
  const traced = repeated(trainee).functionFor(step, feeds)
  if (!traced) return null
  try {
    const [all] = await traced.call(feeds, stopped)
    step.done?.()
    return all
  } catch (error) {
    if (error instanceof Stopped) return 'stopped'
    throw error
  }
}

/** The same measures without training: dropout off, stored statistics. None of them where it was stopped. */
export async function testStep(
  trainee: Trainee, objective: Objective, inputs: Tensor[], truth: Tensor, stopped?: () => boolean,
): Promise<Measured> {
  const { whole, rest } = trainee
  const work = () => tf.tidy(() => {
    const prediction = rest.apply(inputs, { training: false }) as Tensor
    let loss = objective.loss(truth, prediction).mean()
    for (const penalty of whole.calculateLosses()) loss = loss.add(penalty)
    return tf.concat([loss.flatten(), ...Object.values(objective.metrics).map(metric => meanOf(metric(truth, prediction)))])
  })
  const step = { key: ['test', ...state(trainee, objective)], work: () => [work()] }
  const numbers = tracer() && await called(trainee, [...inputs, truth], step, stopped) || work()
  return numbers === 'stopped' ? [] : read(numbers)
}

async function read(tensor: Tensor): Promise<number[]> {
  const values = await tensor.data()
  tensor.dispose()
  return Array.from(values)
}

/**
 * Runs one step with everything random in it determined by the seed. TensorFlow.js draws its masks and noise from `Math.random`
 * where a layer has no seed, and draws the same mask in every step where it has one; both would be wrong here. The step runs
 * without a break, so that nobody else meets the replaced generator.
 */
function withRandomness<T>(model: LayersModel, seed: number, work: () => T): T {
  const seeded = leaves(model).filter(layer => 'seed' in layer) as unknown as { seed: number | undefined }[]
  const before = seeded.map(layer => layer.seed), usual = Math.random
  let drawn = 0
  seeded.forEach((layer, i) => { layer.seed = seedFrom(seed, i, before[i] ?? '') })
  Math.random = () => seedFrom(seed, 'noise', drawn++) / 2 ** 32
  try {
    return work()
  } finally {
    Math.random = usual
    seeded.forEach((layer, i) => { layer.seed = before[i] })
  }
}
