import type { Duplex } from 'node:stream'
import type { Frame } from './frames.ts'
import { Child } from './child-process.ts'
import { spawnChild, type Spawned } from './child-spawn.js'
import { deathOf } from './death.ts'
import type { Described } from './cell/traceback.ts'
import type { History } from './history.ts'
import { Interruption } from './interruption.ts'
import type { ToKernel, ToldTypes } from './messages.ts'
import type { Request } from './request.ts'
import { Shells, unknownSubshell, type Shell } from './shells.ts'
import type { Types } from './types.ts'
import type { Header, Message } from './wire/message.ts'
import type { RequestChannel, Sockets } from './wire/sockets.ts'

/** A front end that takes output slowly holds the child back at this many bytes, until it has taken all but the second number. */
const most = 1 << 19, least = 1 << 17

const interrupted = { ename: 'Interrupted', evalue: 'the cell was interrupted', traceback: ['Interrupted: the cell was interrupted'] }

/** How long a process that called `process.exit` may take to end, in ms. */
const lastSteps = 1000

/** How many cells are remembered, so that what they print later reaches them. */
const remembered = 10_000

/**
 * The queues of cells and the process that runs them, one at a time for each shell. When that process dies, its cells get an error that explains,
 * the cells behind them are aborted, and a new process takes over.
 */
