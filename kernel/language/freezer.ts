import type { Block } from './archive.ts'
import { Inferred } from './inferred.ts'
import type { CellDocument } from './notebook.ts'
import type { Overlay } from './overlay.ts'
import type { LanguageServer } from './server.ts'

/** How long nothing must run before cells are frozen, in ms; and how many wait at most, where cells follow each other at once. */
const pause = 60, most = 16

/** After so many cells those that nothing mentions any more are forgotten. */
const sweepAfter = 64

/**
 * Replaces the documents of cells that ran by their declarations ({@link freeze}), when nothing else is to be done, and moves those into
 * an archive. A frozen cell that TypeScript complains about keeps its document and its source.
 */
export class Freezer {
  readonly #server: LanguageServer
  readonly #inferred: Inferred
  #waiting: CellDocument[] = []
  /** The cells that wait or are worked at. */
  readonly #open = new Set<CellDocument>()
  #frozen = 0
  #timer: NodeJS.Timeout | undefined
  #working: Promise<void> = Promise.resolve()
  #overlay: Overlay

  /** @param overlay where the cells' documents are */
  constructor(server: LanguageServer, overlay: Overlay) {
    this.#server = server
    this.#overlay = overlay
    this.#inferred = new Inferred(server)
  }

  /** Takes in a cell that ran. */
  add(cell: CellDocument): void {
    this.#waiting.push(cell)
    this.#open.add(cell)
    clearTimeout(this.#timer)
    if (this.#waiting.length >= most) this.#work()
    else this.#timer = setTimeout(() => this.#work(), pause).unref()
  }

  /** Forgets what waits, and works in another overlay from now on. */
  moveTo(overlay: Overlay): void {
    this.stop()
    this.#overlay = overlay
  }

  /** Forgets what waits. */
  stop(): void {
    clearTimeout(this.#timer)
    this.#waiting = []
    this.#open.clear()
  }

  /** Settles when all that waits now is frozen. */
  done(): Promise<void> {
    clearTimeout(this.#timer)
    return this.#work()
  }

  #work(): Promise<void> {
    const cells = this.#waiting.splice(0), overlay = this.#overlay
    const over = () => { for (const cell of cells) this.#open.delete(cell) }
    if (!this.#server.running) over()
    if (!cells.length || !this.#server.running) return this.#working
    return this.#working = this.#working.then(() => this.#freeze(cells, overlay)).catch(() => {}).then(over).then(() => this.#sweep(cells.length))
  }

  async #freeze(cells: CellDocument[], overlay: Overlay) {
    // The types are asked for on another connection: this question makes sure that the server has read the documents.
    await overlay.ask('textDocument/documentSymbol', cells.at(-1)!.name)
    const types = await this.#inferred.types(new Map(cells.map(({ path, inferred }) => [path, inferred.map(({ at }) => at)])))
    const blocks: Block[] = []
    for (const cell of cells) {
      if (overlay !== this.#overlay) return
      const frozen = cell.frozen(types.get(cell.path) ?? [null])
      if (frozen && typeof frozen === 'object') blocks.push(frozen)
      if (typeof frozen !== 'string') continue
      overlay.set({ name: cell.name, text: frozen })
      if ((await errors(overlay, cell.name)).length && overlay === this.#overlay) overlay.set(cell)
    }
    if (blocks.length && overlay === this.#overlay) await this.#archive(blocks, overlay)
  }

  #sweep(cells: number) {
    this.#frozen += cells
    if (this.#frozen < sweepAfter) return
    this.#frozen = 0
    const changed = this.#overlay.notebook.sweep([...this.#open].map(({ cell }) => cell))
    this.#overlay.share()
    for (const document of changed) this.#overlay.set(document)
  }

  async #archive(blocks: Block[], overlay: Overlay) {
    const archive = overlay.notebook.archive()
    archive.add(blocks)
    overlay.share()
    overlay.set(archive)
    const found = new Set((await errors(overlay, archive.name)).map(({ range }) => archive.cellAt(range.start.line)))
    if (overlay !== this.#overlay) return
    const wrong = blocks.map(({ cell }) => cell).filter(cell => found.has(cell) || found.has(-1))
    if (wrong.length) {
      archive.remove(wrong)
      overlay.set(archive)
    }
    overlay.notebook.moved(blocks.map(({ cell }) => cell).filter(cell => !wrong.includes(cell)), archive)
    overlay.share()
  }
}

const errors = async (overlay: Overlay, name: string) => (await overlay.diagnose(name)).filter(({ severity }) => severity === 1)
