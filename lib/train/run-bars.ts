import { progressBar, type ProgressBar } from '../show/progress.ts'
import type { Run } from './run.ts'

/** A run as bars instead of a plot: its epochs, and within them the steps of the one under way. For runs within other work. */
export class RunBars {
  readonly #run: Run
  readonly #epochs: ProgressBar
  readonly #stepsPerEpoch: number
  #steps: ProgressBar | null = null
  #done = 0

  constructor(run: Run) {
    this.#run = run
    this.#stepsPerEpoch = Math.ceil(run.images.train / run.batch)
    this.#epochs = progressBar({ label: run.title ?? 'Training', total: run.epochs })
    this.#epochs.tick(run.history.loss.length)
  }

  /** After a step. */
  step(): void {
    if (!this.#steps) {
      const label = `Epoch ${this.#run.history.loss.length + 1}, steps`
      this.#steps = progressBar({ label, total: this.#stepsPerEpoch })
      this.#done = 0
    }
    this.#steps.tick(this.#run.batchLosses.length - this.#done)
    this.#done = this.#run.batchLosses.length
  }

  /** After an epoch. */
  epoch(): void {
    this.#steps?.done()
    this.#steps = null
    this.#epochs.tick()
  }

  end(): void {
    this.#steps?.stop()
    if (this.#run.stopped) this.#epochs.stop()
    else this.#epochs.done()
  }
}
