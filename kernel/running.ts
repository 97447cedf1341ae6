import { AsyncLocalStorage } from 'node:async_hooks'
import { getEventListeners } from 'node:events'
import type { MimeBundle } from '../lib/host.ts'
import type { CellNumber } from './messages.ts'

/** A cell while it runs, and later as the owner of what it left behind (timers, promises): its output goes to it. */
export class RunningCell {
  readonly id: number
  readonly number: CellNumber
  readonly count: number
  /** Whether the front end can be asked for input. */
  readonly stdin: boolean
  readonly silent: boolean
  /** Work that must end before the cell does, such as values that show themselves by a promise. */
  readonly pending = new Set<Promise<unknown>>()
  /** Whether the running code watches {@link signal}: an interrupt then leaves it some time to stop by itself. */
  watched = false
  /** Whether it ran sections ({@link sectionBegins}): an interrupt is thrown at the next one, and that is soon. */
  hasSections = false
  /** What stores the values that its loops keep to themselves under the names they belong to: an interrupt evaluates it first. */
  stores = ''
  over = false
  interrupted = false
  /** What it sent to the pager. */
  readonly pages: MimeBundle[] = []
  /** What went wrong outside the cell's own flow: an unhandled rejection, an exception in a callback. */
  fault: { ename: string, evalue: string, traceback: string[] } | null = null
  readonly #controller = new AbortController()

  constructor({ id, number, count, stdin, silent }: { id: number, number: CellNumber, count: number, stdin: boolean, silent: boolean }) {
    this.id = id
    this.number = number
    this.count = count
    this.stdin = stdin
    this.silent = silent
  }

  /** Aborted when the cell is interrupted. */
  get signal(): AbortSignal {
    this.watched = true
    return this.#controller.signal
  }

  /** Whether the running code waits to be told of an interrupt, to end what it does in order. */
  get isListening(): boolean {
    return getEventListeners(this.#controller.signal, 'abort').length > 0
  }

  abort(reason: Error): void {
    this.#controller.abort(reason)
  }
}

const storage = new AsyncLocalStorage<RunningCell>()
let latest: RunningCell | null = null
const begun = new Set<number>(), remembered = 1000

/** The cell that the running code belongs to, also long after it ended; the latest one for code that belongs to none. */
export function ownCell(): RunningCell | null {
  return storage.getStore() ?? latest
}

/** Whether the running code belongs to a cell that was interrupted and is over: nothing that it left is to go on. */
export function hasEnded(): boolean {
  const cell = storage.getStore()
  return cell !== undefined && cell.interrupted && cell.over
}

/** Takes note that the running code begins a section; false where it must not, because its cell was interrupted and cannot tell by a signal. */
export function sectionBegins(): boolean {
  const cell = storage.getStore()
  if (!cell) return true
  cell.hasSections = true
  return !cell.interrupted || (cell.watched && !cell.over)
}

/** Whether the cell with this number has begun to run, as far as is remembered. */
export const hasBegun = (id: number): boolean => begun.has(id)

/** Runs `work`, and all that it sets off, as the cell's; code that belongs to none counts as the `latest` cell's from then on. */
export function runAs<T>(cell: RunningCell, work: () => T, { isLatest = true } = {}): T {
  if (isLatest) {
    latest = cell
    begun.add(cell.id)
    if (begun.size > remembered) for (const oldest of begun) { begun.delete(oldest); break }
  }
  return storage.run(cell, work)
}
