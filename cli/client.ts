import { spawn, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Dealer, Subscriber } from 'zeromq'
import { hubFolder } from '../install/bundled.js'
import { GraftError } from '../lib/error.ts'
import { channels, endpoint, parseConnection, type Channel } from '../kernel/wire/connection.ts'
import { Wire, type Message } from '../kernel/wire/message.ts'

/** How long the kernel may take to answer for the first time, in milliseconds. */
const patience = 60_000

type Listener = (message: Message) => void

/** A kernel of its own process and the four sockets to it: as much of a Jupyter client as running a notebook needs. */
export class KernelClient {
  readonly #process: ChildProcess
  readonly #scratch: string
  readonly #wire: Wire
  readonly #shell = new Dealer()
  readonly #control = new Dealer()
  readonly #iopub = new Subscriber()
  readonly #listeners = new Map<string, Listener>()
  readonly #replies = new Map<string, (message: Message) => void>()
  readonly #ended: Promise<never>
  #log = ''

  private constructor(process: ChildProcess, scratch: string, wire: Wire) {
    this.#process = process
    this.#scratch = scratch
    this.#wire = wire
    for (const stream of [process.stdout, process.stderr])
      stream?.on('data', chunk => {
        this.#log = (this.#log + chunk).slice(-4000)
      })
    this.#ended = new Promise((_, reject) => {
      process.once('exit', code =>
        reject(new GraftError(`the kernel ended with code ${code}.${this.#log && `\n${this.#log.trim()}`}`)),
      )
    })
    this.#ended.catch(() => {})
  }

  /** Starts a kernel in a folder, on loopback. */
  static async start(folder: string): Promise<KernelClient> {
    const ports = await freePorts(channels.length),
      key = randomUUID()
    const file = {
      transport: 'tcp',
      ip: '127.0.0.1',
      key,
      signature_scheme: 'hmac-sha256',
      ...Object.fromEntries(channels.map((name, i) => [`${name}_port`, ports[i]])),
    }
    const scratch = mkdtempSync(join(tmpdir(), 'graft-run-')),
      path = join(scratch, 'connection.json')
    writeFileSync(path, JSON.stringify(file), { mode: 0o600 })
    const kernel = spawn(process.execPath, [join(import.meta.dirname, '..', 'kernel', 'main.js'), path], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      env: {
        ...(existsSync(hubFolder) && { TFHUB_CACHE_DIR: hubFolder }),
        ...process.env,
        GRAFT_HISTORY: process.env.GRAFT_HISTORY ?? ':memory:',
        JPY_PARENT_PID: String(process.pid),
      },
    })
    const client = new KernelClient(kernel, scratch, new Wire(key, 'sha256')),
      connection = parseConnection(file)
    const connect = (socket: { connect(address: string): void }, channel: Channel) =>
      socket.connect(endpoint(connection, channel))
    connect(client.#shell, 'shell')
    connect(client.#control, 'control')
    client.#iopub.subscribe()
    connect(client.#iopub, 'iopub')
    for (const socket of [client.#shell, client.#control, client.#iopub]) void client.#read(socket)
    await client.#greet()
    return client
  }

  /** Runs a cell. Resolves to its reply when all its output has come. */
  async execute(code: string, onOutput: Listener): Promise<Record<string, unknown>> {
    const content = { code, silent: false, store_history: true, user_expressions: {}, allow_stdin: false, stop_on_error: true }
    const idle = Promise.withResolvers<void>()
    const { reply } = this.#request(this.#shell, 'execute_request', content, message => {
      if (message.header.msg_type === 'status' && message.content.execution_state === 'idle') idle.resolve()
      else onOutput(message)
    })
    const [{ content: answer }] = await Promise.race([Promise.all([reply, idle.promise]), this.#ended])
    return answer
  }

  /** Interrupts the cell that runs; variables stay. */
  interrupt(): void {
    this.#request(this.#control, 'interrupt_request', {})
  }

  /** Ends the kernel. */
  async close(): Promise<void> {
    const gone =
      this.#process.exitCode !== null || this.#process.signalCode !== null
        ? Promise.resolve()
        : new Promise(resolve => this.#process.once('exit', resolve))
    this.#request(this.#control, 'shutdown_request', { restart: false })
    const forced = setTimeout(() => this.#process.kill('SIGKILL'), 5000)
    await gone
    clearTimeout(forced)
    for (const socket of [this.#shell, this.#control, this.#iopub]) socket.close()
    rmSync(this.#scratch, { recursive: true, force: true })
  }

  /** Asks until the answer's status is heard too: from then on no output is missed. */
  async #greet(): Promise<void> {
    const heard = Promise.withResolvers<void>(),
      giveUp = AbortSignal.timeout(patience)
    while (true) {
      this.#request(this.#shell, 'kernel_info_request', {}, () => heard.resolve())
      const done = await Promise.race([
        heard.promise.then(() => true),
        this.#ended,
        new Promise<false>(resolve => setTimeout(resolve, 200, false)),
      ])
      if (done) return
      if (giveUp.aborted)
        throw new GraftError(`the kernel did not answer within a minute.${this.#log && `\n${this.#log.trim()}`}`)
    }
  }

  #request(socket: Dealer, type: string, content: object, onOutput?: Listener): { reply: Promise<Message> } {
    const { header, frames } = this.#wire.pack({ type, content })
    if (onOutput) this.#listeners.set(header.msg_id, onOutput)
    const reply = new Promise<Message>(resolve => this.#replies.set(header.msg_id, resolve))
    this.#sending = this.#sending.then(() => socket.send(frames)).catch(() => {})
    return { reply }
  }

  #sending: Promise<void> = Promise.resolve()

  async #read(socket: Dealer | Subscriber): Promise<void> {
    for await (const frames of socket) {
      const message = this.#wire.unpack(frames as Buffer[]),
        asked = message.parent.msg_id ?? ''
      if (socket === this.#iopub) this.#listeners.get(asked)?.(message)
      else this.#replies.get(asked)?.(message)
    }
  }
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve, reject) => {
          const server = createServer()
            .on('error', reject)
            .listen(0, '127.0.0.1', () => resolve(server))
        }),
    ),
  )
  const ports = servers.map(server => (server.address() as { port: number }).port)
  await Promise.all(servers.map(server => new Promise(resolve => server.close(resolve))))
  return ports
}
