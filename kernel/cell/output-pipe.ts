import { fstatSync, writeSync } from 'node:fs'
import { Socket } from 'node:net'
import { encodeFrame, FrameReader, type Frame } from '../frames.ts'
import { descriptors, mark, type ToChild, type ToKernel } from '../messages.ts'
import { vital } from '../vital.ts'

/**
 * The child's end of the pipes to the kernel. Sending is synchronous: nothing is lost when the process dies a moment later, a busy cell's
 * output is on its way before the cell ends, and a kernel that reads slowly slows the cell down instead of filling its memory.
 */
export class Pipe {
  readonly #nonce: string
  readonly #marked = [1, 2].filter(isOpen)
  #barrier = 0
  #held: Buffer | null = null

  /** @param nonce what the marks on file descriptors 1 and 2 are known by */
  constructor(nonce: string) {
    this.#nonce = nonce
  }

  /** Sends a frame; with `barrier`, after all that native code has written so far; with `hold`, together with the next one, which is sure to come soon. */
  send(header: ToKernel, parts: Uint8Array[] = [], { barrier = false, hold = false } = {}): void {
    if (barrier && !hold) header = { ...header, barrier: this.#barrier + 1 }
    const own = encodeFrame(header, parts), frame = this.#held ? Buffer.concat([this.#held, own]) : own
    this.#held = hold ? frame : null
    if (hold) return
    if (barrier) {
      this.#barrier++
      const bytes = Buffer.from(mark(this.#nonce, this.#barrier))
      for (const descriptor of this.#marked) this.#write(descriptor, bytes)
    }
    this.#write(descriptors.toKernel, frame)
  }

  /** Starts listening to the kernel; the process ends with it. */
  listen(receive: (frame: Frame<ToChild>) => void): void {
    const socket = new Socket({ fd: descriptors.fromKernel, readable: true, writable: false })
    const reader = new FrameReader<ToChild>()
    socket.on('data', vital((chunk: string | Buffer) => reader.push(chunk as Buffer).forEach(receive)))
    socket.on('close', () => process.kill(process.pid, 'SIGKILL'))
  }

  #write(descriptor: number, bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      try {
        at += writeSync(descriptor, bytes, at)
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException
        if (code === 'EAGAIN') Atomics.wait(sleeper, 0, 0, 1)
        else if (descriptor === descriptors.toKernel) process.kill(process.pid, 'SIGKILL')
        else return
      }
    }
  }
}

const sleeper = new Int32Array(new SharedArrayBuffer(4))

function isOpen(descriptor: number): boolean {
  try {
    fstatSync(descriptor)
    return true
  } catch {
    return false
  }
}
