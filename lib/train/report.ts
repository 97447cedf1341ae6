import { displayId, host, type Host, type MimeBundle } from '../host.ts'
import { measure, percent } from '../show/format.ts'
import { progressBar, type ProgressBar } from '../show/progress.ts'
import { trainingPlot } from '../show/training.ts'
import type { Run } from './run.ts'

const between = 250 // At most four updates a second.

/** Shows a run while it goes on: one plot that is replaced in place, and stays. */
export class Reporter {
  readonly #run: Run
  readonly #host: Host | null
  readonly #id = displayId()
  readonly #trunk: ProgressBar | null
  #last = 0

  /** `unseen`: how many images are to go through the frozen part of the model. */
  constructor(run: Run, show: boolean, unseen: number) {
    this.#run = run
    this.#host = show ? host() : null
    this.#host?.display(this.#bundle(), this.#id)
    this.#trunk = show && unseen ? progressBar({ label: 'Images through the frozen trunk', total: unseen }) : null
  }

  /** Counts images that went through the frozen part. */
  forward(count: number): void {
    this.#trunk?.tick(count)
  }

  /** After an epoch every image has been through it. */
  epoch(): void {
    this.#trunk?.done()
    this.draw()
  }

  /** Draws the run as it stands, unless it was drawn a moment ago. */
  draw(): void {
    const now = performance.now()
    if (now - this.#last < between) return
    this.#last = now
    this.#host?.update(this.#id, this.#bundle())
  }

  /** Draws the finished run. */
  end(): void {
    this.#trunk?.stop()
    this.#host?.update(this.#id, trainingPlot(this.#run))
  }

  /**
   * The plot of a run that goes on. Its text has a line per epoch, so that a terminal, which prints each new text, prints no more
   * than that.
   */
  #bundle(): MimeBundle {
    const run = this.#run, done = run.history.loss.length
    const secondsLeft = done ? run.seconds / done * (run.epochs - done) : undefined
    const view = { ...run, bestEpoch: run.bestEpoch, secondsLeft }
    const measures = Object.entries(run.history).map(([name, values]) =>
      `${name.replace(/^val([A-Z])/, 'validation $1').toLowerCase()} ` +
        `${/accuracy/i.test(name) ? percent(values.at(-1)) : measure(values.at(-1))}`)
    const line = done ? `Epoch ${done} of ${run.epochs}: ${measures.join(', ')}`
      : `Training: ${run.epochs} epochs, ${run.images.train} images`
    return { ...trainingPlot(view), 'text/plain': line }
  }
}
