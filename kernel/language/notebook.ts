import { readFileSync, existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { freeze } from './freeze.ts'
import { namesOf, type CellNames } from './names.ts'

const root = join(import.meta.dirname, '..', '..')
const reserved = new Set(['undefined', 'arguments', 'globalThis', 'this', 'await', 'const'])

/** The name of the document that configures the notebook's project. */
export const configName = '__graft.json'

const header = `import * as $e from './__env'; `

interface Owner { cell: number, constant: boolean }

/** A cell that ran, as a document. */
export interface CellDocument {
  name: string
  path: string
  text: string
  /** The names whose types were inferred, with their places in the document. */
  inferred: { name: string, constant: boolean, at: number }[]
  /** The same cell with its types written down (in the order of `inferred`), or null where that would lose something. */
  frozen(types: (string | null)[]): string | null
}

/**
 * A notebook as TypeScript modules. Each cell that ran is a module which exports what it declares; `env` re-exports the newest
 * owner of every name; `live` is the cell that is typed or about to run, under one line that imports what it mentions. As that
 * line always names the same modules, the language server keeps its program from one keystroke to the next.
 */
export class Notebook {
  readonly #folder: string
  readonly #library: Set<string>
  readonly #values = new Map<string, Owner>()
  readonly #types = new Map<string, Owner>()
  readonly #dynamic = new Set<string>()
  readonly #counts: number[] = []
  #slots = 8
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

  /** The configuration: the folder's own tsconfig.json, with what cells need on top. */
  config(): string {
    const at = (path: string) => join(root, path)
    const own = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { dependencies: Record<string, string> }
    const near = createRequire(join(this.#folder, 'notebook.ts'))
    const paths: Record<string, string[]> = {
      'graft': [at('lib/index.ts')], '@graft-kernel/graft': [at('lib/index.ts')], 'tslab': [at('kernel/display/tslab.ts')],
    }
    for (const name of Object.keys(own.dependencies)) {
      if (!near.resolve.paths(name)?.some(path => existsSync(join(path, name)))) paths[name] = [at(`node_modules/${name}`)]
    }
    return JSON.stringify({
      ...existsSync(join(this.#folder, 'tsconfig.json')) ? { extends: './tsconfig.json' } : {},
      compilerOptions: {
        target: 'esnext', lib: ['esnext', 'dom', 'dom.iterable'], module: 'preserve', moduleResolution: 'bundler', moduleDetection: 'force',
        strict: true, noEmit: true, skipLibCheck: true, allowImportingTsExtensions: true, allowJs: true, checkJs: false,
        esModuleInterop: true, resolveJsonModule: true, isolatedModules: false, verbatimModuleSyntax: false, composite: false, incremental: false,
        noUnusedLocals: false, types: ['node'], typeRoots: [at('node_modules/@types')], paths,
      },
      files: ['__live.ts', configName, at('kernel/language/globals.d.ts')], include: [], references: [],
    })
  }

  /** The live document: the cell's own text from the second line on. `all` brings every name in, for completion. */
  live(source: string, all = false): string {
    const names = namesOf(source)
    const wanted = new Map([...all ? this.names() : []].map(name => [name, { written: false }]))
    for (const [name, free] of names.free) wanted.set(name, free)
    for (const name of names.declared.keys()) wanted.delete(name)
    const read: string[] = [], written: string[] = []
    for (const [name, free] of wanted) {
      const owner = this.#values.get(name)
      if (owner && free.written) written.push(`declare ${owner.constant ? 'const' : 'let'} ${name}: typeof $e.${name};`)
      else if (owner || this.#types.has(name)) read.push(name)
    }
    return `${header}import { ${read.join(', ')} } from './__env'; ${written.join(' ')}${this.#ambient(wanted.keys(), all)}\n${source}`
  }

  /** Takes in a cell that ran: its own document, which never changes again. */
  add(source: string, count: number): CellDocument | null {
    const names = namesOf(source)
    if (!names.parsed) return null
    const cell = this.#counts.push(count) - 1
    const prelude = this.#prelude(names)
    const inferred = [...names.declared].filter(([name, { at }]) => at >= 0 && !reserved.has(name))
      .map(([name, { at, constant }]) => ({ name, constant, at: prelude.length + 1 + at }))
    for (const [name, { value, type, constant }] of names.declared) {
      if (reserved.has(name)) continue
      // A class that is declared anew as a plain value is no type any more; an interface of the same name stays one.
      if (value && !type && this.#types.has(name) && this.#values.get(name)?.cell === this.#types.get(name)!.cell) this.#types.delete(name)
      if (value) this.#values.set(name, { cell, constant })
      if (type) this.#types.set(name, { cell, constant })
    }
    for (const [, name] of source.matchAll(/\bglobalThis\.([A-Za-z_$][\w$]*)\s*=(?!=)/g)) this.#dynamic.add(name)
    const name = `__cell_${cell}.ts`
    return {
      name, path: join(this.#folder, name), text: `${prelude}\n${source}\n${exportList(names)}`, inferred,
      frozen: types => {
        if (types.some(type => type === null)) return null
        const text = freeze(source, inferred.map(({ name, constant }, i) => ({ name, constant, type: types[i]! })))
        return text === null ? null : `${prelude}\n${text}\n${exportList(names, true)}`
      },
    }
  }

  /**
   * The document through which cells see each other, and the empty documents of cells to come. What it imports changes only when the
   * number of those doubles: a language server that finds the same imports in a changed document keeps its program.
   */
  env(): { name: string, text: string }[] {
    const documents: { name: string, text: string }[] = []
    while (this.#slots <= this.#counts.length) this.#slots *= 2
    const lines: string[] = []
    for (let cell = 0; cell < this.#slots; cell++) {
      if (cell >= this.#counts.length) documents.push({ name: `__cell_${cell}.ts`, text: header })
      lines.push(`import * as $${cell} from './__cell_${cell}'; export { $${cell} };`)
    }
    for (const name of this.names()) {
      const value = this.#values.get(name), type = this.#types.get(name)
      if (value && type && value.cell !== type.cell) {
        lines.push(`export declare const ${name}: typeof $${value.cell}.${name}; export type ${name} = $${type.cell}.${name};`)
      } else lines.push(`export import ${name} = $${(value ?? type)!.cell}.${name};`)
    }
    return [...documents, { name: '__env.ts', text: lines.join('\n') }]
  }

  /** Removes our own module names from what TypeScript says: `A (cell 3)`. */
  readable(message: string): string {
    const cellName = (_: string, cell: string, name = 'the module') => `${name} (cell ${this.#counts[Number(cell)]})`
    return message
      .replace(/(?:typeof )?import\("[^"]*__cell_(\d+)(?:\.ts)?"\)(?:\.([\w$]+))?/g, cellName)
      .replace(/import\("[^"]*__(?:env|live)(?:\.ts)?"\)\./g, '').replace(/\$e\.(?:\$\d+\.)?/g, '')
      .replace(/import\("[^"]*\/lib\/index(?:\.ts)?"\)/g, 'graft').replace(/\bgraft\.tf\./g, 'tf.')
      .replace(/import\("[^"]*\/node_modules\/((?:@[^/"]+\/)?[^/"]+)[^"]*"\)/g, 'import("$1")')
  }

  /** All names of earlier cells. */
  names(): string[] {
    return [...new Set([...this.#values.keys(), ...this.#types.keys()])]
  }

  /** The names of the library that no cell took, and that the live document does not import yet. */
  unloaded(): string[] {
    return this.#usesLibrary ? [] : [...this.#library].filter(name => !this.#values.has(name))
  }

  #prelude({ free }: CellNames): string {
    const taken: string[] = []
    for (const [name, { written }] of free) {
      const value = this.#values.get(name), type = this.#types.get(name)
      const from = (owner: Owner) => `$e.$${owner.cell}.${name}`
      if (value && (written || (type && type.cell !== value.cell))) {
        taken.push(`declare ${value.constant ? 'const' : 'let'} ${name}: typeof ${from(value)};`)
        if (type) taken.push(`type ${name} = ${from(type)};`)
      } else if (value ?? type) taken.push(`import ${name} = ${from((value ?? type)!)};`)
    }
    return header + taken.join(' ') + this.#ambient(free.keys(), false)
  }

  #ambient(wanted: Iterable<string>, all: boolean): string {
    const taken = (name: string) => this.#values.has(name) || this.#types.has(name)
    const mentioned = new Set(wanted)
    const free = [...this.#library].filter(name => !taken(name)), used = free.filter(name => mentioned.has(name))
    if (used.length) this.#usesLibrary = true
    const named = (all ? free : used).filter(name => name !== 'graft')
    const whole = free.includes('graft') ? ` import * as graft from 'graft';` : ''
    const library = this.#usesLibrary ? ` import { ${named.join(', ')} } from 'graft';${whole}` : ''
    const dynamic = [...this.#dynamic].filter(name => mentioned.has(name) && !taken(name)).map(name => ` declare let ${name}: any;`).join('')
    return library + dynamic
  }
}

function exportList({ declared }: CellNames, all = false): string {
  return `export { ${[...declared].filter(([name, { exported }]) => (all || !exported) && !reserved.has(name)).map(([name]) => name).join(', ')} }`
}
