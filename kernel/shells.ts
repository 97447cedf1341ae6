import { randomUUID } from 'node:crypto'
import { GraftError } from '../lib/error.ts'
import type { Request } from './request.ts'
import type { Header } from './wire/message.ts'

/** A queue of cells that run one after the other. */
export interface Shell {
  queue: Request[]
  /** The cell that runs, or is checked for its types. */
  current: Request | null
}

/**
 * The main shell and its subshells (JEP 91): cells of one run in order, those of several take turns wherever one waits. All run in one process
 * and share its names and one count of executions, by which errors tell a cell from all others.
 *
 * @example
 * const shells = new Shells()
 * const id = shells.create()
 * shells.of(header)   // the shell for a message; undefined where its subshell is unknown
 */
export class Shells {
  readonly #main: Shell = { queue: [], current: null }
  readonly #subshells = new Map<string, Shell>()
  /** Subshells that were deleted while a cell of theirs ran. */
  #ending: Shell[] = []

  /** Adds a subshell. @returns its id */
  create(): string {
    const id = randomUUID()
    this.#subshells.set(id, { queue: [], current: null })
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
    return this.all.flatMap(({ current }) => current ?? []).sort((a, b) => b.count - a.count || b.id - a.id)
  }

  /** The cell that runs under this number. */
  find(id: number): Request | undefined {
    for (const { current } of this.all) if (current?.id === id) return current
  }
}

/** What a message for a subshell that is not there is told. */
export const unknownSubshell = (id: unknown): string => `there is no subshell '${String(id)}': create_subshell_request makes one`
