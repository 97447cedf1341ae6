import type { Diagnostic } from './check.ts'
import { Inferred } from './inferred.ts'
import type { CellDocument } from './notebook.ts'
import type { LanguageServer } from './server.ts'

/** How long nothing must run before cells are frozen, in ms; and how many wait at most, where cells follow each other at once. */
const pause = 60, most = 16

/**
 * Replaces the documents of cells that ran by their declarations ({@link freeze}), when nothing else is to be done. A frozen cell that
 * TypeScript complains about gets its source back.
 */
export class Freezer {
  readonly #server: LanguageServer
  readonly #inferred: Inferred
  #waiting: { cell: CellDocument, uri: string }[] = []
  #timer: NodeJS.Timeout | undefined
  #working: Promise<void> = Promise.resolve()
  #age = 0

  constructor(server: LanguageServer) {
    this.#server = server
    this.#inferred = new Inferred(server)
  }

  /** Takes in a cell that ran. */
  add(cell: CellDocument, uri: string): void {
    this.#waiting.push({ cell, uri })
    clearTimeout(this.#timer)
    if (this.#waiting.length >= most) this.#work()
    else this.#timer = setTimeout(() => this.#work(), pause).unref()
  }

  /** Forgets what waits. */
  clear(): void {
    clearTimeout(this.#timer)
    this.#waiting = []
    this.#age++
  }

  /** Settles when all that waits now is frozen. */
  done(): Promise<void> {
    clearTimeout(this.#timer)
    return this.#work()
  }

  #work(): Promise<void> {
    const cells = this.#waiting.splice(0), age = this.#age
    if (!cells.length || !this.#server.running) return this.#working
    return this.#working = this.#working.then(() => this.#freeze(cells, () => age === this.#age)).catch(() => {})
  }

  async #freeze(cells: { cell: CellDocument, uri: string }[], isCurrent: () => boolean) {
    // The types are asked for on another connection: this question makes sure that the server has read the documents.
    await this.#diagnose(cells.at(-1)!.uri)
    const types = await this.#inferred.types(new Map(cells.map(({ cell }) => [cell.path, cell.inferred.map(({ at }) => at)])))
    if (!isCurrent()) return
    const frozen = cells.filter(({ cell, uri }) => {
      const text = cell.frozen(types.get(cell.path) ?? [null])
      if (text !== null) this.#server.set(uri, text)
      return text !== null
    })
    for (const { cell, uri } of frozen) {
      const errors = (await this.#diagnose(uri)).filter(({ severity }) => severity === 1)
      if (errors.length && isCurrent()) this.#server.set(uri, cell.text)
    }
  }

  async #diagnose(uri: string): Promise<Diagnostic[]> {
    const report = await this.#server.request<{ items: Diagnostic[] } | null>('textDocument/diagnostic', { textDocument: { uri } })
    return report?.items ?? []
  }
}
