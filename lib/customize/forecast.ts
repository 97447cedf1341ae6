import type { LayersModel } from '@tensorflow/tfjs'
import { tf } from '../tf.ts'
import type { Parts } from '../train/begin.ts'
import { Feeder } from '../train/features.ts'
import { learn, measure } from '../train/pass.ts'
import { borrowPrefix } from '../train/prefixes.ts'
import { prepare } from '../train/prepare.ts'
import { fingerprint } from '../train/proof.ts'
import { forgetFunctions } from '../train/written.ts'
import type { Trial } from './trial.ts'

/** What a training would take. */
export interface Forecast {
  /** From start to end, in seconds. */
  seconds: number
  /** The most that the arithmetic holds beside the model itself, and the features that are kept, in bytes. */
  bytes: number
  /** Weights (single numbers) that learn. */
  weights: number
  /** What the time is made of. */
  costs: Costs
}

/** What the parts of a training take, in seconds. */
export interface Costs {
  /** Once in a run: the frozen part is made ready and proved unchanged, the steps are written down. */
  starting: number
  /** What goes through the frozen part: an image, and the images whose features are not kept yet. */
  forward: number
  unseen: number
  /** A step of any size, and what each of its images adds. */
  step: number
  image: number
  /** The validation images, after each epoch. */
  judging: number
}

/** What an epoch's steps take; the last one may be smaller. */
const learning = ({ step, image }: Costs, images: number, batch: number) => Math.ceil(images / batch) * step + images * image

/** What a run takes in all. */
const total = (costs: Costs, images: number, batch: number, epochs: number) =>
  costs.starting + costs.unseen * costs.forward + epochs * (learning(costs, images, batch) + costs.judging)

/**
 * What it would take to train a model on this machine: a batch goes through the frozen part, is learned and judged, so is half of
 * one, and what that takes is counted up. The model learns from that batch: give a copy.
 */
export async function forecast(model: LayersModel, parts: Parts, batch: number, epochs: number): Promise<Forecast> {
  const { train, validation } = parts, full = Math.min(batch, train.length), began = performance.now()
  const { goal, judged, optimizer } = prepare(model, train, {})
  const { prefix, release } = borrowPrefix(model), before = tf.memory().numBytes
  const feeder = new Feeder(model, prefix), images = train.length + (validation?.length ?? 0)
  try {
    const unseen = feeder.unseen(train) + (validation ? feeder.unseen(validation) : 0)
    await fingerprint(model)
    const making = since(began), watch = { stopped: () => false }
    const step = (count: number) => () => learn(feeder, goal, optimizer, train, first(count), batch, () => 1, watch)
    const judge = () => measure(feeder, judged, train.pick(first(full)), batch, watch)
    // The first of each also pays for making ready. In it the memory is taken.
    const started = performance.now(), { peakBytes } = await tf.profile(async () => { await step(full)() })
    const ready = since(started)
    const whole = await secondsOf(step(full)), half = full >> 1
    // Where a step takes long, its size is all that counts.
    const smaller = half && whole < long ? await madeReady(step(half)).then(secondsOf) : whole * half / full
    const image = Math.min(whole / full, Math.max(0, (whole - smaller) / (full - half)))
    const pixels = () => train.pixels(first(full))
    const forward = prefix ? await secondsOf(async () => { await prefix.run(await pixels(), full) }) / full : 0
    const costs: Costs = {
      starting: making + Math.max(0, ready - whole - Math.min(full, unseen) * forward),
      forward, unseen, step: whole - full * image, image,
      judging: validation ? Math.ceil(validation.length / batch) * await madeReady(judge).then(secondsOf) : 0,
    }
    const kept = prefix?.shapes.reduce((sum, shape) => sum + shape.reduce((a, b) => a * b, 4), 0) ?? 0
    return {
      seconds: total(costs, train.length, batch, epochs), costs, bytes: Math.max(0, peakBytes - before) + images * kept,
      weights: model.trainableWeights.reduce((sum, weight) => sum + weight.read().size, 0),
    }
  } finally {
    forgetFunctions(feeder)
    await release()
    optimizer.dispose()
  }
}

/** A forecast mended by what a training on a part of the images took, whose features are kept. */
export function refined(forecast: Forecast, trial: Trial, { train, validation }: Parts, batch: number, epochs: number): Forecast {
  const { costs } = forecast, times = trial.epoch / learning(costs, trial.learned, batch)
  const mended: Costs = {
    ...costs, step: costs.step * times, image: costs.image * times,
    starting: Math.max(0, trial.besides - trial.forwards * costs.forward),
    unseen: Math.max(0, train.length + (validation?.length ?? 0) - trial.seen),
  }
  return { ...forecast, costs: mended, seconds: total(mended, train.length, batch, epochs) }
}

const first = (count: number) => Array.from({ length: count }, (_, i) => i)
const since = (began: number) => (performance.now() - began) / 1000

/** Work that has been done once, for the first time takes longer. */
async function madeReady(work: () => Promise<unknown>): Promise<typeof work> {
  await work()
  return work
}

/** Seconds from which on a step is measured once. */
const long = 1

/** The middle one of three measurements, for other work on the machine lengthens some; of what takes long the first. */
async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = []
  while (times.length < 3 && !(times[0] > long)) {
    const started = performance.now()
    await work()
    times.push(since(started))
  }
  return times.sort((a, b) => a - b)[times.length >> 1]
}
