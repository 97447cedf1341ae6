import type { LayersModel } from '@tensorflow/tfjs'
import type { Settled } from './begin.ts'
import type { TrainingData } from './checks.ts'
import type { Control } from './control.ts'
import type { LearningRate } from './rates.ts'
import type { Run } from './run.ts'

/** A run under way: await it for its result, or take part in it from another cell. */
export interface Training extends Promise<Run> {
  /** The run as it stands, from its first moment on. */
  readonly run: Run
  /** The learning rate. Set it to change it from the next step on, as in `train`: a number, or rates by group. */
  learningRate: LearningRate
  readonly paused: boolean
  /** Ends the run after the step it is in. What was learned and measured so far is kept. */
  stop(): void
  /** Lets the run wait after the step it is in, until {@link resume} or {@link stop}. */
  pause(): void
  /** Goes on after {@link pause}. */
  resume(): void
}

/** What a run of this process is trained with. */
interface Live {
  run: Run
  model: WeakRef<LayersModel>
  data: WeakRef<Extract<TrainingData, object>>
  options: Settled
  control: Control
}

const live = new Map<string, Live>()
let newest: Run | null = null

/** Runs of this process that are remembered whole; of older ones the run log knows. */
const most = 100

/** Remembers a run of this process, with what it takes to go on with it, as long as others need that too. */
export function noteLive(run: Run, { model, data, options, control }: { model: LayersModel, data: TrainingData, options: Settled,
  control: Control }): void {
  live.delete(run.id)
  live.set(run.id, { run, model: new WeakRef(model), data: new WeakRef(data), options, control })
  if (options.log !== false) newest = run
  for (const [id, { run }] of live) if (live.size > most && run.finished) live.delete(id)
}

export const liveRun = (id: string): Live | undefined => live.get(id)

/** The runs of this process that are remembered, the oldest first, without those that asked for no log, as the trials of `advise` do. */
export const liveRuns = (): Run[] => [...live.values()].filter(({ options }) => options.log !== false).map(({ run }) => run)

/** The run that was begun last in this process, among the same. */
export const newestRun = (): Run | null => newest
