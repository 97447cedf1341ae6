type Frames = (Uint8Array | string)[]

/**
 * The one way to a socket: messages leave in the order they were added, the next when the one before was taken.
 * ZeroMQ refuses a second `send` while one waits.
 */
export class SendQueue {
  /** Bytes that wait. */
  bytes = 0
  readonly #socket: { send(frames: Frames): Promise<void> }
  #waiting: Frames[] = []
  #sending = false
  #listeners: (() => void)[] = []
  #below: { bytes: number, listener: () => void }[] = []

  constructor(socket: { send(frames: Frames): Promise<void> }) {
    this.#socket = socket
  }

  add(frames: Frames): void {
    this.bytes += size(frames)
    this.#waiting.push(frames)
    if (!this.#sending) void this.#drain()
  }

  /** Calls back once, as soon as nothing waits. */
  onEmpty(listener: () => void): void {
    if (this.#sending) this.#listeners.push(listener)
    else listener()
  }

  /** Calls back once, as soon as at most so many bytes wait. */
  onBelow(bytes: number, listener: () => void): void {
    this.#below.push({ bytes, listener })
  }

  async #drain(): Promise<void> {
    this.#sending = true
    for (let next = 0; next < this.#waiting.length; next++) {
      const frames = this.#waiting[next]
      try {
        await this.#socket.send(frames)
      } catch {
        // The client has gone, or the socket is closed: the message has no reader.
      }
      this.bytes -= size(frames)
      while (this.#below.length && this.bytes <= this.#below[0].bytes) this.#below.shift()!.listener()
      if (next > 1000) {
        this.#waiting.splice(0, next + 1)
        next = -1
      }
    }
    this.#waiting = []
    this.#sending = false
    for (const listener of this.#listeners.splice(0)) listener()
  }
}

function size(frames: Frames): number {
  let bytes = 0
  for (const frame of frames) bytes += frame.length
  return bytes
}
