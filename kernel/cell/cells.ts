import { createRequire, isBuiltin } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import vm from 'node:vm'
import type MagicString from 'magic-string'
import { GraftError } from '../../lib/error.ts'
import { displaySymbol } from '../../lib/host.ts'
import type { CellNumber } from '../messages.ts'
import { performance } from '../own.ts'
import { ownCell } from '../running.ts'
import { installAwaits } from './awaits.ts'
import { positionAt } from './frame.ts'
import { installConstants } from './constants.ts'
import { isObjectLiteral } from './intent.ts'
import { splitMagics, type Magic } from './magics.ts'
import { exportOf, importerOf, installModules, isOfTypes, type Importer } from './modules.ts'
import { constantKind, rewrite, type CellImport, type Earlier } from './rewrite.ts'
import { scopeOf, type Node, type Scope } from './scope.ts'
import { installStacks, originalPosition, rememberCell, type Mapping, type Position } from './stack.ts'
import { cellName, describe, placeError, type Described } from './traceback.ts'
import { installUsing } from './using.ts'
import { parse, readCell, SourceError, type ReadCell } from './transpile.ts'

/** What was there before any cell: a cell that declares such a name (`const performance = …`) gets one of its own instead. */
const builtins = new Set(Object.getOwnPropertyNames(globalThis))

/** What stands ready under these names is not on the global object: packages look there to find out where they run. */
const hidden = new Set(['Deno', '_', '__dirname', '__filename'])

interface Compiled {
  script: vm.Script
  imports: CellImport[]
  stores: string
  scope: Scope
  /** The position in the cell of an offset in its JavaScript. */
  locate(offset: number): Position
}

/**
 * Runs the cells of one notebook, in the process whose global object they share. TypeScript becomes one function per cell; the
 * names a cell declares at its top level are properties of the global object, so that later cells and earlier closures see them.
 *
 * @example
 * const cells = new Cells({ names: {}, folder: process.cwd() })
 * await cells.run('const a: number = 20', 1)     // { value: undefined }
 * await cells.run('a + 1', 2)                    // { value: 21 }
 */
