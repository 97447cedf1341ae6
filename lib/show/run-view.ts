import type { LearningRate } from '../train/rates.ts'

/** What the training plot needs of a run; a finished or running `Run` of `train` is one. */
export interface RunView {
  title?: string
  /** Epochs asked for; `history.loss.length` is how many are finished. */
  epochs: number
  /** Measures per finished epoch: `loss`, `accuracy`, … and `valLoss`, `valAccuracy`, … on the validation set. */
  history: { loss: number[], [measure: string]: number[] | undefined }
  /** Losses of the batches since the last finished epoch. */
  batchLosses?: number[]
  /** Images per batch, and in all. */
  batch?: number
  images?: { train: number, validation: number }
  /** The best epoch, counted from 1. */
  bestEpoch?: number | null
  seconds: number
  secondsLeft?: number
  engine?: string
  /** The learning rate that was asked for: one, or one per group. */
  learningRate?: LearningRate
  /** The learning rate at the end of each finished epoch; of several the largest. */
  rates?: number[]
  /** Where layers had waited: the first epoch in which they learned too, and how many they are. */
  unfrozen?: { epoch: number, layers: number } | null
  /** Images that went through the frozen part of the model. */
  trunkForwards?: number
  /** Why it ended early. */
  stopped?: string | null
  /** `false` while it runs. */
  finished?: boolean
  /** Whether it waits to be told to go on. */
  paused?: boolean
  /** What the whole run would take, by its first steps. */
  forecast?: { seconds: number, bytes: number } | null
  notes?: readonly string[]
}

/** A measure with its curve on the training images and, where there is one, on the validation images. */
export interface Measure {
  name: string
  train: number[]
  validation?: number[]
}

/** Whether a measure is a part of one: it is drawn up to 100 %. */
export const isShare = (name: string): boolean => /accuracy|precision|recall|^(val)?(f1|auc|top\d)$/i.test(name)

/** The measures of a run, the loss first, then accuracy. */
export function measures(run: RunView): Measure[] {
  const rank = (name: string) => name === 'loss' ? 0 : name === 'accuracy' ? 1 : 2
  const partner = (name: string) => `val${name[0].toUpperCase()}${name.slice(1)}`
  const names = Object.keys(run.history).filter(name => run.history[name] && !/^val[A-Z]/.test(name))
  return names.sort((a, b) => rank(a) - rank(b))
    .map(name => ({ name, train: run.history[name]!, validation: run.history[partner(name)] }))
}

/** The epochs that are finished. */
export const epochsDone = (run: RunView): number => run.history.loss.length

export const isRunning = (run: RunView): boolean => run.finished === false

/** The groups of a run's learning rates, the highest first, each with its share of the highest. */
export function ratesByGroup({ learningRate }: RunView): { name: string, rate: number, share: number }[] {
  if (learningRate === undefined) return []
  const all = typeof learningRate === 'number' ? [{ name: '', rate: learningRate }]
    : Object.entries(learningRate).filter(([name]) => name !== 'decay').map(([name, rate]) => ({ name, rate: rate! }))
  const highest = Math.max(...all.map(({ rate }) => rate))
  return all.sort((a, b) => b.rate - a.rate).map(one => ({ ...one, share: one.rate / highest }))
}
