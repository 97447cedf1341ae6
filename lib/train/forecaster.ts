import type { LayersModel, Optimizer, Tensor } from '@tensorflow/tfjs'
import type { ImageSet } from '../data/set.ts'
import { peakOf } from '../engine/peak.ts'
import { tf } from '../tf.ts'
import type { Feeder } from './features.ts'
import { truthOf } from './objective.ts'
import type { Run } from './run.ts'
import { bytesOfStep, testStep, type Measured, type Objective } from './step.ts'

/** How long a step of training takes, against one that only judges. */
const learningAgainstJudging = 3

/** Milliseconds for a batch that are not spent a second time. */
const long = 500

/**
 * Foretells what the whole of a run takes: before its first step from one batch that is read and judged and a step that is
 * written down, but not taken, so that nothing changes; then once more from the first two steps.
 */
export class Forecaster {
  readonly #run: Run
  /** Images that are to go through the frozen part. */
  readonly #unseen: number
  /** Epochs that were finished before. */
  readonly #first: number
  #steps = 0
  #bytes = 0
  /** When the last step ended, and how long it took. */
  #ended = 0
  #took = 0

  constructor(run: Run, { unseen, first }: { unseen: number, first: number }) {
    this.#run = run
    this.#unseen = unseen
    this.#first = first
  }

  /** Before the first step. `indices`: the images of the first batch, whose features are kept for it. */
  async begin(
    feeder: Feeder, goal: Objective, optimizer: Optimizer, set: ImageSet, indices: number[], stopped: () => boolean,
  ): Promise<void> {
    const began = performance.now(), inputs = await feeder.inputs(set, indices, stopped), reading = performance.now() - began
    if (!inputs.length) return
    const truth = truthOf(set, indices, feeder.whole.outputs[0].shape[1]!)
    try {
      const judge = async () => {
        const began = performance.now()
        await testStep(feeder, goal, inputs, truth, stopped)
        return performance.now() - began
      }
      // The first time also makes ready, which is little where judging takes long.
      const first = await judge(), took = first > long ? first : await judge()
      if (stopped()) return
      this.#bytes = await bytesOfStep(feeder, goal, optimizer, inputs, truth) ?? bytesOfPass(feeder.rest, inputs)
      this.#foretell(reading, took * learningAgainstJudging)
    } finally {
      tf.dispose([inputs, truth])
    }
  }

  readonly around = async (step: () => Promise<Measured>): Promise<Measured> => {
    if (this.#steps > 1) return step()
    const began = performance.now(), measured = await step()
    this.#steps++
    this.#took = performance.now() - began
    return measured
  }

  /** After each batch. The first step also makes ready, so that the second tells the time. */
  batch(): void {
    const now = performance.now(), between = now - this.#ended
    this.#ended = now
    if (this.#steps !== 2) return
    this.#steps++
    this.#foretell(Math.max(0, between - this.#took), this.#took)
  }

  /** `reading` and `step`: milliseconds a batch takes to be there, and to be learned. */
  #foretell(reading: number, step: number): void {
    const { epochs, batch, images: { train, validation } } = this.#run
    const steps = (epochs - this.#first) * (Math.ceil(train / batch) + Math.ceil(validation / batch) / learningAgainstJudging)
    // What goes through a frozen part is read once, else in every step.
    const read = this.#unseen ? this.#unseen / batch : steps
    this.#run.forecast = { seconds: (read * reading + steps * step) / 1000, bytes: this.#bytes }
  }
}

/** The most that a step holds which runs operation by operation: all that a forward pass makes, and a gradient for each of it. */
const bytesOfPass = (model: LayersModel, inputs: Tensor[]) => 2 * peakOf(() => tf.tidy(() => { model.apply(inputs) })).bytes
