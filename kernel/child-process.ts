import type { ChildProcess } from 'node:child_process'
import type { Duplex, Readable, Writable } from 'node:stream'
import { Captured } from './captured.ts'
import type { Spawned } from './child-spawn.js'
import { encodeFrame, FrameReader, type Frame } from './frames.ts'
import { descriptors, type ToChild, type ToKernel, type ToThread } from './messages.ts'

/** What the kernel does with what its child says. */
export interface ChildListener {
  frame(frame: Frame<ToKernel>): void
  /** What native code or a process of the child's wrote. */
  output(name: 'stdout' | 'stderr', text: string): void
  /** The child is gone, by its own will with a code, or by a signal. */
  died(reason: { code: number | null, signal: NodeJS.Signals | null, wasReady: boolean }): void
}

/** The process with the user's code, seen from the kernel. */
export class Child {
  readonly #process: ChildProcess
  readonly #listener: ChildListener
  readonly #captured: Record<'stdout' | 'stderr', Captured>
  #frames: Frame<ToKernel>[] = []
  #ready = false
  #over = false

  constructor({ process, nonce }: Spawned, listener: ChildListener) {
    this.#listener = listener
    this.#process = process
    const capture = (name: 'stdout' | 'stderr') => {
      const captured = new Captured(nonce, text => listener.output(name, text))
      const stream = this.#process[name]!
      stream.on('data', (chunk: Buffer) => { captured.push(chunk); this.#pump() })
      // Native code has closed it: nothing more is to be waited for.
      stream.on('end', () => { captured.barrier = Infinity; this.#pump() })
      return captured
    }
    this.#captured = { stdout: capture('stdout'), stderr: capture('stderr') }
    const reader = new FrameReader<ToKernel>()
    this.#stream<Readable>(descriptors.toKernel).on('data', (chunk: Buffer) => {
      this.#frames.push(...reader.push(chunk))
      this.#pump()
    })
    // A child that is gone cannot be written to; that it is gone is told by 'exit'.
    for (const stream of this.#process.stdio) stream?.on('error', () => {})
    this.#process.on('error', () => this.#end(null, null))
    this.#process.on('exit', (code, signal) => {
      // What it wrote last may still be in the pipes; a process of its own may keep them open for ever.
      const timer = setTimeout(() => this.#end(code, signal), 200)
      this.#process.on('close', () => { clearTimeout(timer); this.#end(code, signal) })
    })
  }

  send(header: ToChild, parts: Uint8Array[] = []): void {
    this.#stream<Writable>(descriptors.fromKernel).write(encodeFrame(header, parts))
  }

  /** Tells the child's interrupt thread, which hears while the user's code is busy. */
  tell(message: ToThread): void {
    this.thread.write(`${JSON.stringify(message)}\n`)
  }

  /** The way to the child's interrupt thread and back. */
  get thread(): Duplex {
    return this.#stream<Duplex>(descriptors.toThread)
  }

  /** Stops reading, so that a child which prints faster than front ends take it has to wait. */
  pause(): void {
    for (const stream of this.#outputs()) stream.pause()
  }

  resume(): void {
    for (const stream of this.#outputs()) stream.resume()
  }

  /** Ends the process at once; {@link ChildListener.died} follows, unless it is `silent`. */
  kill({ silent = false } = {}): void {
    if (silent) this.#over = true
    this.#process.kill('SIGKILL')
  }

  #outputs(): Readable[] {
    return [this.#process.stdout!, this.#process.stderr!, this.#stream<Readable>(descriptors.toKernel)]
  }

  #stream<T>(descriptor: number): T {
    return (this.#process.stdio as unknown[])[descriptor] as T
  }

  /** Hands on the frames whose barriers have come on both captured streams. */
  #pump(force = false) {
    const { stdout, stderr } = this.#captured
    while (this.#frames.length && !(this.#over && !force)) {
      const { barrier = 0 } = this.#frames[0].header
      if (!force && (barrier > stdout.barrier || barrier > stderr.barrier)) return
      const frame = this.#frames.shift()!
      if (frame.header.type === 'ready') this.#ready = true
      // Before its reply a cell's native output is read in this turn of the event loop at the latest; marks are only for what has more to follow.
      if (frame.header.type === 'done') setImmediate(() => this.#listener.frame(frame))
      else this.#listener.frame(frame)
    }
  }

  #end(code: number | null, signal: NodeJS.Signals | null) {
    if (this.#over) return
    this.#pump(true)
    this.#over = true
    this.#listener.died({ code, signal, wasReady: this.#ready })
  }
}
