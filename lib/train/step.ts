import type { LayersModel, Optimizer, Scalar, Tensor, Variable } from '@tensorflow/tfjs'
import { seedFrom } from '../data/random.ts'
import { leaves } from '../customize/layers.ts'
import { unbroken } from '../engine/interrupts.ts'
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

/** One step of training: forward, backward, update. Resolves when the numbers are there. */
export async function trainStep(
  { whole, rest }: Trainee, objective: Objective, optimizer: Optimizer, inputs: Tensor[], truth: Tensor, seed: number,
): Promise<Measured> {
  const step = () => tf.tidy(() => withRandomness(whole, seed, () => {
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
    optimizer.applyGradients(grads)
    const all = tf.concat([value.flatten(), ...measured])
    tf.dispose(measured)
    return all
  }))
  const numbers = unbroken(tf, step)
  const values = await read(numbers)
  // A loss that clips the prediction hides that it is not a number.
  return Number.isFinite(values.pop()!) ? values : [NaN, ...values.slice(1)]
}

/** The same measures without training: dropout off, stored statistics. */
export async function testStep(
  { whole, rest }: Trainee, objective: Objective, inputs: Tensor[], truth: Tensor,
): Promise<Measured> {
  const numbers = tf.tidy(() => {
    const prediction = rest.apply(inputs, { training: false }) as Tensor
    let loss = objective.loss(truth, prediction).mean()
    for (const penalty of whole.calculateLosses()) loss = loss.add(penalty)
    return tf.concat([loss.flatten(), ...Object.values(objective.metrics).map(metric => meanOf(metric(truth, prediction)))])
  })
  return read(numbers)
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
