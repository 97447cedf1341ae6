import { executionAsyncResource } from 'node:async_hooks'
import { Session } from 'node:inspector'
import { types } from 'node:util'
import { MessageChannel, Worker } from 'node:worker_threads'
import { performance, setTimeout } from '../own.ts'
import { hasBegun, ownCell, sectionBegins, type RunningCell } from '../running.ts'
import { Interrupted } from './interrupted.ts'

/** Numbers shared with the interrupt thread. `syncChild` is 1 while the main thread waits for a process of its own, and 2 once that was interrupted. */
export const shared = { turned: 0, syncChild: 1, answered: 2, length: 3, size: 4 } as const

/** The name under which the interrupt thread finds {@link Interrupts} on the main thread. */
export const hookName = 'graft.interrupt'

/**
 * How long code that watches its signal may take to stop by itself, in ms: code that looks at it now and then, and code that listens to it and
 * has something to tidy up; and after which time the signal is aborted inside a loop.
 */
const grace = 500, tidying = 10_000, patience = 30

/** How long library code between two sections is left alone, and how long code that uses them may take to come to one, in ms. */
const between = 300

/** After so many ms, what a loop's copies had is stored again before the loop is ended. */
const stale = 50

/** What all results of `setImmediate` inherit from. */
const immediates = Object.getPrototypeOf(setImmediate(() => {})) as object

/** What Node's `processImmediate` does at the end of a callback, evaluated in its frame: one that is cut off would be met again, for ever. */
const nextImmediate = 'try { outstandingQueue.head = immediate._idleNext } catch {}'

/** What the thread learns of an interrupt: over, to be asked for again, or what is to be evaluated in the cell's frame first. */
export type State = 'over' | 'waiting' | 'deferred' | 'stopping' | { store: string }

/**
 * Stops a running cell and keeps its state, whatever it does: a loop, a loop after `await`, a callback, a promise that never settles.
 *
 * A thread of its own hears the request and has a function called on the main thread, inside the loop that runs there, through the inspector.
 * That function clears Node's stack of asynchronous calls by an exception that nobody sees, and has V8 terminate the running code; without
 * the first step Node would abort. The cell itself is ended in a later turn of the event loop, through a message port, which survives both.
 */
export class Interrupts {
  readonly numbers = new Int32Array(new SharedArrayBuffer(4 * shared.size))
  readonly answer = new Uint8Array(new SharedArrayBuffer(1 << 16))
  readonly #find: (id: number) => RunningCell | null
  readonly #end: (cell: RunningCell, error: Interrupted) => void
  readonly #session = new Session()
  readonly #port: MessageChannel = new MessageChannel()
  readonly #kernel = new URL('..', import.meta.url).href
  readonly #restore: (() => void)[] = []
  #worker: Worker | null = null
  /** Sections and work of the kernel's own on the stack, which a termination takes with it, and sections that are promises. */
  #sync = 0
  #async = 0
  /** When the outermost section began; when the latest long one began, and until when what it belongs to is left alone. */
  #entered = 0
  #long = { entered: 0, grace: 0 }
  #wanted = false
  #asked = 0
  #id = 0
  #forced = false
  #heard = 0
  #turned = false
  #grace = grace
  #stack = ''
  #cut = false
  #realNextTick: typeof process.nextTick | null = null

  /**
   * @param find the cell with a number, if it runs now; any, for 0
   * @param end ends it with an error
   */
  constructor(find: (id: number) => RunningCell | null, end: (cell: RunningCell, error: Interrupted) => void) {
    this.#find = find
    this.#end = end
  }

