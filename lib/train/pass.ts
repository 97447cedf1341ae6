import type { Optimizer, Tensor } from '@tensorflow/tfjs'
import type { ImageSet } from '../data/set.ts'
import { tf } from '../tf.ts'
import { turn, type Feeder } from './features.ts'
import { truthOf } from './objective.ts'
import { testStep, trainStep, type Measured, type Objective } from './step.ts'

/** How a pass looks at whether it shall end, and says what it did. */
export interface Watch {
  stopped(): boolean
  /** After each batch: its measures. */
  batch?(measured: Measured): void
  /** Runs a step, to look at it. */
  around?(step: () => Promise<Measured>): Promise<Measured>
  /** Waits between two steps. Default: others have their turn. */
  rest?(): Promise<unknown>
}

/** One pass over the images in the given order, learning; the means of the measures over all images. */
export function learn(feeder: Feeder, objective: Objective, optimizer: Optimizer, set: ImageSet, order: number[], batch: number,
  before: (batch: number) => number, watch: Watch): Promise<Measured> {
  let n = 0
  return pass(feeder, set, order, batch, watch, (inputs, truth) =>
    trainStep(feeder, objective, optimizer, inputs, truth, before(n++), watch.stopped))
}

/** One pass over a whole set without learning. */
export function measure(feeder: Feeder, objective: Objective, set: ImageSet, batch: number, watch: Watch): Promise<Measured> {
  return pass(feeder, set, Array.from(set.labels.keys()), batch, watch,
    (inputs, truth) => testStep(feeder, objective, inputs, truth, watch.stopped))
}

async function pass(feeder: Feeder, set: ImageSet, order: number[], batch: number, watch: Watch,
  step: (inputs: Tensor[], truth: Tensor) => Promise<Measured>): Promise<Measured> {
  const { stopped, batch: done, rest = turn, around } = watch
  const sums: number[] = []
  let count = 0
  for (let at = 0; at < order.length && !stopped(); at += batch) {
    const indices = order.slice(at, at + batch)
    const inputs = await feeder.inputs(set, indices, stopped)
    // Stopped before all features were there.
    if (!inputs.length) break
    const truth = truthOf(set, indices, feeder.whole.outputs[0].shape[1]!)
    try {
      const measured = await (around ? around(() => step(inputs, truth)) : step(inputs, truth))
      // Stopped within the step, which then has changed nothing.
      if (!measured.length) break
      measured.forEach((value, i) => { sums[i] = (sums[i] ?? 0) + value * indices.length })
      count += indices.length
      done?.(measured)
    } finally {
      tf.dispose([inputs, truth])
    }
    await rest()
  }
  return sums.map(sum => sum / count)
}
