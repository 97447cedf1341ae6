import { MessageChannel } from 'node:worker_threads'
import type { Cells } from './cell/cells.ts'
import { Interrupted } from './cell/interrupted.ts'
import type { Output } from './cell/output.ts'
import { metadataOf, toBundle } from './display/bundle.ts'
import type { CellNumber, ToChild, ToKernel, ToldTypes } from './messages.ts'
import { clearTimeout, nextTick, parse, Promise, setTimeout, stringify } from './own.ts'
import { ownCell, runAs, RunningCell } from './running.ts'
import { vital } from './vital.ts'

type Request = Extract<ToChild, { type: 'execute' }>
interface Options {
  cells: Cells
  output: Output
  /** What values told of their TypeScript types (`Host.typeOf`). */
  toldTypes: WeakMap<object, string>
  send: (header: ToKernel, parts: Uint8Array[]) => void
  /** Called a while after a cell, when no other began. */
  rested: () => void
}

/** So long after a cell, in ms, the process rests. */
const rest = 1000

type Outcome = { reply: { results: object, text?: unknown } } | { error: unknown }

/**
 * Runs cells, from the request to the reply's content: one at a time for each subshell, which take turns where they wait. Whatever ends a cell
 * first counts; the rest goes unheard.
 */
export class Executor {
  readonly #running = new Map<number, RunningCell>()
  readonly #options: Options
  readonly #port = new MessageChannel()
  readonly #outcomes = new Map<RunningCell, Outcome>()
  #resting: NodeJS.Timeout | undefined

  constructor(options: Options) {
    this.#options = options
    this.#port.port2.on('message', vital(() => this.#conclude()))
    this.#port.port2.unref()
  }

  /** A cell that runs now. */
  get current(): RunningCell | null {
    return this.#running.values().next().value ?? null
  }

  /** The cell with this number, if it runs now; any, for 0. */
  find(id: number): RunningCell | null {
    return id ? this.#running.get(id) ?? null : this.current
  }

  /** Starts a cell when all that came with its message is taken: an interrupt may cut off whatever called it. */
  start(request: Request, code: Uint8Array, expressions: Uint8Array): void {
    clearTimeout(this.#resting)
    const cell = new RunningCell({ ...request, id: request.cell })
    nextTick(vital(() => this.#run(cell, Buffer.from(code).toString(), parse(Buffer.from(expressions).toString()) as Record<string, string>)))
  }

  /** Ends the cell with an error, if it runs still. */
  end(cell: RunningCell, error: unknown): void {
    this.#settle(cell, { error })
  }

  /** Takes an error that nobody caught, for the cell whose code caused it. */
  fault(error: unknown): void {
    const cell = ownCell()
    // An interrupted cell's functions end with the interrupt, which was said already.
    if (cell?.over && cell.interrupted && error instanceof Interrupted) return
    if (cell) cell.fault ??= this.#publishError(cell, error)
  }

  /** Handles a message of a front end's beside the cells; what it prints belongs to that message. */
  runAside(id: number, work: () => void): void {
    const owner = new RunningCell({ id, number: 0, count: 0, stdin: false, silent: false })
    runAs(owner, () => {
      try {
        work()
      } catch (error) {
        this.fault(error)
      }
    }, { isLatest: false })
    this.#options.output.flush()
    this.#options.send({ type: 'aside', cell: id }, [])
  }

  #run(cell: RunningCell, code: string, expressions: Record<string, string>) {
    this.#running.set(cell.id, cell)
    runAs(cell, () => this.#work(cell, code, expressions).then(reply => this.#settle(cell, { reply }), error => this.#settle(cell, { error })))
  }

  /** All that may run user code: the cell, how its value shows itself, and the expressions. */
  async #work(cell: RunningCell, code: string, expressions: Record<string, string>) {
    const { cells, output } = this.#options
    const { value } = await cells.run(code, cell.number)
    const data = value === undefined || cell.silent ? null : await toBundle(value)
    while (cell.pending.size) await Promise.all(cell.pending)
    if (data) {
      output.publish('execute_result', { execution_count: cell.count, data, metadata: metadataOf(data) }, { cell, hold: !Object.keys(expressions).length })
      cells.latest = value
      if (cell.interrupted) output.write('stderr', 'The cell was interrupted; what it had so far is `_`.\n')
    }
    const results: Record<string, unknown> = {}
    for (const [name, expression] of Object.entries(expressions)) results[name] = await this.#expression(expression, cell)
    return { results, text: data?.['text/plain'] }
  }

  async #expression(expression: string, cell: RunningCell) {
    try {
      const { value } = await this.#options.cells.evaluate(expression)
      const data = await toBundle(value)
      return { status: 'ok', data, metadata: metadataOf(data) }
    } catch (error) {
      return { status: 'error', ...this.#options.cells.describe(error) }
    }
  }

  #settle(cell: RunningCell, outcome: Outcome) {
    if (cell.over) return
    cell.over = true
    this.#outcomes.set(cell, outcome)
    // Rejections that nobody handled are reported between now and the next turn: they are this cell's. Immediates may be lost in an interrupt.
    this.#port.port1.postMessage(null)
  }

  #conclude() {
    for (const [cell, outcome] of this.#outcomes) {
      this.#outcomes.delete(cell)
      this.#reply(cell, outcome)
    }
  }

  #reply(cell: RunningCell, outcome: Outcome) {
    const { output, send } = this.#options
    const failure = 'error' in outcome ? this.#publishError(cell, outcome.error) : cell.fault
    output.flush()
    const payload = cell.pages.map(data => ({ source: 'page', data, start: 0 }))
    const content = failure ? { status: 'error', ...failure, payload, user_expressions: {} } :
      { status: 'ok', payload, user_expressions: 'reply' in outcome ? outcome.reply.results : {} }
    const result = 'reply' in outcome && typeof outcome.reply.text === 'string' ? outcome.reply.text.slice(0, 1000) : undefined
    this.#running.delete(cell.id)
    if (!this.#running.size) this.#resting = setTimeout(this.#options.rested, rest).unref()
    send({ type: 'done', cell: cell.id, status: failure ? 'error' : 'ok', result, types: this.#toldTypes(cell.number) }, [Buffer.from(stringify(content))])
  }

  #toldTypes(number: CellNumber): ToldTypes | undefined {
    const told = this.#options.cells.declaredBy(number).flatMap(({ name, constant, value }) => {
      const type = this.#options.toldTypes.get(value as object)
      return type ? [[name, `${constant ? 'const' : 'let'} ${name}: ${type}`]] : []
    })
    return told.length ? Object.fromEntries(told) as ToldTypes : undefined
  }

  #publishError(cell: RunningCell, error: unknown) {
    const described = this.#options.cells.describe(error)
    this.#options.output.publish('error', described, { cell })
    return described
  }
}
