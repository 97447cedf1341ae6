import { fileURLToPath } from 'node:url'
import MagicString from 'magic-string'
import { GraftError } from '../../lib/error.ts'
import type { Cells } from '../cell/cells.ts'
import { hotLoops } from '../cell/hot.ts'
import { isObjectLiteral } from '../cell/intent.ts'
import type { Output } from '../cell/output.ts'
import { scopeOf, type Node } from '../cell/scope.ts'
import { mappingOf, originalPosition, type Position } from '../cell/stack.ts'
import { parse, transpile } from '../cell/transpile.ts'
import { metadataOf, toBundle } from '../display/bundle.ts'
import type { CellNumber } from '../messages.ts'
import { insideName, partsName } from './symbols.ts'
import { textOf, Values, type Variable } from './values.ts'

// What the debugger asks of the main thread, through the inspector. It is loaded when the first question comes, and answers
// also while the notebook is paused, inside a loop as well; so nothing here waits.

/** What a script is, for whoever wrote it. */
export interface Source {
  /** The text as it was written; null where it is the script's own. */
  text: string | null
  /** A cell's number, or null for a file. */
  cell: CellNumber | null
  /** A file's path, or null for a cell. */
  path: string | null
}

const { cells, output } = (globalThis as unknown as Record<symbol, { cells: Cells, output: Output }>)[Symbol.for(partsName)]

/** What was shown while the notebook is paused, and what of its names was shown beside that. */
const paused = new Values(), listed = new Values()
const hits = new Map<number, number>()

const inside = {
  /** Cells are compiled so that all their names can be looked at, or as fast as they can be. */
  watch(isOn: boolean): void {
    hotLoops.off = isOn
  },

  /** The notebook has stopped: what it printed is to be seen. */
  stopped(): void {
    output.flush()
  },

  /** The notebook goes on: what was shown is no longer true. */
  goes(): void {
    paused.forget()
  },

  source(url: string): Source | null {
    const mapping = mappingFor(url)
    return mapping ? { text: mapping.source(), cell: mapping.number ?? null, path: mapping.path } : null
  },

  /** The places in the user's text of positions in a script, from 1; null for what the kernel added. */
  originals(url: string, positions: [line: number, column: number][]): (Position | null)[] {
    const mapping = mappingFor(url)
    return positions.map(([line, column]) => mapping ? originalPosition(mapping, line, column) : { line, column })
  },

  /** What a frame's names hold now; and, where it is a cell's own, what that cell declared. */
  locals(cell: CellNumber | null, names: Record<string, () => unknown>): number {
    const values = new Map<string, unknown>()
    for (const [name, value] of Object.entries(names)) {
      // A name whose declaration has not been reached cannot be looked at: it is not there yet.
      try { values.set(plain(name), value()) } catch {}
    }
    const self = values.get('this')
    if (self === undefined || self === globalThis) values.delete('this')
    if (cell !== null) for (const { name, value } of cells.declaredBy(cell)) if (!values.has(name)) values.set(name, value)
    return paused.keep(() => [...values])
  },

  /** All names in a frame's scopes, as they are called in the code that runs. */
  names: (...scopes: object[]): string[] => [...new Set(scopes.flatMap(scope => Object.keys(scope)))].filter(name => !isOwn(name)),

  /** The names that cells declared. */
  globals(): number {
    return paused.keep(namesOf)
  },

  /** The same beside a pause. */
  inspect(): Variable[] {
    listed.forget()
    return namesOf().map(([name, value]) => evaluated(listed.show(name, value)))
  },

  parts(reference: number): Variable[] {
    return reference < 0 ? listed.parts(-reference).map(evaluated) : paused.parts(reference)
  },

  /** Changes a property of what has this number. */
  assign(reference: number, name: string, value: unknown): void {
    const owner = paused.owner(reference)
    if (!owner || !Reflect.set(owner, name, value)) throw new GraftError(`cannot change '${name}' here`)
  },

  show(value: unknown, isPaused: boolean): Variable {
    return isPaused ? paused.show('', value) : evaluated(listed.show('', value))
  },

  text: textOf,

  /** How a value shows itself, where it can tell at once or need not be paused for. */
  bundle(value: unknown, isPaused: boolean): object | Promise<object> {
    const bundle = toBundle(value), complete = (data: object) => ({ data, metadata: metadataOf(data as never) })
    if (!(bundle instanceof Promise)) return complete(bundle)
    if (!isPaused) return bundle.then(complete)
    bundle.catch(() => {})
    return complete({ 'text/plain': textOf(value) })
  },

  /**
   * An expression as JavaScript, with its names as they are called in the code that runs.
   * @param locals names of the frame in which it is evaluated
   */
  script(source: string, locals: string[]): string {
    const { code } = transpile('cell.ts', isObjectLiteral(source) ? `(${source})` : source)
    const program = parse('cell.js', code, { lang: 'js', preserveParens: false }).program as unknown as Node
    const { mentions, awaits } = scopeOf(program)
    if (awaits) throw new GraftError('expected an expression without `await`: nothing can be waited for while the notebook is paused')
    const js = new MagicString(code)
    for (const { name, node, shorthand } of mentions) {
      const to = locals.includes(`${name}$using`) ? `${name}$using` : locals.includes(name) ? name : cells.nameOf(name)
      if (to !== name) js.overwrite(node.start, node.end, shorthand ? `${name}: ${to}` : to)
    }
    return js.toString()
  },

  /** Declares a name for the cells to come. */
  declare(name: string, value: unknown): void {
    cells.declare(name, value)
  },

  /** Whether a breakpoint that is to be passed a number of times stops now: `3`, `>= 3`, `% 3`. */
  hit(id: number, condition: string): boolean {
    const count = (hits.get(id) ?? 0) + 1
    hits.set(id, count)
    const [, operator = '', number] = /^\s*(>=?|==?=?|%|)\s*(\d+)\s*$/.exec(condition) ?? []
    if (number === undefined) return true
    if (operator === '%') return count % Number(number) === 0
    return operator === '>=' ? count >= Number(number) : operator === '>' ? count > Number(number) : count === Number(number)
  },

  /** Prints what a breakpoint is to say instead of stopping. */
  log(text: string): false {
    console.log(text)
    return false
  },
}

/** What the thread calls. */
export type Inside = typeof inside

Object.defineProperty(globalThis, Symbol.for(insideName), { value: inside, configurable: true })

/** What is listed beside a pause has numbers below 0, so that one look-up finds either. */
function evaluated(variable: Variable): Variable {
  return { ...variable, variablesReference: -variable.variablesReference || 0 }
}

const namesOf = (): [string, unknown][] => cells.declared.map(({ name, value }) => [name, value])

function mappingFor(url: string) {
  return mappingOf(url) ?? (url.startsWith('file:') ? mappingOf(fileURLToPath(url)) : undefined)
}

/** The kernel's own names, and the user's under the ones that they have in code that was rewritten. */
const isOwn = (name: string) => name === 'enter$cell' || name === 'resume$cell'
const plain = (name: string) => name.replace(/\$(hot|using)$/, '')
