import { StringDecoder } from 'node:string_decoder'
import { Writable } from 'node:stream'
import type { ToKernel } from '../messages.ts'
import { clearTimeout, now, setTimeout, stringify } from '../own.ts'
import { ownCell, type RunningCell } from '../running.ts'
import { lineOf } from './line.ts'

type Name = 'stdout' | 'stderr'
type Send = (header: ToKernel, parts: Uint8Array[], options: { barrier: boolean, hold?: boolean }) => void

/** Text is sent at this size at the latest, and after this time, even while a loop keeps the process busy. */
const largest = 1 << 16, longest = 40

/** How many characters are gathered before they are turned into JSON. */
const piece = 1 << 12

/**
 * Everything a cell prints and shows, in order. Text is gathered into few messages; whatever else is published sends the text before it.
 * Each piece belongs to the cell whose code wrote it, also when that cell ended long ago.
 *
 * @example
 * const output = new Output((header, parts, options) => pipe.send(header, parts, options))
 * output.install()          // console.log and process.stdout now end up here
 * output.publish('display_data', { data: { 'text/plain': 'x' }, metadata: {} })
 */
export class Output {
  /** The console's method as it was put here, whatever a cell puts in its place later. */
  log: (...data: unknown[]) => void = () => {}
  #send: Send
  #cell: RunningCell | null = null
  #name: Name = 'stdout'
  #text = ''
  #json = ''
  #sentAt = 0
  #timer: NodeJS.Timeout | null = null

  constructor(send: Send) {
    this.#send = send
  }

  /** Adds text to a stream of the cell that owns the running code. */
  write(name: Name, text: string): void {
    if (!text) return
    const cell = ownCell()
    if ((cell !== this.#cell || name !== this.#name) && this.#cell) this.flush()
    // The first text of a cell goes at once: a loop may follow that keeps the timer from being heard.
    if (cell !== this.#cell) this.#sentAt = -Infinity
    this.#cell = cell
    this.#name = name
    this.#text += text
    if (this.#text.length > piece) this.#pack()
    const elapsed = now() - this.#sentAt
    // A clock that was set back is no reason to wait.
    if (this.#json.length > largest || elapsed > longest || elapsed < 0) this.flush()
    else this.#timer ??= setTimeout(() => this.flush(), longest)
  }

  /** Sends the text gathered so far. */
  flush(): void {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
    this.#pack()
    if (!this.#json) return
    const content = Buffer.from(`{"name":"${this.#name}","text":"${this.#json}"}`)
    this.#json = ''
    this.#send({ type: 'publish', cell: this.#cell?.id ?? 0, msgType: 'stream' }, [content], { barrier: true })
    this.#sentAt = now()
  }

  /** Turns short strings by the thousand into one that is JSON, before they are old enough to burden the collection of garbage. */
  #pack() {
    this.#json += stringify(this.#text).slice(1, -1)
    this.#text = ''
  }

  /** Publishes a message as the cell that owns the running code, after the text before it. */
  publish(msgType: string, content: object, { metadata, buffers = [], comm, cell = ownCell(), hold }: {
    metadata?: object, buffers?: Uint8Array[], comm?: { id: string, target?: string }, cell?: RunningCell | null, hold?: boolean,
  } = {}): void {
    this.flush()
    const header = { type: 'publish', cell: cell?.id ?? 0, msgType, metadata, comm } as const
    this.#send(header, [Buffer.from(stringify(content)), ...buffers], { barrier: true, hold })
  }

  /** Puts this in the place of `process.stdout` and `process.stderr`, and so of the console, whose commonest methods take a shorter way. */
  install(): void {
    for (const [name, fd] of [['stdout', 1], ['stderr', 2]] as const) {
      Object.defineProperty(process, name, { value: new Stream(this, name, fd), configurable: true, enumerable: true, writable: true })
    }
    this.#takeConsole(console)
  }

  /** Runs `work`, whose output goes nowhere. For a moment in which no cell runs. */
  mute(work: () => void): void {
    this.flush()
    const send = this.#send
    this.#send = () => {}
    try {
      work()
      this.flush()
    } finally {
      this.#send = send
      this.#cell = null
    }
  }

  #takeConsole(console: Console) {
    const own = console as unknown as Record<symbol, unknown>
    const indent = Object.getOwnPropertySymbols(console).find(symbol => symbol.description?.startsWith('kGroupIndent') && typeof own[symbol] === 'string')
    for (const [method, name] of [['log', 'stdout'], ['info', 'stdout'], ['debug', 'stdout'], ['warn', 'stderr'], ['error', 'stderr']] as const) {
      const original = console[method]
      console[method] = (...data: unknown[]) => {
        if (!indent || own[indent]) original.apply(console, data)
        else this.write(name, `${lineOf(data)}\n`)
      }
    }
    this.log = console.log
  }
}

/** A `process.stdout` without a terminal behind it. Text skips the machinery of streams, so that printing is cheap. */
class Stream extends Writable {
  readonly fd: number
  readonly isTTY = false
  readonly #output: Output
  readonly #name: Name
  readonly #decoder = new StringDecoder('utf8')
  #callbacks: (() => void)[] = []

  constructor(output: Output, name: Name, fd: number) {
    super({ decodeStrings: false })
    this.#output = output
    this.#name = name
    this.fd = fd
  }

  override write(chunk: unknown, encoding?: unknown, callback?: unknown): boolean {
    const done = typeof encoding === 'function' ? encoding : callback
    if (typeof chunk === 'string') this.#output.write(this.#name, chunk)
    else if (ArrayBuffer.isView(chunk)) {
      this.#output.write(this.#name, this.#decoder.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)))
    } else throw new TypeError(`process.${this.#name}.write expected a string or bytes, received ${chunk === null ? 'null' : typeof chunk}`)
    if (typeof done === 'function') {
      this.#callbacks.push(done as () => void)
      if (this.#callbacks.length === 1) process.nextTick(() => { for (const each of this.#callbacks.splice(0)) each() })
    }
    return true
  }

  /** Standard output never closes, as in Node. */
  override end(chunk?: unknown, encoding?: unknown, callback?: unknown): this {
    if (chunk !== undefined && typeof chunk !== 'function') this.write(chunk, encoding, callback)
    return this
  }

  override destroy(): this {
    return this
  }
}