  /** Starts the thread. */
  start(): void {
    this.#session.connect()
    this.#port.port2.on('message', (request: number) => this.#turn(request))
    this.#port.port2.unref()
    Object.defineProperty(globalThis, Symbol.for(hookName), { value: (...request: [number, number, number, boolean, number]) => this.#hook(...request) })
    this.#worker = new Worker(new URL('../main.js', import.meta.url), { argv: ['--interrupt-thread'], workerData: { numbers: this.numbers, answer: this.answer } })
    this.#worker.unref()
  }

  /** Does beforehand, while no cell runs, what an interrupt would have to wait for. */
  prepare(): void {
    this.#worker?.postMessage('prepare')
  }

  /**
   * Runs `work` as a section: an interrupt waits for its end, and is then thrown there. For work that must not be torn, such as a training
   * step or the writing of a file. A section that returns a promise lasts until it settles. None begins after the interrupt, unless it is
   * `closing` what an earlier one opened.
   */
  section<T>(work: () => T, { closing = false } = {}): T {
    if (this.#depth === 0) {
      if (!sectionBegins() && !closing) throw new Interrupted()
      this.#entered = performance.now()
    }
    this.#sync++
    let isAsync = false
    try {
      const result = work()
      if (!types.isPromise(result)) return result
      isAsync = true
      this.#async++
      return result.finally(() => {
        this.#async--
        this.#leave()
      }) as T
    } finally {
      this.#sync--
      if (!isAsync) this.#leave()
    }
  }

  /** Has `restore` called in the clean turn of the event loop after each interrupt. */
  afterwards(restore: () => void): void {
    this.#restore.push(restore)
  }

  /** Runs the kernel's own work, which an interrupt must not tear; the interrupt follows at its end. */
  guard<T>(work: () => T): T {
    this.#sync++
    try {
      return work()
    } finally {
      this.#sync--
      if (this.#depth === 0 && this.#wanted) this.#terminate()
    }
  }

  /** Runs `work`, which waits for a process of its own without turning the event loop. */
  whileSyncChild<T>(work: () => T): T {
    Atomics.store(this.numbers, shared.syncChild, 1)
    try {
      return work()
    } finally {
      if (Atomics.exchange(this.numbers, shared.syncChild, 0) === 2) throw new Interrupted()
    }
  }

  /** Asks, and blocks until the front end has answered; null where it dismissed the question. */
  waitForAnswer(ask: () => void): string | null {
    Atomics.store(this.numbers, shared.answered, 0)
    ask()
    while (Atomics.load(this.numbers, shared.answered) === 0) {
      Atomics.wait(this.numbers, shared.answered, 0, patience)
      if (ownCell()?.interrupted) throw new Interrupted()
    }
    const length = Atomics.load(this.numbers, shared.length)
    return length < 0 ? null : Buffer.from(this.answer.slice(0, length)).toString()
  }

  /** How many sections and pieces of the kernel's own work are under way. */
  get #depth(): number {
    return this.#sync + this.#async
  }

  #leave() {
    if (this.#depth > 0) return
    const now = performance.now()
    if (now - this.#entered > between) this.#long = { entered: this.#entered, grace: now + this.#grace + (now - this.#entered) / 4 }
    if (!this.#wanted) return
    this.#wanted = false
    throw new Interrupted()
  }

  /** Code that watches its signal stops by itself: after the section in which the interrupt met it, when it has seen the signal. */
  #mayStopByItself(elapsed: number): boolean {
    const now = performance.now(), end = now - elapsed + this.#grace
    if (this.#depth > 0 && this.#entered < end) return true
    return now < (this.#long.entered < end ? Math.max(end, this.#long.grace) : end)
  }

  /** Called inside whatever runs now, `elapsed` ms after the request; copies were stored `saved` ms after it, or never (-1). */
  #hook(request: number, id: number, elapsed: number, force: boolean, saved: number): State {
    const cell = this.#find(id)
    if (id && !hasBegun(id)) {
      // The request came by a faster way than the cell that it is for, or something that an earlier cell left behind keeps that from starting.
      if (elapsed > patience && this.#innermost() === 'user') this.#terminate()
      return 'waiting'
    }
    if (id ? !cell || cell.over : cell) return 'over'
    if (request !== this.#asked) {
      this.#asked = request
      this.#id = id
      this.#forced = force
      this.#heard = elapsed
      this.#turned = false
      this.#stack = ''
      this.#cut = false
      this.#grace = cell?.isListening ? tidying : grace
      this.#port.port1.postMessage(request)
    }
    if (cell) cell.interrupted = true
    if (cell?.stores && saved < 0) return { store: cell.stores }
    if (cell?.watched && !force && this.#mayStopByItself(elapsed)) {
      if (elapsed > patience) cell.abort(new Interrupted())
      return 'waiting'
    }
    if (this.#depth > 0 && !force) {
      this.#wanted = true
      return 'deferred'
    }
    const stuck = elapsed - this.#heard > patience && !this.#turned
    if (stuck) this.#dropTicks()
    // The kernel's and Node's own work is soon done and must not be torn. A loop of promises is seldom met with its own code on the stack, but it
    // keeps the event loop from turning.
    const whose = this.#innermost()
    if (whose === 'library' && !force && (this.#grace === tidying || elapsed - this.#heard < between)) return 'waiting'
    if (whose !== 'user' && whose !== 'library' && !(whose === 'nobody' && stuck)) return 'waiting'
    const inImmediate = Object.getPrototypeOf(executionAsyncResource()) === immediates
    // Most callbacks of `setImmediate` end by themselves, and the cell soon after.
    if (inImmediate && !force && !stuck) return 'waiting'
    const store = `${cell?.stores ?? ''}${inImmediate ? nextImmediate : ''}`
    if (store && (saved < 0 || elapsed - saved > stale)) return { store }
    this.#terminate()
    return 'stopping'
  }

  /** Called in a clean turn of the event loop after an interrupt. */
  #turn(request: number) {
    this.#turned = true
    if (this.#realNextTick) process.nextTick = this.#realNextTick
    this.#realNextTick = null
    for (const restore of this.#restore) this.guard(restore)
    const cell = this.#id ? this.#find(this.#id) : null, error = new Interrupted()
    if (this.#stack) error.stack = this.#stack
    const over = () => { Atomics.store(this.numbers, shared.turned, request) }
    if (!cell) return over()
    cell.abort(error)
    let waited = false
    const end = () => {
      if (this.#depth > 0 && request === this.#asked && !this.#forced) {
        waited = true
        return setTimeout(end, 5)
      }
      if (waited && cell.watched && !this.#cut) {
        waited = false
        return setTimeout(end, this.#grace)
      }
      this.#wanted = false
      this.#end(cell, error)
      over()
    }
    if (cell.watched && !this.#cut) setTimeout(end, this.#grace)
    else if (cell.hasSections && !this.#cut) setTimeout(end, between)
    else end()
  }

  #terminate() {
    this.#wanted = false
    this.#cut = true
    this.#sync = 0
    const sentinel = new Error()
    process.setUncaughtExceptionCaptureCallback(() => {})
    ;(process as unknown as { _fatalException(error: Error): void })._fatalException(sentinel)
    process.setUncaughtExceptionCaptureCallback(null)
    this.#session.post('Runtime.terminateExecution')
  }

  /** Whose code runs, by the innermost frame that is not Node's; it remembers where the user's is. */
  #innermost(): 'user' | 'library' | 'kernel' | 'node' | 'nobody' {
    const { prepareStackTrace, stackTraceLimit } = Error
    Error.stackTraceLimit = 100
    Error.prepareStackTrace = (_, sites) => sites
    const sites = new Error().stack as unknown as NodeJS.CallSite[]
    Error.prepareStackTrace = prepareStackTrace
    Error.stackTraceLimit = stackTraceLimit
    const fileOf = (site: NodeJS.CallSite) => site.getFileName() ?? ''
    const files = sites.map(fileOf)
    // Below the frames of this hook, and of the expression that called it, is what was interrupted.
    const below = files.findLastIndex((file, at) => file === '' && files.slice(0, at).every(each => each.startsWith(this.#kernel))) + 1
    const rest = files.slice(below).filter(Boolean), owner = rest.find(file => !file.startsWith('node:'))
    const users = sites.slice(below).filter(site => fileOf(site) && !/^node:/.test(fileOf(site)) && !fileOf(site).startsWith(this.#kernel))
    if (users.length) this.#stack ||= String(prepareStackTrace?.(new Interrupted(), users) ?? '')
    if (owner) return owner.startsWith(this.#kernel) ? 'kernel' : isLibrary(owner) ? 'library' : 'user'
    return rest.every(file => file.startsWith('node:internal/process/')) ? 'nobody' : 'node'
  }

  /** Endless `process.nextTick` recursion never lets the loop turn: while an interrupt waits, new ticks of user code are dropped. */
  #dropTicks() {
    if (this.#realNextTick) return
    this.#realNextTick = process.nextTick
    process.nextTick = () => {}
  }
}

const library = new URL('../../lib/', import.meta.url).href

/** Code that uses sections itself: ours, and TensorFlow.js. */
const isLibrary = (file: string) => file.startsWith(library) || /[\\/]node_modules[\\/]@tensorflow[\\/]/.test(file)
