import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { CellNumber } from '../messages.ts'
import type { Archive, Block } from './archive.ts'
import { freeze } from './freeze.ts'
import { cellName, libraryName, Modules } from './modules.ts'
import { namesOf, type CellNames } from './names.ts'

const reserved = new Set(['undefined', 'arguments', 'globalThis', 'this', 'await', 'const'])

interface Owner { cell: number, constant: boolean }

/** A document of the notebook. */
export interface NotebookDocument { name: string, text: string }

/** A cell that ran, as a document. */
export interface CellDocument extends NotebookDocument {
  /** Its place among the cells that ran, from 0. */
  cell: number
  path: string
  /** The names whose types were inferred, with their places in the document. */
  inferred: { name: string, constant: boolean, at: number }[]
  /**
   * The same cell with its types written down (in the order of `inferred`): a block for an archive or, where it imports something, again a
   * document of its own. Null where something would get lost.
   */
  frozen(types: (string | null)[]): Block | string | null
}

/**
 * A notebook as TypeScript modules. Each cell that ran is a module which exports what it declares, or a namespace in an archive; the
 * newest owner of every name is known here. The cell that is typed or about to run is the next module, under one line that takes what it
 * mentions from the others. As that line names one module alone, the language server keeps its program from one keystroke to the
 * next, and from one cell to the next.
 */
export class Notebook {
  readonly #folder: string
  readonly #library: Set<string>
  readonly #modules = new Modules()
  readonly #values = new Map<string, Owner>()
  readonly #types = new Map<string, Owner>()
  readonly #dynamic = new Set<string>()
  readonly #numbers: CellNumber[] = []
  /** Which other cells a cell's document speaks of. */
  readonly #mentions = new Map<number, Set<number>>()
  #usesLibrary = false

  /** @param library the names a cell finds without declaring them */
  constructor(folder: string, library: Iterable<string>) {
    this.#folder = folder
    this.#library = new Set(library)
  }

