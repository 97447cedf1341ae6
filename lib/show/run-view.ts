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
