import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, sep } from 'node:path'
import { createInterface } from 'node:readline'
import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { GraftError } from '../../lib/error.ts'
import { capabilities, threadId, type Arguments, type Breakpoint, type DapEvent, type DapRequest, type DapResponse, type FromThread, type SourceBreakpoint } from './dap.ts'
import { pathOf, type Naming } from './naming.ts'

/** How long a new process may take to set breakpoints, in ms. */
const patience = 5000

/** What the debugger needs of the kernel. */
export interface Options {
  /** Sends an event to every front end. */
  publish(event: DapEvent): void
  /** A name that was copied out of a frame is there for the cells to come. */
  declare(name: string): void
}

/**
 * The debugger, seen from front ends: it answers `debug_request` (the Debug Adapter Protocol, with Jupyter's additions) and keeps what
 * has to outlive the process with the user's code: the texts of cells, breakpoints, whether it has started. All else is asked of the thread in that
 * process which can stop it ({@link Adapter}).
 *
 * @example
 * const debug = new Debugger({ publish, declare })
 * debug.speakTo(child.thread)
 * await debug.answer({ type: 'request', seq: 1, command: 'debugInfo' })
 */
export class Debugger {
  readonly #options: Options
  readonly #naming: Naming = { prefix: join(tmpdir(), `graft_${process.pid}`) + sep, suffix: '.ts', seed: 0xc70f6907 }
  readonly #sources = new Map<string, string>()
  readonly #breakpoints = new Map<string, SourceBreakpoint[]>()
  readonly #waiting = new Map<number, { resolve(body: object): void, reject(error: Error): void }>()
  #thread: Duplex | null = null
  #filters: unknown = []
  #started = false
  #isStopped = false
  #asked = 0
  #sent = 0

  constructor(options: Options) {
    this.#options = options
  }

  /** Speaks to a new process from now on; resolves when all is set there that was set in the one before. */
  async speakTo(thread: Duplex): Promise<void> {
    this.#thread = thread
    createInterface({ input: thread }).on('line', line => { if (this.#thread === thread) this.#receive(JSON.parse(line) as FromThread) })
    for (const { reject } of this.#waiting.values()) reject(new GraftError('the process of the notebook has ended'))
    this.#waiting.clear()
    if (this.#isStopped) this.#tell('continued', { threadId, allThreadsContinued: true })
    // A process that does not answer in time runs cells without breakpoints.
    if (this.#started) await Promise.race([this.#restore(), sleep(patience, undefined, { ref: false })]).catch(() => {})
  }

  /** Answers a request; whatever goes wrong is an answer too. */
  async answer(request: DapRequest): Promise<DapResponse> {
    const { seq, command } = request, response = { type: 'response', request_seq: seq ?? 0, command: String(command) } as const
    try {
      const answer = Object.hasOwn(this.#commands, command) ? this.#commands[command] : null
      const body = await (answer ? answer(request.arguments ?? {}) : this.#ask(command, request.arguments ?? {}))
      return { ...response, seq: ++this.#sent, success: true, body }
    } catch (error) {
      return { ...response, seq: ++this.#sent, success: false, message: (error as Error).message, body: {} }
    }
  }

  readonly #commands: Record<string, (values: Arguments) => object | Promise<object>> = {
    initialize: async () => {
      await this.#ask('start', { ...this.#naming })
      this.#started = true
      return capabilities
    },
    attach: () => {
      this.#tell('initialized', {})
      return {}
    },
    configurationDone: () => ({}),
    threads: () => ({ threads: [{ id: threadId, name: 'Notebook' }] }),
    debugInfo: () => ({
      isStarted: this.#started, hashMethod: 'Murmur2', hashSeed: this.#naming.seed, tmpFilePrefix: this.#naming.prefix, tmpFileSuffix: this.#naming.suffix,
      breakpoints: [...this.#breakpoints].map(([source, breakpoints]) => ({ source, breakpoints })), stoppedThreads: this.#isStopped ? [threadId] : [],
      richRendering: true, exceptionPaths: ['TypeScript Exceptions'], copyToGlobals: true,
    }),
    dumpCell: ({ code }) => {
      if (typeof code !== 'string') throw new GraftError(`dumpCell: 'code' should be a string, received ${JSON.stringify(code)}`)
      const sourcePath = pathOf(this.#naming, code)
      this.#sources.set(sourcePath, code)
      return { sourcePath }
    },
    source: async ({ source }) => {
      const path = pathIn(source), content = this.#sources.get(path) ?? await readFile(path, 'utf8').catch(() => null)
      if (content === null) throw new GraftError(`there is no source '${path}'`)
      return { content, mimeType: 'text/typescript' }
    },
    setBreakpoints: async ({ source, breakpoints, lines }) => {
      const path = pathIn(source), asked = breakpoints ?? (Array.isArray(lines) ? lines.map(line => ({ line: Number(line) })) : [])
      if (!Array.isArray(asked) || !asked.every(each => Number.isInteger((each as SourceBreakpoint | null)?.line))) {
        throw new GraftError(`setBreakpoints: each of 'breakpoints' should have a line, received ${JSON.stringify(breakpoints)}`)
      }
      const answer = await this.#ask('setBreakpoints', { path, breakpoints: asked, code: this.#sources.get(path) }) as { breakpoints: Breakpoint[] }
      this.#breakpoints.set(path, asked.map((each: SourceBreakpoint, at) => ({ ...each, line: answer.breakpoints[at].line })))
      if (!asked.length) this.#breakpoints.delete(path)
      return answer
    },
    setExceptionBreakpoints: values => {
      this.#filters = values.filters
      return this.#ask('setExceptionBreakpoints', values)
    },
    copyToGlobals: async values => {
      for (const key of ['srcVariableName', 'dstVariableName']) {
        if (!/^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(String(values[key]))) throw new GraftError(`copyToGlobals: '${key}' should be a name, received ${JSON.stringify(values[key])}`)
      }
      const body = await this.#ask('copyToGlobals', values)
      this.#options.declare(String(values.dstVariableName))
      return body
    },
    disconnect: async () => {
      if (this.#started) await this.#ask('stop', {})
      this.#started = false
      this.#isStopped = false
      this.#breakpoints.clear()
      this.#filters = []
      return {}
    },
  }

  /** Asks the thread. */
  #ask(command: string, values: Arguments): Promise<object> {
    const thread = this.#thread, id = ++this.#asked
    if (!thread) throw new GraftError('there is no process to debug')
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      thread.write(`${JSON.stringify({ debug: id, command, values })}\n`)
    })
  }

  #receive(message: FromThread) {
    if ('event' in message) {
      if (message.event === 'stopped' || message.event === 'continued') this.#isStopped = message.event === 'stopped'
      return this.#tell(message.event, message.body)
    }
    const waiting = this.#waiting.get(message.debug)
    this.#waiting.delete(message.debug)
    if (message.error === undefined) waiting?.resolve(message.body ?? {})
    else waiting?.reject(new Error(message.error))
  }

  async #restore() {
    await this.#ask('start', { ...this.#naming })
    for (const [path, breakpoints] of this.#breakpoints) await this.#ask('setBreakpoints', { path, breakpoints, code: this.#sources.get(path) })
    await this.#ask('setExceptionBreakpoints', { filters: this.#filters })
  }

  #tell(event: string, body: object) {
    this.#options.publish({ type: 'event', seq: ++this.#sent, event, body })
  }
}

function pathIn(source: unknown): string {
  const path = (source as { path?: unknown } | null)?.path
  if (typeof path !== 'string') throw new GraftError(`expected a source with a path, received ${JSON.stringify(source)}`)
  return path
}
