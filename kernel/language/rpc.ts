import type { Readable, Writable } from 'node:stream'

interface Message { id?: number | string, method?: string, params?: unknown, result?: unknown, error?: { message: string } }
interface Waiting { resolve: (result: never) => void, reject: (error: Error) => void }

/** Answers what the other side asks. */
export type Answer = (method: string, params: unknown) => unknown

/** JSON-RPC 2.0 over a pair of streams, framed as in the Language Server Protocol ("Base Protocol"). */
export class Rpc {
  readonly #output: Writable
  readonly #answer: Answer
  readonly #waiting = new Map<number, Waiting>()
  readonly #onChange: () => void
  #received: Buffer[] = []
  #size = 0
  #expected = -1
  #last = 0

  /** @param onChange called when a question was asked or answered */
  constructor(input: Readable, output: Writable, { answer = () => null, onChange = () => {} }: { answer?: Answer, onChange?: () => void } = {}) {
    this.#output = output
    this.#answer = answer
    this.#onChange = onChange
    input.on('data', (bytes: Buffer) => this.#read(bytes))
    output.on('error', () => {})
  }

  /** How many questions are open. */
  get open(): number {
    return this.#waiting.size
  }

  /** Asks the other side; rejects when it ends before its answer. */
  ask<T>(method: string, params: unknown): Promise<T> {
    const id = ++this.#last
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.#onChange()
      this.#send({ id, method, params })
    })
  }

  /** Tells the other side. */
  notify(method: string, params: unknown): void {
    this.#send({ method, params })
  }

  /** Rejects what is open: the other side is gone. */
  end(): void {
    for (const { reject } of this.#waiting.values()) reject(new Error('the language server ended'))
    this.#waiting.clear()
  }

  #send(message: Message) {
    // What is said in one go is written in one go: a write costs more than what is in it.
    if (!this.#output.writableCorked) {
      this.#output.cork()
      process.nextTick(() => this.#output.uncork())
    }
    const body = JSON.stringify({ jsonrpc: '2.0', ...message })
    this.#output.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
  }

  #read(bytes: Buffer) {
    this.#received.push(bytes)
    this.#size += bytes.length
    while (this.#size > 0) {
      if (this.#expected >= 0 && this.#size < this.#expected) return
      const all = this.#received.length === 1 ? this.#received[0] : Buffer.concat(this.#received)
      this.#received = [all]
      if (this.#expected < 0) {
        const end = all.indexOf('\r\n\r\n')
        if (end < 0) return
        this.#expected = Number(/Content-Length: (\d+)/i.exec(all.toString('latin1', 0, end))?.[1] ?? 0)
        this.#keep(all.subarray(end + 4))
        continue
      }
      const message = JSON.parse(all.toString('utf8', 0, this.#expected)) as Message
      this.#keep(all.subarray(this.#expected))
      this.#expected = -1
      this.#receive(message)
    }
  }

  #keep(rest: Buffer) {
    this.#received = rest.length ? [rest] : []
    this.#size = rest.length
  }

  #receive({ id, method, params, result, error }: Message) {
    if (method) {
      if (id !== undefined) this.#send({ id, result: this.#answer(method, params) })
      return
    }
    const waiting = this.#waiting.get(id as number)
    this.#waiting.delete(id as number)
    this.#onChange()
    if (error) waiting?.reject(new Error(error.message))
    else waiting?.resolve(result as never)
  }
}