export class Executions {
  readonly #sockets: () => Sockets
  readonly #services: { history: () => Promise<History>, types: Types }
  readonly #parents = new Map<number, Header>()
  readonly #asides = new Map<number, Header>()
  readonly #comms = new Map<string, string>()
  readonly shells = new Shells()
  readonly interruption = new Interruption(this.shells, () => this.#child, (cell, text) => this.#print(cell, 'stderr', text))
  #child: Child
  #begun = 0
  #ids = 0
  #exitCode: number | null = null
  #errors = ''
  #failedStarts = 0
  #ended = false
  #threadListener: ((thread: Duplex) => Promise<void>) | null = null
  /** What a new process has to learn before it runs a cell. */
  #preparing: Promise<void> | null = null

  /** @param first the process with which to begin */
  constructor(first: Spawned, sockets: () => Sockets, services: { history: () => Promise<History>, types: Types }) {
    this.#sockets = sockets
    this.#services = services
    this.#child = this.#listenTo(first)
  }

  /** Queues an `execute_request`. */
  add(channel: RequestChannel, message: Message): void {
    const { code, silent, store_history, stop_on_error, allow_stdin, user_expressions } = message.content
    if (typeof code !== 'string') return this.#refuse(channel, message, 'TypeError', `'code' should be a string, received ${JSON.stringify(code)}`)
    const shell = this.shells.of(message.header)
    if (!shell) return this.#refuse(channel, message, 'GraftError', unknownSubshell(message.header.subshell_id))
    const expressions = typeof user_expressions === 'object' && user_expressions !== null ? user_expressions as Record<string, unknown> : {}
    shell.queue.push({
      id: this.#remember(message.header), channel, message, shell, begun: 0, count: 0, number: 0, told: false, question: null, code, silent: silent === true, store: silent !== true && store_history !== false,
      stopOnError: stop_on_error !== false, stdin: allow_stdin === true, expressions, running: false, check: null, interrupted: this.interruption.includes(message.header),
    })
    if (!shell.current) this.#next(shell)
  }

  /** Removes a subshell; the cells that wait there are aborted. @throws GraftError where there is none with this id */
  deleteSubshell(id: unknown): void {
    this.#abort(this.shells.delete(id))
  }

  /** Publishes a status; after another request's `idle`, a running cell's front end is told that the kernel is busy still. */
  status(state: 'busy' | 'idle', parent: Header): void {
    this.#sockets().publish({ type: 'status', content: { execution_state: state }, parent })
    const running = this.shells.running[0]?.message.header
    if (state === 'idle' && running && running !== parent) this.#sockets().publish({ type: 'status', content: { execution_state: 'busy' }, parent: running })
  }

  /** Hands an `input_reply` to the code that asked. */
  answer({ parent, content }: Message): void {
    const request = this.shells.running.find(({ question }) => question && (!parent.msg_id || parent.msg_id === question.asked.msg_id)), question = request?.question
    if (!question) return
    request.question = null
    const value = typeof content.value === 'string' ? content.value : null
    if (question.sync) this.#child.tell({ answer: value })
    else this.#child.send({ type: 'answer', question: question.number, value })
  }

  /** Hands a comm message to the child. */
  comm(kind: 'comm_open' | 'comm_msg' | 'comm_close', { header, content, buffers }: Message): void {
    const id = this.#remember(header)
    this.#asides.set(id, header)
    this.status('busy', header)
    const comm = String(content.comm_id)
    if (kind === 'comm_open') this.#comms.set(comm, String(content.target_name))
    if (kind === 'comm_close') this.#comms.delete(comm)
    this.#child.send({ type: 'comm', kind, cell: id }, [Buffer.from(JSON.stringify(content)), ...buffers])
  }

  /** The open comms, of one target or all, as `comm_info_reply` lists them. */
  comms(target: unknown): Record<string, { target_name: string }> {
    const open = [...this.#comms].filter(([, name]) => typeof target !== 'string' || target === name)
    return Object.fromEntries(open.map(([id, name]) => [id, { target_name: name }]))
  }

  /** Hands over the way to the interrupt thread of the process that runs cells, now and whenever a new one takes over; that one runs a cell when it is prepared. */
  onThread(listener: (thread: Duplex) => Promise<void>): void {
    this.#threadListener = listener
    void listener(this.#child.thread)
  }

  /** A name was declared beside the cells, by the debugger. */
  declare(name: string): void {
    this.#services.types.ran(`let ${name}: any`, this.shells.running[0]?.number ?? 0)
  }

  /** Ends the child. */
  end(): void {
    this.#ended = true
    this.#child.kill({ silent: true })
  }

  #listenTo(process: Spawned): Child {
    return new Child(process, {
      frame: frame => this.#take(frame),
      output: (name, spoken) => {
        // V8's inspector, which interrupts use, says this at the end of a process.
        const text = spoken.replace('Waiting for the debugger to disconnect...\n', '')
        if (!text) return
        if (name === 'stderr') this.#errors = (this.#errors + text).slice(-4000)
        this.#print(this.shells.running[0]?.id ?? this.#ids, name, text)
      },
      died: reason => this.#died(reason),
    })
  }

  #next(shell: Shell): void {
    const request = shell.current = shell.queue.shift() ?? null
    if (!request) return
    const { message: { header }, code, silent, store } = request
    if (store) shell.count++
    request.begun = ++this.#begun
    request.count = shell.count
    request.number = shell.number && shell.count ? `${shell.number}.${shell.count}` : shell.count
    // What cells of other shells declare can be seen while they run.
    for (const each of this.shells.running) if (each.running && each !== request) this.#tell(each)
    // The cell is on its way to the process that runs it before front ends are told that it begins.
    request.check = silent || request.interrupted ? null : this.#services.types.check(code, request.number)
    if (!request.check && !request.interrupted) this.#run(request)
    this.status('busy', header)
    if (!silent) this.#sockets().publish({ type: 'execute_input', content: { code, execution_count: request.count }, parent: header })
    if (request.interrupted) this.#fail(request, interrupted)
    else void request.check?.found.then(wrong => this.#checked(request, wrong))
  }

  #checked(request: Request, wrong: Described & { warning?: true } | null) {
    if (request.shell.current !== request) return
    request.check = null
    if (request.interrupted) return this.#fail(request, interrupted)
    if (wrong && !wrong.warning) return this.#fail(request, wrong)
    if (wrong) this.#print(request.id, 'stderr', `${wrong.traceback.join('\n')}\n`)
    this.#run(request)
  }

  #run(request: Request): void {
    if (this.#preparing) return void this.#preparing.then(() => this.#run(request))
    const { id, number, count, code, silent, stdin, expressions } = request
    request.running = true
    this.#child.send({ type: 'execute', cell: id, number, count, silent, stdin }, [Buffer.from(code), Buffer.from(JSON.stringify(expressions))])
  }

  #take({ header, parts }: Frame<ToKernel>) {
    if (header.type === 'publish') {
      if (header.comm?.target) this.#comms.set(header.comm.id, header.comm.target)
      else if (header.comm) this.#comms.delete(header.comm.id)
      this.#publish(header.cell, header.msgType, parts[0], header.metadata, parts.slice(1))
    } else if (header.type === 'done') this.#done(header, parts[0])
    else if (header.type === 'question') this.#ask(header)
    else if (header.type === 'aside') this.#endAside(header.cell)
    else if (header.type === 'exit') this.#exits(header.code)
    else this.#failedStarts = 0
  }

