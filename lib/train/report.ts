import { displayId, host, type Host } from '../host.ts'
import { summary, type Run } from './run.ts'

/** Shows a run while it goes on: text that is replaced at most four times a second. */
export class Reporter {
  readonly #run: Run
  readonly #batches: number
  readonly #host: Host | null
  readonly #id = displayId()
  #last = 0

  constructor(run: Run, batches: number, show: boolean) {
    this.#run = run
    this.#batches = batches
    this.#host = show ? host() : null
    this.#host?.display({ 'text/plain': summary(run) }, this.#id)
  }

  batch(): void {
    const now = performance.now()
    if (now - this.#last < 250) return
    this.#last = now
    this.#host?.update(this.#id, { 'text/plain': `${summary(this.#run)}\n  batch ${this.#run.batchLosses.length} of ${this.#batches}` })
  }

  epoch(): void {
    this.batch()
  }

  async end(): Promise<void> {
    this.#host?.update(this.#id, { 'text/plain': summary(this.#run) })
  }
}
