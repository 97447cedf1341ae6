import { spawn, type ChildProcess } from 'node:child_process'
import { readFileSync, rmSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Dealer, Request, Router, Subscriber } from 'zeromq'
import { descendants } from '../../kernel/descendants.ts'
import { Wire, type Message } from '../../kernel/wire/message.ts'

const key = 'the-key-of-these-tests'

/** A kernel that was started with the handshake, and its addresses. */
export class TestKernel {
  readonly process: ChildProcess
  readonly folder: string
  readonly ports: Record<string, string>
  log = ''

  private constructor(process: ChildProcess, folder: string, ports: Record<string, string>) {
    this.process = process
    this.folder = folder
    this.ports = ports
  }

  /** Starts a kernel in an empty folder of its own. @param nodeOptions for its processes */
  static async start(nodeOptions: string = ''): Promise<TestKernel> {
    const folder = mkdtempSync(join(tmpdir(), 'graft-endurance-')), launcher = new Router({ linger: 0 }), wire = new Wire(key, 'sha256')
    await launcher.bind('tcp://127.0.0.1:*')
    const file = join(folder, 'registration.json')
    const registration_port = Number(/\d+$/.exec(launcher.lastEndpoint!)![0])
    writeFileSync(file, JSON.stringify({ kernel_id: 'tested', transport: 'tcp', registration_ip: '127.0.0.1', registration_port, signature_scheme: 'hmac-sha256', key }))
    const env = { ...process.env, GRAFT_HISTORY: ':memory:', JPY_PARENT_PID: String(process.pid), NODE_OPTIONS: nodeOptions }
    const child = spawn(process.execPath, [join(import.meta.dirname, '../../kernel/main.js'), file], { cwd: folder, env, stdio: ['ignore', 'ignore', 'pipe'] })
    const [identity, ...rest] = await launcher.receive()
    const kernel = new TestKernel(child, folder, JSON.parse(wire.unpackContent(rest)) as Record<string, string>)
    child.stderr!.on('data', chunk => { kernel.log = (kernel.log + String(chunk)).slice(-10_000) })
    await launcher.send([identity, ...wire.packContent({ status: 'ok' })])
    launcher.close()
    return kernel
  }

  address(channel: string): string {
    return `tcp://127.0.0.1:${this.ports[`${channel}_port`]}`
  }

  /** Memory of the kernel's processes in bytes, shared parts divided. */
  get memory(): number {
    return [this.process.pid!, ...descendants(this.process.pid!)].reduce((sum, pid) => {
      try {
        return sum + 1024 * Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))![1])
      } catch {
        return sum
      }
    }, 0)
  }

  /** Resolves with the exit code when the process has ended. */
  ended(): Promise<number | null> {
    return this.process.exitCode !== null ? Promise.resolve(this.process.exitCode) : new Promise(done => this.process.once('exit', done))
  }

  async close(): Promise<void> {
    this.process.kill('SIGKILL')
    await this.ended()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** What came of a cell. */
export interface Ran { status: string, result: string | undefined, text: string, error: string | undefined }

/** A front end: it signs what it sends, and hears all that is published. */
export class Client {
  readonly wire = new Wire(key, 'sha256')
  readonly sockets: Record<'shell' | 'control' | 'stdin', Dealer>
  readonly iopub = new Subscriber({ linger: 0 })
  readonly heart = new Request({ linger: 0, receiveTimeout: 10_000 })
  readonly #replies = new Map<string, (message: Message) => void>()
  readonly #published = new Map<string, (message: Message) => void>()

  constructor(kernel: TestKernel) {
    const dealer = (channel: string) => {
      const socket = new Dealer({ linger: 0 })
      socket.connect(kernel.address(channel))
      return socket
    }
    this.sockets = { shell: dealer('shell'), control: dealer('control'), stdin: dealer('stdin') }
    this.iopub.connect(kernel.address('iopub'))
    this.iopub.subscribe()
    this.heart.connect(kernel.address('hb'))
    for (const channel of ['shell', 'control'] as const) void this.#hear(this.sockets[channel], this.#replies)
    void this.#hear(this.iopub, this.#published)
  }

  /** Sends a request and waits for its reply. @throws where none comes in time, in ms */
  async ask(channel: 'shell' | 'control', type: string, content: object = {}, patience: number = 30_000): Promise<Message> {
    const { header, frames } = this.wire.pack({ type, content })
    const reply = new Promise<Message>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no reply to ${type} within ${patience / 1000} s`)), patience)
      this.#replies.set(header.msg_id, message => { clearTimeout(timer); resolve(message) })
    })
    await this.sockets[channel].send(frames)
    return reply.finally(() => this.#replies.delete(header.msg_id))
  }

  /** Runs a cell; resolves when it is idle. */
  async run(code: string, patience: number = 60_000): Promise<Ran> {
    const content = { code, silent: false, store_history: true, user_expressions: {}, allow_stdin: false, stop_on_error: true }
    const { header, frames } = this.wire.pack({ type: 'execute_request', content })
    let result: string | undefined, error: string | undefined, text = ''
    const idle = new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no end of a cell within ${patience / 1000} s: ${code.slice(0, 100)}`)), patience)
      this.#published.set(header.msg_id, ({ header: { msg_type }, content }) => {
        if (msg_type === 'stream') text += String(content.text)
        if (msg_type === 'execute_result') result = (content.data as Record<string, string>)['text/plain']
        if (msg_type === 'error') error = `${String(content.ename)}: ${String(content.evalue)}`
        if (msg_type !== 'status' || content.execution_state !== 'idle') return
        clearTimeout(timer)
        resolve()
      })
    })
    const reply = new Promise<Message>(resolve => this.#replies.set(header.msg_id, resolve))
    await this.sockets.shell.send(frames)
    await idle
    const { content: { status } } = await reply
    this.#published.delete(header.msg_id)
    this.#replies.delete(header.msg_id)
    return { status: String(status), result, text, error }
  }

  close(): void {
    for (const socket of [...Object.values(this.sockets), this.iopub, this.heart]) socket.close()
  }

  async #hear(socket: Dealer | Subscriber, listeners: Map<string, (message: Message) => void>) {
    for await (const frames of socket) {
      const message = this.wire.unpack(frames as Buffer[])
      listeners.get(message.parent.msg_id ?? '')?.(message)
    }
  }
}
