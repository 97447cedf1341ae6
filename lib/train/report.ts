import { displayId, host, type Host, type MimeBundle } from '../host.ts'
import { bytes, duration, measure, percent } from '../show/format.ts'
import { progressBar, type ProgressBar } from '../show/progress.ts'
import { TrainingControls } from '../show/training-controls.ts'
import { isShare } from '../show/run-view.ts'
import { trainingPlot } from '../show/training.ts'
import type { Control } from './control.ts'
import { RunBars } from './run-bars.ts'
import type { Run } from './run.ts'

const between = 250 // At most four updates a second.

/** Runs under way, so that another cell can have their plot too. */
const reporters = new WeakMap<Run, Reporter>()
export const reporterOf = (run: Run): Reporter | undefined => reporters.get(run)

/**
 * Shows a run while it goes on: one plot that is replaced in place, and stays, or bars alone; more plots where other cells ask for
 * one.
 */
export class Reporter {
  readonly #run: Run
  readonly #control: Control | null
  readonly #places: { host: Host, id: string, cell: AbortSignal }[] = []
  readonly #bars: RunBars | null
  readonly #trunk: ProgressBar | null
  readonly #controls: TrainingControls | null
  #last = 0
  /** What was found worth a sentence after the latest epoch. */
  #said: string[] = []
  /** Images that are yet to go through the frozen part. */
  #unseen = 0

  /** `unseen`: how many images are to go through the frozen part of the model. */
  constructor(run: Run, show: boolean | 'bar', unseen: number, control: Control | null = null) {
    this.#run = run
    this.#control = control
    reporters.set(run, this)
    this.#bars = show === 'bar' ? new RunBars(run) : null
    if (show === true) this.attach()
    this.#controls = show === true && control ? new TrainingControls(control) : null
    this.#unseen = unseen
    this.#trunk = show && unseen ? progressBar({ label: 'Images through the frozen trunk', total: unseen }) : null
  }

  /** Shows the run in the cell that runs now, too. */
  attach(): void {
    const place = { host: host(), id: displayId(), cell: host().signal }
    this.#places.push(place)
    place.host.display(this.#bundle(), place.id)
  }

  /** Whether the cell with this signal shows the run. */
  shownIn(cell: AbortSignal): boolean {
    return this.#places.some(place => place.cell === cell)
  }

  /** Notes what is worth a sentence after an epoch: it stands in the plot, and in a terminal after the epoch's line. */
  say(...sentences: (string | null)[]): void {
    this.#said = sentences.filter(sentence => sentence !== null)
    this.#run.notes.push(...this.#said)
  }

  /** Counts images that went through the frozen part. */
  forward(count: number): void {
    this.#trunk?.tick(count)
    this.#unseen -= count
  }

  /** After an epoch. The next one may bring other variants of the images. */
  epoch(): void {
    if (this.#unseen <= 0) this.#trunk?.done()
    this.#bars?.epoch()
    this.draw()
  }

  /** After a step. */
  step(): void {
    this.#bars?.step()
    this.draw()
  }

  /** Draws the run as it stands, unless it was drawn a moment ago. */
  draw(): void {
    const now = performance.now()
    if (now - this.#last < between) return
    this.#last = now
    for (const { host, id } of this.#places) host.update(id, this.#bundle())
    this.#controls?.draw()
  }

  /** Draws the finished run. */
  end(): void {
    this.#trunk?.stop()
    this.#bars?.end()
    this.#controls?.end()
    for (const { host, id } of this.#places) host.update(id, this.#bundle())
  }

  /**
   * The plot of the run as it stands. While it goes on its text has a line per epoch, so that a terminal, which prints each new
   * text, prints no more than that.
   */
  #bundle(): MimeBundle {
    const run = this.#run, done = run.history.loss.length
    if (run.finished) return trainingPlot(run)
    const secondsLeft = done ? run.seconds / done * (run.epochs - done) : undefined
    const view = { ...run, bestEpoch: run.bestEpoch, secondsLeft, paused: this.#control?.paused }
    const measures = Object.entries(run.history).map(([name, values]) =>
      `${name.replace(/^val([A-Z])/, 'validation $1').toLowerCase()} ` +
        `${isShare(name) ? percent(values.at(-1)) : measure(values.at(-1))}`)
    const line = done ? `Epoch ${done} of ${run.epochs}: ${measures.join(', ')}`
      : `Training: ${run.epochs} epochs, ${run.images.train} images${forecastOf(run)}`
    return { ...trainingPlot(view), 'text/plain': [line, ...this.#said].join('\n') }
  }
}

/** What a run will take, once it is known, where that is worth saying. */
function forecastOf({ forecast }: Run): string {
  return forecast && forecast.seconds > 10 ? `: about ${duration(forecast.seconds)}, at most ${bytes(forecast.bytes)} ` +
    `at once` : ''
}