export class Cells {
  readonly #names: Record<string, () => Promise<unknown>>
  readonly #folder: string
  readonly #import: Importer
  readonly #declared = new Map<string, { number: CellNumber, constant: boolean }>()
  /** The names that each cell declared. */
  readonly #declarations = new Map<CellNumber, string[]>()
  readonly #observed = new Set<string>()
  readonly #provided = new Set<string>()
  readonly #earlier: Earlier = {
    stored: name => builtins.has(name) ? `${name}$cell` : name,
    ready: name => hidden.has(name) ? `${name}$cell` : name,
    isConstant: name => this.#declared.get(name)?.constant ?? false,
    isDeclared: name => this.#declared.has(name),
    isObserved: name => this.#observed.has(name),
  }

  /**
   * @param options.names what stands ready under a name until the user declares it: each is loaded when a cell first mentions it
   * @param options.folder the notebook's folder, from which imports are resolved
   */
  constructor(options: { names: Record<string, () => Promise<unknown>>, folder: string }) {
    this.#names = options.names
    this.#folder = options.folder
    this.#import = importerOf(options.folder)
    installModules()
    installStacks()
    installAwaits()
    installUsing()
    const url = pathToFileURL(join(options.folder, 'notebook.ts')).href
    const require = createRequire(url)
    const resolve = (specifier: string) => isBuiltin(specifier) ? specifier : pathToFileURL(require.resolve(specifier)).href
    const meta = { url, filename: join(options.folder, 'notebook.ts'), dirname: options.folder, resolve }
    const own = globalThis as Record<PropertyKey, unknown>
    own[Symbol.for('graft.meta')] = meta
    this.latest = undefined
    this.#hide('__dirname', meta.dirname)
    this.#hide('__filename', meta.filename)
    installConstants(name => this.#declared.get(name)?.number)
    own.require = require
  }

  /**
   * Runs one cell and gives the value of its last expression, or of the last statement where that has one.
   *
   * @param number by which errors name the cell
   * @returns the value in a box, so that a promise stays a promise; `undefined` in it where there is nothing to show
   * @throws what the cell throws, or a SyntaxError; {@link Cells.describe} explains either
   */
  async run(source: string, number: CellNumber): Promise<{ value: unknown }> {
    const split = splitMagics(source)
    const value = split.magics.map(magic => this.#magic(magic)).findLast(v => v !== undefined)
    if (!split.source.trim()) return { value }
    const start = performance.now()
    try {
      return await this.#evaluate(split.source, number, source)
    } finally {
      if (split.magics.some(({ name }) => name === '%time')) console.log(`${(performance.now() - start).toFixed(1)} ms`)
    }
  }

  /** Keeps the latest value that was shown: `_` in later cells. */
  set latest(value: unknown) {
    this.#hide('_', value)
  }

  #hide(name: string, value: unknown) {
    Object.defineProperty(globalThis, this.#earlier.ready(name), { value, writable: true, configurable: true, enumerable: false })
  }

  /** The value of an expression on the side, as Jupyter's `user_expressions` ask for; errors name no cell. */
  evaluate(expression: string): Promise<{ value: unknown }> {
    return this.#evaluate(`(${expression}\n)`, 0)
  }

  /** @param text the source as it was written, with its magics */
  async #evaluate(source: string, number: CellNumber, text: string = source): Promise<{ value: unknown }> {
    const compiled = this.#compile(source, number, text)
    const { scope, imports } = compiled
    await this.#provide(scope)
    const values = await this.#load(imports, compiled, source, number)
    for (const [name, kind] of scope.declared) {
      this.#declared.set(name, { number, constant: constantKind(kind) })
      this.#provided.delete(name)
      define(this.#earlier.stored(name))
    }
    if (scope.declared.size) this.#declarations.set(number, [...scope.declared.keys()])
    for (const [name, value] of values) (globalThis as Record<string, unknown>)[this.#earlier.stored(name)] = value
    for (const m of scope.mentions) if (m.inFunction) this.#observed.add(m.name)
    const running = ownCell()
    if (running) running.stores = compiled.stores
    const cell = compiled.script.runInThisContext() as () => Promise<{ value: unknown } | undefined> | { value: unknown } | undefined
    const box = scope.awaits ? await cell() : cell() as { value: unknown } | undefined
    return box ?? { value: undefined }
  }

  /** The names that a cell declared, with their values now. */
  declaredBy(number: CellNumber): { name: string, constant: boolean, value: unknown }[] {
    const global = globalThis as Record<string, unknown>
    return (this.#declarations.get(number) ?? []).filter(name => this.#declared.get(name)?.number === number)
      .map(name => ({ name, constant: this.#earlier.isConstant(name), value: global[this.#earlier.stored(name)] }))
  }

  /** All names that cells declared, with their values now. */
  get declared(): { name: string, value: unknown }[] {
    const global = globalThis as Record<string, unknown>
    return [...this.#declared.keys()].map(name => ({ name, value: global[this.#earlier.stored(name)] }))
  }

  /** Declares a name beside the cells, as `let` would. */
  declare(name: string, value: unknown): void {
    this.#declared.set(name, { number: 0, constant: false })
    this.#provided.delete(name)
    define(this.#earlier.stored(name))
    ;(globalThis as Record<string, unknown>)[this.#earlier.stored(name)] = value
  }

  /** What a name of the user's is called in the code that runs. */
  nameOf(name: string): string {
    return this.#earlier.isDeclared(name) ? this.#earlier.stored(name) : this.#earlier.ready(name)
  }

  /** Explains anything a cell threw, at the lines of the cells' own TypeScript. */
  describe(error: unknown): Described {
    return describe(error, this.#folder, (thrown, line) => {
      const [, page] = thrown instanceof ReferenceError && /^(document|window|alert|localStorage|sessionStorage) is not defined$/.exec(thrown.message) || []
      if (page) return `Cells run in Node, not in a page: there is no \`${page}\`. Show things with console.log(…), display(…) or display.html(…).`
      if (!(thrown instanceof TypeError)) return ''
      const name = Object.keys(this.#names).find(n => this.#declared.has(n) && new RegExp(`(?<![.\\w$])${n}(?![\\w$])`).test(line))
      return name ? `\`${name}\` is yours since cell ${this.#declared.get(name)!.number}; the library's is \`graft.${name}\`.` : ''
    })
  }

  #magic({ name, args }: Magic): unknown {
    const { stored } = this.#earlier
    const global = globalThis as Record<string, unknown>
    switch (name) {
      case '%who':
        return Object.fromEntries([...this.#declared].map(([own, { number }]) => [own, `${kindOf(global[stored(own)])}, cell ${number}`]))
      case '%env': {
        const [, variable, value] = /^(\w+)\s*=\s*(.*)$/.exec(args) ?? []
        if (!variable) return args ? process.env[args] : { ...process.env }
        process.env[variable] = value
        return
      }
      case '%reset':
        for (const own of this.#declared.keys()) delete global[stored(own)]
        this.#declared.clear()
        this.#declarations.clear()
        this.latest = undefined
        this.#observed.clear()
        return
      case '%%html':
        return { [displaySymbol]: () => ({ 'text/html': args, 'text/plain': args }) }
    }
  }

  #compile(source: string, number: CellNumber, text: string): Compiled {
    const place = (at: Position, length: number) => ({ name: cellName(number), source, ...at, length })
    const object = isObjectLiteral(source)
    let js: ReadCell
    try {
      js = readCell(object ? `(${source})` : source)
    } catch (error) {
      if (error instanceof SourceError) placeError(error, place(positionAt(source, error.offset), error.end - error.offset))
      throw error
    }
    const scope = scopeOf(js.program)
    const { code, imports, stores } = rewrite(js.code, js.program, scope, this.#earlier)
    const mapping = cellMapping(number, text, js.mappings, code, object ? 1 : 0)
    const name = join(this.#folder, `Cell ${number}`)
    rememberCell(name, mapping)
    try {
      const script = new vm.Script(code.toString(), { filename: name, importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER })
      const locate = (offset: number) => {
        const { line, column } = positionAt(js.code, offset)
        return originalPosition({ ...mapping, first: undefined }, line, column) ?? { line: 1, column: 1 }
      }
      return { script, imports, stores, scope, locate }
    } catch (error) {
      // What only the engine finds (a wrong regular expression) has its place in the first lines of the stack.
      const [, line, marks] = /^.*:(\d+)\n.*\n( *)\^/.exec((error as Error).stack ?? '') ?? []
      const at = line ? originalPosition(mapping, Number(line), marks.length + 1) : null
      placeError(error, place(at ?? { line: 1, column: 1 }, 1))
      throw error
    }
  }

  /** Loads what the cell mentions of the ready names and the user has not declared. */
  async #provide(scope: Scope): Promise<void> {
    for (const { name } of scope.mentions) {
      if (!Object.hasOwn(this.#names, name) || this.#provided.has(name)) continue
      if (scope.declared.has(name) || this.#declared.has(name)) continue
      const value = await this.#names[name]()
      this.#provided.add(name)
      this.#hide(name, value)
    }
  }

  async #load(imports: CellImport[], { scope, locate }: Compiled, source: string, number: CellNumber): Promise<Map<string, unknown>> {
    const values = new Map<string, unknown>()
    for (const { specifier, names, node } of imports) {
      const isUsed = (name: string) => scope.mentions.some(m => m.name === name)
      try {
        const module = await this.#import(specifier)
        for (const { imported, local } of names) {
          const found = exportOf(module, imported)
          if (found) values.set(local, found.value)
          else if (isUsed(local)) throw new SyntaxError(`'${specifier}' has no export '${imported}'.`)
          else scope.declared.delete(local)
        }
      } catch (error) {
        if (names.length && names.every(({ local }) => !isUsed(local) && mentionsType(source, local)) && isOfTypes(specifier, this.#folder)) continue
        if (isOfImport(error)) placeError(error, { name: cellName(number), source, ...locate(node.start), length: node.end - node.start })
        throw error
      }
    }
    return values
  }
}

/** Makes room for a user's name; an accessor of Node's own (`crypto`, `navigator`) would swallow the value or slow it down. */
function define(name: string): void {
  const there = Object.getOwnPropertyDescriptor(globalThis, name)
  if (there && 'value' in there) return
  Object.defineProperty(globalThis, name, { value: undefined, writable: true, configurable: true, enumerable: true })
}

/** An import that cannot be resolved, or lacks a name: it has no place of its own. What a module throws while it runs has. */
const isOfImport = (error: unknown) => error instanceof SyntaxError || error instanceof GraftError ||
  ['ERR_MODULE_NOT_FOUND', 'ERR_UNSUPPORTED_DIR_IMPORT'].includes((error as { code?: string } | null)?.code ?? '')

/** The name stands somewhere else than in its import; as the JavaScript does not mention it, it is a type. */
function mentionsType(source: string, name: string): boolean {
  const isMentioned = (node: unknown): boolean => {
    if (typeof node !== 'object' || node === null) return false
    const { type, name: own } = node as Partial<Node>
    return type !== 'ImportDeclaration' && (type === 'Identifier' && own === name || Object.values(node).some(isMentioned))
  }
  return isMentioned(parse('cell.ts', source).program)
}

/** It holds what leads back to the text and nothing else of the cell: thousands of cells are remembered. */
function cellMapping(number: CellNumber, text: string, mappings: string | null, rewritten: MagicString, indent: number): Mapping & { number: CellNumber } {
  let code: MagicString | null = rewritten, written = ''
  const first = () => {
    if (code) written = code.generateMap({ hires: true }).mappings
    code = null
    return written
  }
  return { mappings, source: () => text, path: null, number, indent, first }
}

function kindOf(value: unknown): string {
  if (typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value))) return 'class'
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value
  return value.constructor?.name ?? 'object'
}
