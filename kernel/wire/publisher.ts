import { setTimeout as sleep } from 'node:timers/promises'
import type { XPublisher } from 'zeromq'

/** So long, in ms, a front end that takes nothing holds all others back; after that it misses messages until it reads again. */
const patience = 10_000

/** So long, in ms, the first messages wait for a first front end. */
const welcome = 1000

/**
 * Sends on the iopub socket and loses nothing: where a front end is behind, it waits. ZeroMQ by itself would drop the message without a word,
 * or, without a limit, fill the memory.
 */
export class Publisher {
  readonly #socket: XPublisher
  readonly #patience: number
  #stalled = false
  readonly #begin: Promise<void>
  #begun = false
  #open = () => {}

  constructor(socket: XPublisher, wait: number = patience) {
    this.#socket = socket
    this.#patience = wait
    this.#begin = new Promise(open => { this.#open = open })
    setTimeout(() => {
      if (this.#begun) return
      this.#begun = true
      this.#open()
    }, welcome).unref()
  }

  /**
   * Greets a front end that has subscribed, before the messages that waited for the first one: it may ask for a cell before ZeroMQ has connected
   * it here. False where the greeting is to take its turn among the others.
   */
  async greet(frames: (Uint8Array | string)[]): Promise<boolean> {
    if (this.#begun) return false
    this.#begun = true
    await this.#socket.send(frames).catch(() => {})
    this.#open()
    return true
  }

  async send(frames: (Uint8Array | string)[]): Promise<void> {
    await this.#begin
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
