import type { Tensor } from '@tensorflow/tfjs'
import { OutOfMemory } from '../engine/out-of-memory.ts'
import { tf } from '../tf.ts'
import { emptySums, type Part } from './gather.ts'
import type { Measured, Trainee } from './step.ts'

/** How many images of a batch fit into the memory at once, where not all do. */
const limits = new WeakMap<Trainee, { learn?: number, judge?: number }>()

/** How many images a step of training takes at once; absent where no batch was too large. */
export const mostAtOnce = (trainee: Trainee): number | undefined => limits.get(trainee)?.learn

/** Does `work` on so many images at once as the engine's memory holds: on all, or on half as many as failed, and so on. */
async function asManyAsFit<T>(
  trainee: Trainee, kind: 'learn' | 'judge', count: number, work: (most: number) => Promise<T>,
): Promise<T> {
  for (;;) {
    const most = Math.min(count, limits.get(trainee)?.[kind] ?? count)
    try {
      return await work(most)
    } catch (error) {
      if (!(error instanceof OutOfMemory) || most < 2) throw error
      limits.set(trainee, { ...limits.get(trainee), [kind]: Math.ceil(most / 2) })
    }
  }
}

/** Takes a step of training on the whole batch, or on a part of it. Nothing comes of one that was stopped. */
export type Learning = (inputs: Tensor[], truth: Tensor, part: Part | null, number: number) => Promise<Measured>

/**
 * A step of training in parts where the whole batch is more than the memory holds: the parts' gradients are added up, and the
 * last one makes the update. The weights are those that the whole batch would give, except that a normalization that learns takes
 * its statistics from each part. Where it is stopped between two parts, nothing has changed.
 */
export function learnInParts(trainee: Trainee, inputs: Tensor[], truth: Tensor, learn: Learning): Promise<Measured> {
  return asManyAsFit(trainee, 'learn', truth.shape[0], async most => {
    if (most >= truth.shape[0]) return learn(inputs, truth, null, 0)
    const before = trainee.rest.nonTrainableWeights.map(weight => ({ weight, value: tf.keep(weight.read().clone()) }))
    let measured: Measured = []
    try {
      measured = await sumOfParts(inputs, truth, most, learn)
      return measured
    } finally {
      if (!measured.length) {
        for (const { weight, value } of before) weight.write(value)
        emptySums(trainee)
      }
      tf.dispose(before.map(({ value }) => value))
    }
  })
}

/** A pass without learning over a batch, in parts where that is needed. */
export function judgeInParts(
  trainee: Trainee, inputs: Tensor[], truth: Tensor, judge: (inputs: Tensor[], truth: Tensor) => Promise<Measured>,
): Promise<Measured> {
  return asManyAsFit(trainee, 'judge', truth.shape[0], most =>
    most < truth.shape[0] ? sumOfParts(inputs, truth, most, judge) : judge(inputs, truth))
}

/** Goes through a batch part by part; the means of the measures over all images, none where a part was stopped. */
async function sumOfParts(inputs: Tensor[], truth: Tensor, most: number, work: Learning): Promise<Measured> {
  const count = truth.shape[0], sums: Measured = []
  for (let at = 0; at < count; at += most) {
    const size = Math.min(most, count - at), share = size / count
    const [expected, ...given] = [truth, ...inputs].map(tensor => tf.slice(tensor, at, size))
    const measured = await work(given, expected, { share, last: at + size === count }, at / most)
      .finally(() => tf.dispose([expected, given]))
    if (!measured.length) return []
    measured.forEach((value, i) => { sums[i] = (sums[i] ?? 0) + value * share })
  }
  return sums
}
