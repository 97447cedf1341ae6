import type { LayersModel } from '@tensorflow/tfjs'
import type { ImageSet } from '../data/set.ts'
import { tf } from '../tf.ts'
import { Feeder } from '../train/features.ts'
import { learn, measure } from '../train/pass.ts'
import { borrowPrefix } from '../train/prefixes.ts'
import { prepare } from '../train/prepare.ts'
import { forgetFunctions } from '../train/written.ts'

/** What a training would take, from one measured batch. */
export interface Forecast {
  /** From start to end, in seconds. */
  seconds: number
  /** The most that the arithmetic holds beside the model itself, and the features that are kept, in bytes. */
  bytes: number
  /** Weights (single numbers) that learn. */
  weights: number
  /** What of the time goes into judging the validation images, and into computing features that are not kept yet. */
  judging: number
  computing: number
}

/**
 * What it would take to train a model on this machine: a batch goes through the frozen part, is learned and judged, and what
 * that takes is counted up. The model learns from that batch: give a copy.
 */
export async function forecast(model: LayersModel, parts: { train: ImageSet, validation: ImageSet | null }, batch: number,
  epochs: number):
Promise<Forecast> {
  const { train, validation } = parts, order = Array.from({ length: Math.min(batch, train.length) }, (_, i) => i)
  const { goal, judged, optimizer } = prepare(model, train, {})
  const { prefix, release } = borrowPrefix(model), before = tf.memory().numBytes
  const feeder = new Feeder(model, prefix)
  try {
    const watch = { stopped: () => false }
    const step = () => learn(feeder, goal, optimizer, train, order, batch, () => 1, watch)
    const judge = () => measure(feeder, judged, train.pick(order), batch, watch)
    // The first of each also pays for making ready. In it the memory is taken.
    const { peakBytes } = await tf.profile(async () => { await step() })
    await judge()
    const perStep = await secondsOf(step), perJudge = await secondsOf(judge)
    const forward = prefix ? await secondsOf(async () => { await prefix.run(await train.pixels(order),
      order.length) }) / order.length : 0
    const images = train.length + (validation?.length ?? 0), kept = prefix?.shapes.flatMap(shape => shape.reduce((a,
      b) => a * b, 4)) ?? []
    const batches = (set: ImageSet | null) => (set ? Math.ceil(set.length / batch) : 0)
    const judging = epochs * batches(validation) * perJudge, computing = images * forward
    return {
      seconds: computing + judging + epochs * batches(train) * perStep, judging, computing,
      bytes: Math.max(0, peakBytes - before) + (prefix ? images * kept.reduce((a, b) => a + b, 0) : 0),
      weights: model.trainableWeights.reduce((sum, weight) => sum + weight.read().size, 0),
    }
  } finally {
    forgetFunctions(feeder)
    await release()
    optimizer.dispose()
  }
}

/** The middle one of three measurements: other work on the machine lengthens some. */
async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = []
  for (let i = 0; i < 3; i++) {
    const started = performance.now()
    await work()
    times.push((performance.now() - started) / 1000)
  }
  return times.sort((a, b) => a - b)[1]
}
