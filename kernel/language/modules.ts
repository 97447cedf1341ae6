import { Archive } from './archive.ts'
import type { NotebookDocument } from './notebook.ts'

/** The name of the document through which the cells see each other. */
export const envName = '__env.ts'

/** The name by which documents speak of a cell. */
export const cellName = (cell: number): string => `__cell_${cell}`

/** The name by which documents speak of one of the library's names. */
export const libraryName = (name: string): string => `__graft_${name}`

/** The line that ties a document to the project. */
export const emptyModule = `import {} from './__env'; `

/** How many documents there are at first. */
const first = 16

/**
 * Which document holds which cell. There are few documents, since each costs time in every check: a cell begins in one of its own; what
 * cells declared is moved into an {@link Archive} in time, and their documents are free for cells to come.
 */
export class Modules {
  /** Where each cell is that counts still. */
  readonly #homes = new Map<number, { module: number, archive: Archive | null }>()
  readonly #free: number[] = []
  #archives: Archive[] = []
  /** So many cells have, or had, a home. */
  #housed = 0
  #size = 0
  #library: string[] = []
  #env: string | null = null

  constructor() {
    this.#grow(first)
    this.#assign(first - 1)
  }

  /** The name of the document that a cell has, or will have, to itself. */
  nameOf(cell: number): string {
    if (cell >= this.#housed) {
      if (this.#free.length < 2) this.#grow(this.#size)
      this.#assign(this.#free.length - 1)
    }
    return moduleName(this.#homes.get(cell)!.module)
  }

  /** Makes the library's names known to all documents. */
  useLibrary(names: Iterable<string>): void {
    this.#library = [...names]
    this.#env = null
  }

  /** The cell that a document holds, -1 for an archive. */
  cellIn(module: number): number {
    return [...this.#homes].findLast(([, home]) => home.module === module && !home.archive)?.[0] ?? -1
  }

  /** An archive with room for more cells. */
  archive(): Archive {
    const open = this.#archives.find(each => each.hasRoom)
    if (open) return open
    if (!this.#free.length) this.#grow(this.#size)
    const archive = new Archive(moduleName(this.#free.shift()!))
    this.#archives.push(archive)
    return archive
  }

  /** Takes note that cells stand in an archive now: their documents are free. */
  moved(cells: number[], archive: Archive): void {
    for (const cell of cells) {
      this.#free.push(this.#homes.get(cell)!.module)
      this.#homes.set(cell, { module: indexOf(archive.name), archive })
    }
    // One stays free, for the next archive.
    this.#assign(this.#free.length - 1)
  }

  /** Forgets cells. @returns the documents that changed by that */
  drop(cells: number[]): NotebookDocument[] {
    const changed = new Set<Archive>()
    for (const cell of cells) {
      const { module, archive } = this.#homes.get(cell)!
      this.#homes.delete(cell)
      archive?.remove([cell])
      if (archive) changed.add(archive)
      else this.#free.push(module)
    }
    const empty = this.#archives.filter(archive => archive.isEmpty)
    this.#archives = this.#archives.filter(archive => !archive.isEmpty)
    this.#free.push(...empty.map(({ name }) => indexOf(name)))
    this.#env = null
    return [...changed].map(({ name, isEmpty, text }) => ({ name, text: isEmpty ? emptyModule : text }))
  }

  /** The cells that have a home: all that were not dropped, and those to come. */
  get cells(): number[] {
    return [...this.#homes.keys()]
  }

  /** The names of all documents that cells may have. */
  get names(): string[] {
    return Array.from({ length: this.#size }, (_, module) => moduleName(module))
  }

  /**
   * The document through which cells see each other. What it imports changes only when the number of documents doubles: a language server
   * that finds the same imports in a changed document keeps its program.
   */
  get env(): string {
    return this.#env ??= this.#write()
  }

  #write(): string {
    const lines = this.names.map((name, module) => `import * as m${module} from './${name.slice(0, -3)}';`)
    // One by one: whoever imports a module as a whole pays for all its names, in each check.
    if (this.#library.length) {
      const single = this.#library.filter(name => name !== 'graft').map(name => `${name} as ${libraryName(name)}`)
      lines.push(`export { ${single.join(', ')} } from 'graft'; export * as ${libraryName('graft')} from 'graft';`)
    }
    for (const [cell, { module, archive }] of this.#homes) {
      lines.push(`export import ${cellName(cell)} = m${module}${archive ? `.${cellName(cell)}` : ''};`)
    }
    return lines.join('\n')
  }

  #grow(by: number) {
    for (let i = 0; i < by; i++) this.#free.push(this.#size++)
    this.#env = null
  }

  #assign(count: number) {
    for (const module of this.#free.splice(0, Math.max(0, count))) this.#homes.set(this.#housed++, { module, archive: null })
    this.#env = null
  }
}

const moduleName = (module: number) => `__module_${module}.ts`
const indexOf = (name: string) => Number(/\d+/.exec(name)![0])
