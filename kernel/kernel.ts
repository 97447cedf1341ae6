import { rmSync } from 'node:fs'
import { GraftError } from '../lib/error.ts'
import type { Spawned } from './child-spawn.js'
import type { DapRequest } from './debug/dap.ts'
import type { Debugger } from './debug/debugger.ts'
import { Executions } from './executions.ts'
import type { History } from './history.ts'
import { log } from './log.ts'
import { watchParent } from './parent-watch.ts'
import { unknownSubshell } from './shells.ts'
import { Types } from './types.ts'
import type { Usage } from './usage.ts'
import { portsOf, readConnection, type Connection } from './wire/connection.ts'
import { kernelInfo } from './wire/info.ts'
import type { Message } from './wire/message.ts'
import { Sockets, type RequestChannel } from './wire/sockets.ts'

type Handler = (content: Record<string, unknown>, message: Message) => object | void | Promise<object>

/** Starts a kernel for a connection file and with a process for the cells, and ends the process with a word where that cannot be. */
export async function startKernel(path: string | undefined, child: Spawned): Promise<void> {
  try {
    if (!path) throw new GraftError('expected a connection file: node kernel/main.js <connection file>')
    await new Kernel(readConnection(path), child).start()
  } catch (error) {
    log(error instanceof GraftError ? error.message : String((error as Error).stack))
    process.exit(1)
  }
}

/**
 * The kernel's own process: it answers every request, runs cells through {@link Executions} in a child process, and answers all else at once,
 * also while a cell runs.
 */
class Kernel {
  readonly #connection: Connection
  readonly #sockets: Sockets
  readonly #executions: Executions
  readonly #types = new Types(async () => new (await import('./language/language.ts')).Language({ folder: process.cwd() }))
  #history: Promise<History> | null = null
  #debugger: Promise<Debugger> | null = null
  #usage: Promise<Usage> | null = null
  /** The connection file that this kernel wrote for other clients. */
  #connectionFile: string | null = null
  #ending = false

  constructor(connection: Connection, child: Spawned) {
    this.#connection = connection
    this.#executions = new Executions(child, () => this.#sockets, { history: () => this.#openHistory(), types: this.#types })
    this.#sockets = new Sockets(connection, log)
  }

