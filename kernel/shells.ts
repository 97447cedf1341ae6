import { randomUUID } from 'node:crypto'
import { GraftError } from '../lib/error.ts'
import type { Request } from './request.ts'
import type { Header } from './wire/message.ts'

/** A queue of cells that run one after the other. */
export interface Shell {
  /** 0 is the main shell; subshells are numbered as they are made. */
  readonly number: number
  /** How many cells ran here and went into its history. */
  count: number
  queue: Request[]
  /** The cell that runs, or is checked for its types. */
  current: Request | null
}

/**
 * The main shell and its subshells (JEP 91): cells of one run in order, those of several take turns wherever one waits. All run in one process
 * and share its names; each has a count of executions and a history of its own. Errors call the third cell of the first subshell `Cell 1.3`.
 *
 * @example
 * const shells = new Shells()
 * const id = shells.create()
 * shells.of(header)   // the shell for a message; undefined where its subshell is unknown
 */
export class Shells {
  readonly #main = shell(0)
  readonly #subshells = new Map<string, Shell>()
  /** Subshells that were deleted while a cell of theirs ran. */
  #ending: Shell[] = []
  #made = 0

  /** Adds a subshell. @returns its id */
  create(): string {
    const id = randomUUID()
    this.#subshells.set(id, shell(++this.#made))
    return id
  }

  /** Removes a subshell: its running cell goes on to its end. @throws GraftError where there is none with this id */
  delete(id: unknown): Shell {
    const shell = this.#subshells.get(String(id))
    if (!shell) throw new GraftError(unknownSubshell(id))
    this.#subshells.delete(String(id))
    this.#ending = [...this.#ending.filter(each => each.current), shell]
    return shell
  }

  get ids(): string[] {
    return [...this.#subshells.keys()]
  }

  of({ subshell_id: id }: Header): Shell | undefined {
    return id === undefined || id === null ? this.#main : this.#subshells.get(String(id))
  }

  get all(): Shell[] {
    return [this.#main, ...this.#subshells.values(), ...this.#ending]
  }

  /** The cells that run now, the one that began last first. */
  get running(): Request[] {
    return this.all.flatMap(({ current }) => current ?? []).sort((a, b) => b.begun - a.begun)
  }

  /** The cell that runs under this number. */
  find(id: number): Request | undefined {
    for (const { current } of this.all) if (current?.id === id) return current
  }
}

const shell = (number: number): Shell => ({ number, count: 0, queue: [], current: null })

/** What a message for a subshell that is not there is told. */
export const unknownSubshell = (id: unknown): string => `there is no subshell '${String(id)}': create_subshell_request makes one`