  #publish(cell: number, type: string, content: object, metadata: object = {}, buffers: Uint8Array[] = []) {
    this.#sockets().publish({ type, content, parent: this.#parents.get(cell) ?? {}, metadata, buffers })
    if (this.#sockets().backlog > most) {
      this.#child.pause()
      this.#sockets().onBelow(least, () => this.#child.resume())
    }
  }

  #print(cell: number, name: string, text: string) {
    this.#publish(cell, 'stream', { name, text })
  }

  #ask({ cell, question, prompt, password, sync }: Extract<ToKernel, { type: 'question' }>) {
    const request = this.shells.find(cell)
    if (!request) return
    const { header: parent, identities } = request.message
    const asked = this.#sockets().send('stdin', { type: 'input_request', content: { prompt, password }, parent, identities })
    request.question = { number: question, asked, sync }
  }

  #done({ cell, status, result, types }: Extract<ToKernel, { type: 'done' }>, content: Uint8Array) {
    const request = this.shells.find(cell)
    if (!request) return
    const reply = Buffer.concat([Buffer.from(`{"execution_count":${request.count},`), content.subarray(1)])
    this.#reply(request, reply, { failed: status === 'error', result, ran: () => this.#tell(request, types) })
  }

  /** Tells the types of what a cell declares, once, and what its values told of their own. */
  #tell(request: Request, types?: ToldTypes) {
    if (!request.told || types) this.#services.types.ran(request.code, request.number, types)
    request.told = true
  }

  /** Replies when all that the cell showed has left, notes down what was run, and goes on to the next cell. */
  #reply(request: Request, content: object, { failed, abort = false, result, ran }: { failed: boolean, abort?: boolean, result?: string, ran?: () => void }) {
    const { channel, message: { header: parent, identities }, shell, store, code, silent, count } = request
    this.#sockets().onPublished(() => {
      this.#sockets().send(channel, { type: 'execute_reply', content, parent, identities })
      shell.current = null
      this.status('idle', parent)
      if (store) void this.#services.history().then(history => history.add(count, code, result ?? null, shell.number))
      if (!silent) ran?.()
      if (abort || request.interrupted || (failed && request.stopOnError)) this.#abort(shell)
      if (request.interrupted) this.interruption.goOn()
      this.#next(shell)
    })
  }

  /** Aborts the cells that wait in a shell. */
  #abort({ queue, count }: Shell) {
    for (const { channel, message: { header: parent, identities } } of queue.splice(0)) {
      this.status('busy', parent)
      this.#sockets().send(channel, { type: 'execute_reply', content: { status: 'aborted', execution_count: count }, parent, identities })
      this.status('idle', parent)
    }
  }

  #refuse(channel: RequestChannel, { header: parent, identities }: Message, ename: string, evalue: string) {
    this.status('busy', parent)
    const content = { status: 'error', execution_count: this.shells.of(parent)?.count ?? 0, ename, evalue, traceback: [`${ename}: ${evalue}`] }
    this.#sockets().send(channel, { type: 'execute_reply', content, parent, identities })
    this.status('idle', parent)
  }

  #died(reason: { code: number | null, signal: NodeJS.Signals | null, wasReady: boolean }) {
    if (this.#ended) return
    const death = deathOf({ ...reason, exitCode: this.#exitCode, errors: this.#errors, asked: this.interruption.isUnderWay })
    this.#exitCode = null
    this.#errors = ''
    this.#comms.clear()
    for (const id of [...this.#asides.keys()]) this.#endAside(id)
    this.#services.types.reset()
    const { running } = this.shells
    if (!reason.wasReady && ++this.#failedStarts > 2 && !running.length) return
    this.interruption.reset()
    this.#child = this.#listenTo(spawnChild())
    this.#preparing = this.#threadListener?.(this.#child.thread).finally(() => { this.#preparing = null }) ?? null
    for (const request of running) this.#fail(request, death, { abort: true })
    if (!running.length) this.#print(this.#ids, 'stderr', `${death.evalue}\n`)
  }

  /** Takes note that the child is about to end itself, and sees to it that it does. */
  #exits(code: number) {
    const child = this.#child
    this.#exitCode = code
    setTimeout(() => child.kill(), lastSteps).unref()
  }

  /** Ends a cell with an error that did not come from the child. */
  #fail(request: Request, error: Described, { abort = false } = {}) {
    const { ename, evalue, traceback } = error
    this.#publish(request.id, 'error', { ename, evalue, traceback })
    this.#reply(request, { status: 'error', execution_count: request.count, ename, evalue, traceback, payload: [], user_expressions: {} }, { failed: true, abort })
  }

  #endAside(id: number) {
    const header = this.#asides.get(id)
    this.#asides.delete(id)
    if (header) this.status('idle', header)
  }

  #remember(header: Header): number {
    this.#parents.set(++this.#ids, header)
    this.#parents.delete(this.#ids - remembered)
    return this.#ids
  }
}