  /** The URI of one of the notebook's documents. */
  uri(name: string): string {
    return pathToFileURL(join(this.#folder, name)).href
  }

  /** The cell that is typed or about to run: its own text from the second line on. `all` brings every name in, for completion. */
  live(source: string, all = false): NotebookDocument {
    const names = namesOf(source), wanted = new Map(names.free)
    if (all) for (const name of this.names()) if (!names.declared.has(name)) wanted.set(name, wanted.get(name) ?? { written: false })
    return { name: this.#modules.nameOf(this.#numbers.length), text: this.#text(source, names, this.#prelude(source, wanted, all ? names.declared : null)) }
  }

  /** Whether a cell imports anything or uses the library. */
  reachesOut(source: string): boolean {
    return /\b(import|export|require|declare)\b/.test(source) || [...namesOf(source).free.keys()].some(name => this.#library.has(name))
  }

  /** Takes in a cell that ran: its own document, which is the one it had before. */
  add(source: string, number: CellNumber): CellDocument | null {
    const names = namesOf(source)
    if (!names.parsed) return null
    const prelude = this.#prelude(source, names.free, null), cell = this.#numbers.push(number) - 1, name = this.#modules.nameOf(cell)
    const inferred = [...names.declared].filter(([name, { at }]) => at >= 0 && !reserved.has(name))
      .map(([name, { at, constant }]) => ({ name, constant, at: prelude.length + 1 + at }))
    for (const [name, { value, type, constant }] of names.declared) {
      if (reserved.has(name)) continue
      // A class that is declared anew as a plain value is no type any more; an interface of the same name stays one.
      if (value && !type && this.#types.has(name) && this.#values.get(name)?.cell === this.#types.get(name)!.cell) this.#types.delete(name)
      if (value) this.#values.set(name, { cell, constant })
      if (type) this.#types.set(name, { cell, constant })
    }
    for (const name of putOnGlobal(source)) this.#dynamic.add(name)
    this.#mentions.set(cell, new Set(cellsIn(prelude)))
    return {
      cell, name, path: join(this.#folder, name), text: this.#text(source, names, prelude), inferred,
      frozen: types => this.#frozen(cell, source, names, prelude, inferred.map(({ name, constant }, i) => ({ name, constant, type: types[i] }))),
    }
  }

  #text(source: string, names: CellNames, prelude: string): string {
    return `${prelude}\n${source}${names.parsed ? `\n${exportList(names)}` : ''}`
  }

  #frozen(cell: number, source: string, names: CellNames, prelude: string, types: { name: string, constant: boolean, type: string | null }[]) {
    const known = types.flatMap(({ type, ...rest }) => type === null ? [] : { ...rest, type: this.#amongCells(type) })
    const frozen = known.length === types.length ? freeze(source, known) : null
    if (!frozen) return null
    const declared = frozen.declarations.join('\n')
    const [header, aliases] = [prelude.slice(0, prelude.indexOf(';') + 1), prelude.slice(prelude.indexOf(';') + 1)]
    const others = new Set(`${header}${declared}`.match(/\b__cell_\d+\b|\b__graft_\w+(?: as \w+)?/g))
    for (const other of cellsIn(`${header}${declared}`)) this.#mentions.get(cell)!.add(other)
    if (!frozen.rest.length) return { cell, text: `export namespace ${cellName(cell)} {${aliases}\n${declared}\n}`, others }
    const imported = [...names.declared].filter(([name, { imported }]) => imported && !reserved.has(name)).map(([name]) => name)
    return `${headerOf(others)}${aliases}\n${frozen.rest.join('\n')}\n${declared}\nexport { ${imported.join(', ')} }`
  }

  /** An archive with room for more cells. */
  archive(): Archive {
    return this.#modules.archive()
  }

  /** Takes note that cells stand in an archive now. */
  moved(cells: number[], archive: Archive): void {
    this.#modules.moved(cells, archive)
  }

  /**
   * Forgets the cells that nothing can mention any more: what they declared was declared anew, and no cell that counts speaks of them. A
   * notebook whose cells are run over and over stays as small as it is.
   * @param busy cells whose documents are worked at
   * @returns the documents that changed by that
   */
  sweep(busy: Iterable<number>): NotebookDocument[] {
    const kept = new Set([...busy, ...[...this.#values.values(), ...this.#types.values()].map(({ cell }) => cell)])
    for (const cell of kept) for (const other of this.#mentions.get(cell) ?? []) kept.add(other)
    const gone = this.#modules.cells.filter(cell => cell < this.#numbers.length && !kept.has(cell))
    for (const cell of gone) this.#mentions.delete(cell)
    return gone.length ? this.#modules.drop(gone) : []
  }

  /** The names of all documents that cells have or may have. */
  get modules(): string[] {
    return this.#modules.names
  }

  /** The document through which cells see each other. */
  get env(): string {
    return this.#modules.env
  }

  /** Removes our own module names from what TypeScript says: `A (cell 3)` or, where it is not `told`, `A`. */
  readable(message: string, told = true): string {
    const nameOf = (cell: number, name = 'the module') => told && this.#numbers[cell] !== undefined ? `${name} (cell ${this.#numbers[cell]})` : name
    return this.#amongCells(message.replace(/\btypeof (?=import\("[^"]*\/__module_\d+(?:\.ts)?"\))/g, ''))
      .replace(/\b__cell_(\d+)(?:\.([\w$]+))?/g, (_, cell: string, name?: string) => nameOf(Number(cell), name))
      .replace(/\b__graft_(?=\w)/g, '')
      .replace(/import\("[^"]*\/lib\/index(?:\.ts)?"\)/g, 'graft').replace(/\bgraft\.tf\./g, 'tf.')
      .replace(/import\("[^"]*\/node_modules\/((?:@[^/"]+\/)?[^/"]+)[^"]*"\)/g, 'import("$1")')
  }

  /** Replaces the modules in a type by the cells they hold: `import("/folder/__module_3").A` → `__cell_7.A`. */
  #amongCells(type: string): string {
    return type.replace(/import\("[^"]*\/__env(?:\.ts)?"\)\./g, '').replace(/import\("[^"]*\/__module_(\d+)(?:\.ts)?"\)(?:\.(?=__cell_))?/g,
      (whole, module: string) => whole.endsWith('.') ? '' : cellName(this.#modules.cellIn(Number(module))))
  }

  /** All names of earlier cells. */
  names(): string[] {
    return [...new Set([...this.#values.keys(), ...this.#types.keys()])]
  }

  /** The names of the library that no cell took, as long as no cell used one. */
  unloaded(): string[] {
    return this.#usesLibrary ? [] : [...this.#library].filter(name => !this.#values.has(name))
  }

  /**
   * The first line of a document: what it mentions of other cells and of the library, and puts on globalThis.
   * @param besides the names that the document declares, where all names of the library are to be brought in
   */
  #prelude(source: string, free: CellNames['free'], besides: Map<string, unknown> | null): string {
    const taken: string[] = [], spaces = new Set<string>(), own = putOnGlobal(source)
    const from = (owner: Owner, name: string) => {
      spaces.add(cellName(owner.cell))
      return `${cellName(owner.cell)}.${name}`
    }
    const names = new Set(free.keys())
    for (const [name, { written }] of free) {
      const value = this.#values.get(name), type = this.#types.get(name)
      if (value && (written || (type && type.cell !== value.cell))) {
        taken.push(`declare ${value.constant ? 'const' : 'let'} ${name}: typeof ${from(value, name)};`)
        if (type) taken.push(`type ${name} = ${from(type, name)};`)
      } else if (value ?? type) taken.push(`import ${name} = ${from((value ?? type)!, name)};`)
      else if (!this.#library.has(name) && (own.has(name) || this.#dynamic.has(name))) taken.push(`declare let ${name}: any;`)
    }
    for (const name of this.#library) {
      if (this.#values.has(name) || this.#types.has(name)) continue
      if (!(besides && this.#usesLibrary ? !besides.has(name) : names.has(name))) continue
      if (!this.#usesLibrary) this.#modules.useLibrary(this.#library)
      this.#usesLibrary = true
      spaces.add(`${libraryName(name)} as ${name}`)
    }
    // A name behind `import a = b;` and a line break would be completed as if it belonged to that statement; an empty one comes between.
    return `${headerOf(spaces)} ${taken.join(' ')};`
  }
}

/** The cells that a text speaks of. */
const cellsIn = (text: string): number[] => [...text.matchAll(/\b__cell_(\d+)\b/g)].map(([, cell]) => Number(cell))

/** The names that a cell gives values to as `globalThis.name = …`, or `(globalThis as any).name = …`. */
const putOnGlobal = (source: string) => new Set([...source.matchAll(/\bglobalThis(?:\s+as\s+[^()]*\))?\.([A-Za-z_$][\w$]*)\s*=(?!=)/g)].map(([, name]) => name))

const headerOf = (spaces: Iterable<string>) => `import { ${[...spaces].join(', ')} } from './__env';`

function exportList({ declared }: CellNames): string {
  return `export { ${[...declared].filter(([name, { exported }]) => !exported && !reserved.has(name)).map(([name]) => name).join(', ')} }`
}