  async start(): Promise<void> {
    await this.#sockets.bind()
    const { registration } = this.#connection
    if (registration) this.#connectionFile = await (await import('./wire/handshake.ts')).register(registration, this.#connection, this.#sockets.wire)
    this.#sockets.read((channel, message) => this.#receive(channel, message))
    this.#sockets.publish({ type: 'status', content: { execution_state: 'starting' } })
    watchParent(() => void this.#shutDown())
    for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void this.#shutDown())
    process.on('SIGINT', () => this.#executions.interruption.ask())
    process.on('uncaughtException', error => log(String(error.stack)))
    process.on('unhandledRejection', error => log(String((error as Error)?.stack ?? error)))
  }

  readonly #handlers: Record<string, Handler> = {
    kernel_info_request: () => kernelInfo,
    connect_request: () => portsOf(this.#connection),
    comm_info_request: ({ target_name }) => ({ comms: this.#executions.comms(target_name) }),
    history_request: async (content, { header }) => ({ history: (await this.#openHistory()).answer(content, this.#executions.shells.of(header)?.number) }),
    is_complete_request: async ({ code }) => typeof code === 'string' ? (await this.#types.language()).isComplete(code) : { status: 'unknown' },
    complete_request: async ({ code, cursor_pos }) => (await this.#types.language()).complete(text(code, 'code'), position(cursor_pos, code)),
    inspect_request: async ({ code, cursor_pos, detail_level }) =>
      (await this.#types.language()).inspect(text(code, 'code'), position(cursor_pos, code), detail_level === 1 ? 1 : 0),
    interrupt_request: (_, { header }) => {
      this.#executions.interruption.ask(header)
      return {}
    },
    usage_request: async () => (await (this.#usage ??= import('./usage.ts').then(({ Usage }) => new Usage()))).answer(),
    create_subshell_request: () => ({ subshell_id: this.#executions.shells.create() }),
    delete_subshell_request: ({ subshell_id }) => this.#executions.deleteSubshell(subshell_id),
    list_subshell_request: () => ({ subshell_id: this.#executions.shells.ids }),
    shutdown_request: ({ restart }) => ({ restart: restart === true }),
  }

  #receive(channel: RequestChannel, message: Message) {
    const type = message.header.msg_type
    if (this.#ending) return
    if (channel === 'stdin') return type === 'input_reply' ? this.#executions.answer(message) : log(`ignored ${type} on stdin`)
    if (type === 'execute_request') return this.#executions.add(channel, message)
    if (type === 'debug_request') return void this.#debug(channel, message)
    if (type === 'comm_open' || type === 'comm_msg' || type === 'comm_close') return this.#executions.comm(type, message)
    const handler = Object.hasOwn(this.#handlers, type) ? this.#handlers[type] : null
    if (!handler) return log(`ignored a message of unknown type '${type}' on ${channel}`)
    void this.#answer(channel, message, handler)
  }

  async #answer(channel: RequestChannel, message: Message, handler: Handler) {
    const { header: parent, identities, content } = message, type = parent.msg_type.replace(/_request$/, '_reply')
    this.#executions.status('busy', parent)
    let reply: object
    try {
      if (channel === 'shell' && !this.#executions.shells.of(parent)) throw new GraftError(unknownSubshell(parent.subshell_id))
      reply = { status: 'ok', ...await handler(content, message) }
    } catch (error) {
      const { name, message: evalue, stack } = error as Error
      reply = { status: 'error', ename: name, evalue, traceback: String(stack).split('\n') }
    }
    this.#sockets.send(channel, { type, content: reply, parent, identities })
    if (type === 'shutdown_reply') this.#sockets.publish({ type, content: reply, parent })
    this.#executions.status('idle', parent)
    if (type === 'shutdown_reply') await this.#shutDown()
    // The first reply does not wait for the language server; the first cell finds it on its way.
    // A cell that comes with the first question starts what it needs itself.
    else setTimeout(() => this.#types.warm(), 10).unref()
  }

  /** Answers a `debug_request`, whose reply is a response of the Debug Adapter Protocol and nothing else. */
  async #debug(channel: RequestChannel, { header: parent, identities, content }: Message) {
    this.#executions.status('busy', parent)
    const reply = await (await this.#openDebugger()).answer(content as unknown as DapRequest)
    this.#sockets.send(channel, { type: 'debug_reply', content: reply, parent, identities })
    this.#executions.status('idle', parent)
  }

  #openDebugger(): Promise<Debugger> {
    return this.#debugger ??= import('./debug/debugger.ts').then(({ Debugger }) => {
      const debug = new Debugger({
        publish: event => this.#sockets.publish({ type: 'debug_event', content: event }),
        declare: name => this.#executions.declare(name),
      })
      this.#executions.onThread(thread => debug.speakTo(thread))
      return debug
    })
  }

  #openHistory(): Promise<History> {
    return this.#history ??= import('./history.ts').then(({ History }) => new History())
  }

  async #shutDown() {
    if (this.#ending) return
    this.#ending = true
    this.#executions.end()
    // Whatever hangs, the process is gone after two seconds.
    setTimeout(() => process.exit(0), 2000).unref()
    await this.#types.dispose()
    await this.#history?.then(history => history.close(), () => {})
    if (this.#connectionFile) rmSync(this.#connectionFile, { force: true })
    await this.#sockets.close()
    // The process ends by itself, as nothing is left to do: `process.exit` would not wait until ZeroMQ has sent what it took, the last reply too.
  }
}

function text(value: unknown, name: string): string {
  if (typeof value !== 'string') throw new TypeError(`'${name}' should be a string, received ${JSON.stringify(value)}`)
  return value
}

function position(value: unknown, code: unknown): number {
  return typeof value === 'number' && value >= 0 ? value : [...String(code)].length
}
