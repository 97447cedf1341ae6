import { GraftError } from '../error.ts'
import { turn } from './features.ts'
import type { LearningRate } from './rates.ts'
import type { Run, StopReason } from './run.ts'

/** What other cells may do to a run under way; the run looks at it after each step. */
export class Control {
  /** Why the run shall end. */
  reason: StopReason | null = null
  /** The run, once it has begun. */
  run: Run | null = null
  /** Gives the optimizer another rate; refuses what is none. */
  changeRate: ((rate: LearningRate) => void) | null = null
  #gate: PromiseWithResolvers<void> | null = null

  /** Asks the run to end after the step it is in. The first reason counts. */
  end(reason: StopReason): void {
    this.reason ??= reason
    this.go()
  }

  readonly ended = (): boolean => this.reason !== null

  get paused(): boolean {
    return this.#gate !== null
  }

  pause(): void {
    if (!this.reason) this.#gate ??= Promise.withResolvers<void>()
  }

  go(): void {
    this.#gate?.resolve()
    this.#gate = null
  }

  /** Between two steps: everything else has its turn; a paused run waits here. The milliseconds it waited. */
  readonly rest = async (): Promise<number> => {
    await turn()
    if (!this.#gate) return 0
    const paused = performance.now()
    await this.#gate.promise
    return performance.now() - paused
  }

  begun(): Run {
    if (this.run) return this.run
    throw new GraftError('this training has not begun yet, or was refused. Await it to see.')
  }
}
