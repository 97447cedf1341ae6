import { setTimeout as sleep } from 'node:timers/promises'
import type { XPublisher } from 'zeromq'

/** So long, in ms, a front end that takes nothing holds all others back; after that it misses messages until it reads again. */
const patience = 10_000

/**
 * Sends on the iopub socket and loses nothing: where a front end is behind, it waits. ZeroMQ by itself would drop the message without a word,
 * or, without a limit, fill the memory.
 */
export class Publisher {
  readonly #socket: XPublisher
  readonly #patience: number
  #stalled = false

  constructor(socket: XPublisher, wait: number = patience) {
    this.#socket = socket
    this.#patience = wait
  }

  async send(frames: (Uint8Array | string)[]): Promise<void> {
    const end = performance.now() + (this.#stalled ? 0 : this.#patience)
    for (let pause = 1; ; pause = Math.min(pause * 2, 20)) {
      try {
        await this.#socket.send(frames)
        this.#stalled = false
        return
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
        if (performance.now() > end) break
        await sleep(pause)
      }
    }
    this.#stalled = true
    this.#socket.noDrop = false
    try {
      await this.#socket.send(frames)
    } finally {
      this.#socket.noDrop = true
    }
  }
}
