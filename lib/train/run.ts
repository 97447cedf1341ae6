import { inspect } from 'node:util'
import { displaySymbol, host, type MimeBundle } from '../host.ts'
import type { LearningRate } from './rates.ts'

/** Measures per finished epoch: `loss`, `accuracy`, …, and `valLoss`, `valAccuracy`, … where there is a validation set. */
export type History = { loss: number[], [measure: string]: number[] }

/** Whether more of a measure is better (1) or less (-1). */
export const directionOf = (measure: string): 1 | -1 => /loss|error|crossentropy/i.test(measure) ? -1 : 1

/** Why a run ended before its last epoch; `lost`: its process ended, or an error ended it. */
export type StopReason = 'stopped' | 'interrupted' | 'ended early' | 'not a number' | 'lost'

/** What is known of a run from its start. */
export interface RunStart {
  /** Default now. */
  started?: string
  title?: string
  epochs: number
  batch: number
  seed: number
  optimizer: string
  learningRate: LearningRate
  loss: string
  engine: string
  images: { train: number, validation: number }
  weights: { trainable: number, total: number }
}

/**
 * A training run: what was asked, what came out, epoch by epoch, and how it ended. {@link train} resolves to it. It is plain
 * data: `JSON.stringify(run)` keeps all of it. It shows itself as the plot of its history.
 */
export class Run implements RunStart {
  readonly id: string
  /** When it began, as an ISO date. */
  readonly started: string
  /** Epochs asked for; `history.loss.length` is how many were finished. */
  readonly epochs: number
  readonly batch: number
  readonly seed: number
  readonly optimizer: string
  /** What was asked for; another one since where it was changed while it ran. */
  learningRate: LearningRate
  readonly loss: string
  /** What did the arithmetic: the engine, and what ran the frozen part. */
  engine: string
  readonly images: { train: number, validation: number }
  /** Single weights that could change, and all. */
  readonly weights: { trainable: number, total: number }
  readonly history: History = { loss: [] }
  /** The learning rate at the end of each epoch; with several, the largest. */
  readonly rates: number[] = []
  /** With `frozenEpochs`: the first epoch in which the trunk's open layers learned too, and how many they are. */
  unfrozen: { epoch: number, layers: number } | null = null
  /** When each epoch ended, in seconds since 1970. */
  readonly times: number[] = []
  /** The loss of each batch since the last finished epoch. */
  batchLosses: number[] = []
  /** Seconds from the start to the end, or to now. */
  seconds = 0
  /** Why it ended early; `null` where it went to its last epoch. */
  stopped: StopReason | null = null
  finished = false
  /** Images that went through the frozen part of the model; the rest came from the feature cache. */
  trunkForwards = 0
  /** What was frozen, and that its weights are bit for bit what they were. */
  frozen: { layers: number, weights: number, hash: string, unchanged: boolean } | null = null
  /**
   * How far the weights of each layer that was open went from where the run began, or was resumed: the length of the change over
   * their length, by the layer's name. Empty until the end.
   */
  moved: Record<string, number> = {}
  /**
   * What the whole run would take: seconds in all, and the most bytes that the arithmetic holds in a step. It is there before the
   * first step, by a batch that is read and judged, and is mended by the first two.
   */
  forecast: { seconds: number, bytes: number } | null = null
  /** The accuracy on each older task that is watched, before the first epoch. */
  readonly watched: Record<string, number> = {}
  /** What the run is called in lists and plots. */
  readonly title?: string
  /** Anything else worth knowing, one sentence each. */
  readonly notes: string[] = []

  constructor(id: string, start: RunStart) {
    this.id = id
    this.started = start.started ?? new Date().toISOString()
    this.epochs = start.epochs
    this.batch = start.batch
    this.seed = start.seed
    this.optimizer = start.optimizer
    this.learningRate = start.learningRate
    this.loss = start.loss
    this.engine = start.engine
    this.images = start.images
    this.weights = start.weights
    if (start.title !== undefined) this.title = start.title
  }

  /**
   * The epoch, counted from 1, with the lowest validation loss (without a validation set: training loss); `null` before the
   * first.
   */
  get bestEpoch(): number | null {
    const losses = this.history.valLoss ?? this.history.loss
    return losses.length ? losses.indexOf(Math.min(...losses)) + 1 : null
  }

  toJSON(): object {
    return { ...this, bestEpoch: this.bestEpoch }
  }

  /** A run from what {@link toJSON} gave. */
  static from(json: RunStart & { id: string }): Run {
    const { bestEpoch: _, ...data } = json as RunStart & { id: string, bestEpoch?: unknown }
    const run = new Run(data.id, data)
    // JSON has no NaN.
    const { history } = Object.assign(run, data)
    for (const values of Object.values(history)) values.forEach((value, i) => { values[i] = value ?? NaN })
    return run
  }

  /** The training plot, or the run in words where the cell that asks has its live plot already. */
  async [displaySymbol](): Promise<MimeBundle> {
    const { reporterOf } = await import('./report.ts')
    if (reporterOf(this)?.shownIn(host().signal)) return { 'text/plain': summary(this) }
    return (await import('../show/training.ts')).trainingPlot(this)
  }

  [inspect.custom](): string {
    return summary(this)
  }
}

const runs = new WeakMap<object, object>()

/** The run that trained a model last, as plain data; also one before the model was saved and loaded. */
export const runOf = (model: object): object | undefined => runs.get(model)

/** Notes a run with the model it trained. */
export const setRun = (model: object, run: object): void => void runs.set(model, run)

const endings: Record<StopReason, string> = {
  stopped: 'stopped', interrupted: 'interrupted', 'ended early': 'ended early, no better,',
  'not a number': 'ended, the loss is not a number,', lost: 'ended with its process',
}

/** A run in a few lines of text. */
export function summary(run: Run): string {
  const done = run.history.loss.length, last = (name: string) => run.history[name]?.at(-1)
  const number = (x: number | undefined) => x === undefined ? '–' : x.toFixed(4)
  const word = !run.finished ? `in epoch ${done + 1} of ${run.epochs}`
    : run.stopped ? `${endings[run.stopped]} after ${done} of ${run.epochs} epochs` : `${done} epochs`
  const lines = [`Run ${run.id}: ${word}, ${run.seconds.toFixed(1)} s on ${run.engine}`]
  if (done) {
    lines.push(`  loss ${number(last('loss'))}, accuracy ${number(last('accuracy'))}` +
      (last('valLoss') === undefined ? '' : `, validation loss ${number(last('valLoss'))}, accuracy ` +
        `${number(last('valAccuracy'))}`))
  }
  lines.push(`  ${run.weights.trainable.toLocaleString('en')} of ${run.weights.total.toLocaleString('en')} weights trained; ` +
    `${run.trunkForwards} images through the frozen part`)
  if (run.frozen) {
    lines.push(`  ${run.frozen.layers} frozen layers (${run.frozen.weights.toLocaleString('en')} weights) ` +
      (run.frozen.unchanged ? `unchanged, bit for bit: sha256 ${run.frozen.hash.slice(0, 12)}…` : 'CHANGED during the run'))
  }
  return [...lines, ...run.notes.map(note => `  ${note}`)].join('\n')
}
