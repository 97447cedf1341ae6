import type { LayersModel, NamedTensorMap, Optimizer, Scalar, Tensor, Variable } from '@tensorflow/tfjs'
import { seedFrom } from '../data/random.ts'
import { leaves } from '../customize/layers.ts'
import { unbroken } from '../engine/interrupts.ts'
import { liveOptimizer } from '../engine/live-optimizer.ts'
import type { Step } from '../engine/repeat.ts'
import { peakOf } from '../engine/peak.ts'
import { refuseSlow } from '../engine/slow.ts'
import { tracer } from '../engine/start.ts'
import { tf } from '../tf.ts'
import { gather, prepareSums, type Part } from './gather.ts'
import { judgeInParts, learnInParts } from './parts.ts'
import { called, functionsOf, stateOf } from './written.ts'

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

/**
 * One step of training: forward, backward, update. It is one function that runs beside the event loop; where it cannot be one,
 * it is run operation by operation. A batch that takes more memory than there is goes through in parts.
 *
 * @param stopped is asked while a function runs; soon after it says yes the step ends, and no weight has changed
 * @returns when the numbers are there; none of them where it was stopped
 */
export async function trainStep(
  trainee: Trainee, objective: Objective, optimizer: Optimizer, inputs: Tensor[], truth: Tensor, seed: number,
  stopped?: () => boolean,
): Promise<Measured> {
  refuseSlow(trainee.rest.layers)
  return learnInParts(trainee, inputs, truth, async (inputs, truth, part, number) => {
    const drawn = number ? seedFrom(seed, 'part', number) : seed
    const numbers = await asOneFunction(trainee, objective, optimizer, inputs, truth, drawn, part, stopped)
      ?? unbroken(tf, () => tf.tidy(() => withRandomness(trainee.whole, drawn, () => {
        const { grads, all } = learnFrom(trainee, objective, inputs, truth)
        const gathered = part ? gather(trainee, grads, part) : grads
        if (gathered) optimizer.applyGradients(gathered)
        return all
      })))
    if (numbers === 'stopped') return []
    const values = await read(numbers)
    // A loss that clips the prediction hides that it is not a number.
    return Number.isFinite(values.pop()!) ? values : [NaN, ...values.slice(1)]
  })
}

/** Forward and backward: gradients by their variables' names, and all measures in one tensor, the prediction's mean last. */
function learnFrom(
  { whole, rest }: Trainee, objective: Objective, inputs: Tensor[], truth: Tensor,
): { grads: NamedTensorMap, all: Tensor } {
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
  seed: number, part: Part | null, stopped?: () => boolean): Promise<Tensor | 'stopped' | null> {
  const work = learning(trainee, objective, optimizer, inputs, truth, seed, part)
  try {
    return work && await called(trainee, work.feeds, work.step, stopped)
  } finally {
    work?.release()
  }
}

/**
 * The most bytes that tensors hold in a step of training. For that the step is written down, as it would be for its first call,
 * and nothing is computed; null where it is to be run operation by operation.
 */
export async function bytesOfStep(
  trainee: Trainee, objective: Objective, optimizer: Optimizer, inputs: Tensor[], truth: Tensor,
): Promise<number | null> {
  let most: number | null = null
  await learnInParts(trainee, inputs, truth, async (inputs, truth, part) => {
    const work = learning(trainee, objective, optimizer, inputs, truth, 1, part)
    if (!work) return []
    try {
      const { result, bytes } = peakOf(() => functionsOf(trainee).functionFor(work.step, work.feeds))
      if (!result) return []
      most = Math.max(most ?? 0, bytes)
      return [bytes]
    } finally {
      work.release()
    }
  })
  return most
}

/** A step of training that can be one function, and all that it is given; null where it cannot. */
function learning(trainee: Trainee, objective: Objective, optimizer: Optimizer, inputs: Tensor[], truth: Tensor, seed: number,
  part: Part | null) {
  const variables = trainee.rest.trainableWeights.map(weight => weight.read() as Variable)
  if (part) prepareSums(trainee, variables)
  const live = tracer() && liveOptimizer(optimizer)
  if (!live) return null
  const seeds = tf.tensor1d([seed | 0, 0], 'int32'), settings = tf.tensor1d(live.values(variables.map(({ name }) => name)))
  const updates = part?.last ?? true
  const step: Step & { done?(): void } = {
    key: ['train', part?.share, updates, ...live.key, ...stateOf(trainee, objective)],
    prepare: () => live.prepare(variables),
    work(_feeds, trace) {
      trace.seed = seeds
      const { grads, all } = learnFrom(trainee, objective, inputs, truth), gathered = part ? gather(trainee, grads, part) : grads
      if (gathered) live.apply(gathered, settings, trace)
      return [all]
    },
    ...updates && { done: live.stepped },
  }
  return { step, feeds: [...inputs, truth, settings, seeds], release: () => tf.dispose([seeds, settings]) }
}

/** The same measures without training: dropout off, stored statistics. None of them where it was stopped. */
export function testStep(
  trainee: Trainee, objective: Objective, inputs: Tensor[], truth: Tensor, stopped?: () => boolean,
): Promise<Measured> {
  const { whole, rest } = trainee
  return judgeInParts(trainee, inputs, truth, async (inputs, truth) => {
    const work = () => tf.tidy(() => {
      const prediction = rest.apply(inputs, { training: false }) as Tensor
      let loss = objective.loss(truth, prediction).mean()
      for (const penalty of whole.calculateLosses()) loss = loss.add(penalty)
      return tf.concat([loss.flatten(), ...Object.values(objective.metrics).map(metric => meanOf(metric(truth, prediction)))])
    })
    const step = { key: ['test', ...stateOf(trainee, objective)], work: () => [work()] }
    const numbers = tracer() && await called(trainee, [...inputs, truth], step, stopped) || work()
    return numbers === 'stopped' ? [] : read(numbers)
  })
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
