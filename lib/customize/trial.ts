import type { LayersModel } from '@tensorflow/tfjs'
import type { ImageSet } from '../data/set.ts'
import { host } from '../host.ts'
import type { LearningRate } from '../train/rates.ts'

/** What a short training of a method showed. */
export interface Trial {
  /** Images that were judged, each by a model that never saw it, and the part that was right. */
  images: number
  accuracy: number
  /** Images that each model learned from, and all that were looked at, whose features are kept. */
  learned: number
  seen: number
  /** What an epoch took once the run was going, and what the last run took besides, in seconds. */
  epoch: number
  besides: number
  /** Images that went through the frozen part in that run: features of the others were kept. */
  forwards: number
}

/** The rates a method is trained with. */
export const ratesOf: Record<'extract' | 'fineTune' | 'modify', LearningRate> = { extract: 1e-3, fineTune: { trunk: 1e-4,
  head: 1e-3 }, modify: 1e-3 }

/**
 * Trains models on a part of the images and judges them by the rest, as the whole training would be: the same number of epochs.
 * What the trunk gives for an image is computed once for all methods that share it.
 *
 * @param chosen which images, as many of each class after one another as there are
 * @param make makes a fresh model, whose weights `done` frees again
 * @param turns in each another model is judged by another third; after three all are, and others come together
 */
export async function tryOut(set: ImageSet, chosen: number[], make: () => { model: LayersModel, done: () => void },
  { turns, epochs, batch, learningRate, tick }: { turns: number, epochs: number, batch: number, learningRate: LearningRate,
    tick: (part: number) => void }): Promise<Trial> {
  const { train, predict } = await trainer(), rounds = roundsOf(set, chosen)
  let right = 0, times = 0, images = 0, learned = 0, epoch = 0, besides = 0, forwards = 0
  for (let turn = 0; turn < turns; turn++) {
    host().signal.throwIfAborted()
    const third = (round: number) => (round + Math.floor(turn / 3) * Math.floor(round / 3)) % 3
    const kept = chosen.filter((_, i) => third(rounds[i]) !== turn % 3)
    const judged = chosen.filter((_, i) => third(rounds[i]) === turn % 3)
    const { model, done } = make()
    try {
      const started = performance.now()
      const run = await train(model, { train: set.pick(kept), batch }, { epochs, batch, learningRate, show: false, log: false })
      host().signal.throwIfAborted()
      const seconds = (performance.now() - started) / 1000
      const answers = await predict(model, set.pick(judged)) as { accuracy: number | null }
      right += (answers.accuracy ?? 0) * judged.length
      times += judged.length
      if (turn < 3) images += judged.length
      learned = kept.length
      epoch = epochs > 1 ? (run.times.at(-1)! - run.times[0]) / (epochs - 1) : seconds
      besides = Math.max(0, seconds - epoch * epochs)
      forwards = run.trunkForwards
      tick(1 / turns)
    } finally {
      model.optimizer?.dispose()
      done()
    }
  }
  return { images, accuracy: right / times, learned, seen: chosen.length, epoch, besides, forwards }
}

/** Training is loaded when it is wanted: it stands above this folder. */
async function trainer() {
  const [{ train }, { predict }] = await Promise.all([import('../train/train.ts'), import('../train/predict.ts')])
  return { train, predict }
}

/** The how manieth of its class each chosen image is. */
function roundsOf(set: ImageSet, chosen: number[]): number[] {
  const seen = new Map<number, number>()
  return chosen.map(i => {
    const round = seen.get(set.labels[i]) ?? 0
    seen.set(set.labels[i], round + 1)
    return round
  })
}
