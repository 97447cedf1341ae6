import { tf } from '../tf.ts'
import type { Run } from './run.ts'
import type { Measured } from './step.ts'

/**
 * Foretells from the first steps of a run what the whole of it takes. The first step shows the memory; it also makes ready, so
 * that the time is taken from the second.
 */
export class Forecaster {
  readonly #run: Run
  /** Images that are to go through the frozen part. */
  readonly #unseen: number
  /** Epochs that were finished before. */
  readonly #first: number
  #steps = 0
  #bytes = 0
  /** When the last step ended, and how long it took. */
  #ended = 0
  #took = 0

  constructor(run: Run, { unseen, first }: { unseen: number, first: number }) {
    this.#run = run
    this.#unseen = unseen
    this.#first = first
  }

  readonly around = async (step: () => Promise<Measured>): Promise<Measured> => {
    if (this.#run.forecast) return step()
    const began = performance.now()
    let measured: Measured = []
    if (this.#steps++) measured = await step()
    else this.#bytes = (await tf.profile(async () => { measured = await step() })).peakBytes
    this.#took = performance.now() - began
    return measured
  }

  /** After each batch. */
  batch(): void {
    const run = this.#run, now = performance.now(), between = now - this.#ended
    this.#ended = now
    if (run.forecast || this.#steps < 2) return
    const { epochs, batch, images: { train, validation } } = run
    const reading = Math.max(0, between - this.#took)
    // A step without learning takes about a third.
    const steps = (epochs - this.#first) * (Math.ceil(train / batch) + Math.ceil(validation / batch) / 3)
    // What goes through a frozen part is read once, else in every step.
    const read = this.#unseen ? this.#unseen / batch : steps
    run.forecast = { seconds: (read * reading + steps * this.#took) / 1000, bytes: this.#bytes }
  }
}
