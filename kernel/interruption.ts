import type { Child } from './child-process.ts'
import type { Shells } from './shells.ts'
import type { Header } from './wire/message.ts'

/** How long an interrupt may take before the user is told how to go further, and how long a forced one before the process is ended, in ms. */
const patience = 2000

const slowly = 'The cell is in a step that must end first. Interrupt again to break it off; where even that fails, a new process starts and variables are lost.\n'

/** Interrupts the running cells, one after the other: each by itself may be what keeps the process busy. */
export class Interruption {
  readonly #shells: Shells
  readonly #child: () => Child
  readonly #warn: (cell: number, text: string) => void
  #since = 0
  #request: Header | null = null

  /**
   * @param child the process that runs the cells now
   * @param warn tells the user of a cell what to do
   */
  constructor(shells: Shells, child: () => Child, warn: (cell: number, text: string) => void) {
    this.#shells = shells
    this.#child = child
    this.#warn = warn
  }

  /** Whether a running cell is being interrupted. */
  get isUnderWay(): boolean {
    return this.#since > 0
  }

  /** Interrupts all that runs. Asked again after a while in vain, it is forced, in the end by a new process. @param request the message that asks for it */
  ask(request?: Header): void {
    const { running } = this.#shells
    this.#request = request ?? null
    if (!running.length) return this.#child().tell({ interrupt: 0 })
    for (const each of running) {
      each.interrupted = true
      if (!each.running) each.check?.stop()
    }
    this.#next()
  }

  /** Whether an interrupt that was sent after this cell came before it, by its own channel. */
  includes({ session, date }: Header): boolean {
    return this.#request?.session === session && Date.parse(date) < Date.parse(this.#request.date)
  }

  /** A cell that was interrupted has ended: the next one's turn. */
  goOn(): void {
    this.#since = 0
    this.#next()
  }

  /** The process has ended, and all cells with it. */
  reset(): void {
    this.#since = 0
  }

  #next() {
    const current = this.#shells.running.find(each => each.running && each.interrupted), child = this.#child()
    if (!current) return
    const force = this.#since > 0 && performance.now() - this.#since > patience
    child.tell({ interrupt: current.id, force })
    if (this.#since && !force) return
    this.#since = performance.now()
    setTimeout(() => {
      if (current.shell.current !== current || this.#child() !== child) return
      if (force) child.kill()
      else this.#warn(current.id, slowly)
    }, patience).unref()
  }
}
