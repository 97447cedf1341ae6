import { analyze } from '@typescript-eslint/scope-manager'
import MagicString from 'magic-string'
import { parse } from '../kernel/cell/transpile.ts'

/** One name that is imported: `imported` is the export's name, `default`, `*`, or empty for an import of nothing. */
export interface ImportLine {
  from: string
  imported: string
  local: string
  type: boolean
}

interface Node {
  type: string
  start: number
  end: number
  [key: string]: any
}
interface Identifier {
  name: string
  range: [number, number]
}

/** A cell's TypeScript, with where its names stand, so that they can be given others. */
export class CellText {
  /** Names that the cell declares at its top level, imports aside; and names that it takes from elsewhere. */
  readonly declared: string[] = []
  readonly free: string[] = []
  readonly #code: MagicString
  readonly #program: Node
  readonly #places = new Map<string, Identifier[]>()
  readonly #shorthand = new Set<number>()

  /** @throws SourceError where the source cannot be read */
  constructor(source: string) {
    this.#code = new MagicString(source)
    this.#program = parse('cell.ts', source, { astType: 'ts', range: true }).program as unknown as Node
    const { globalScope } = analyze(this.#program as never, { sourceType: 'module', lib: [] }),
      scope = globalScope!.childScopes[0]
    for (const variable of scope.variables) {
      if (!variable.defs.length) continue
      const isImport = variable.defs[0].type === 'ImportBinding'
      if (!isImport) this.declared.push(variable.name)
      // An import's own mention goes away with its declaration.
      const own = isImport ? [] : variable.identifiers
      this.#places.set(variable.name, [...own, ...variable.references.map(({ identifier }) => identifier)] as never)
    }
    for (const { identifier } of scope.through) {
      const name = String(identifier.name)
      if (!this.#places.has(name)) this.free.push(name)
      this.#places.set(name, [...(this.#places.get(name) ?? []), identifier as never])
    }
    this.#findShorthand(this.#program)
  }

  /** Removes the cell's imports and gives them back. */
  takeImports(): ImportLine[] {
    const lines: ImportLine[] = []
    for (const node of this.#program.body as Node[]) {
      if (node.type !== 'ImportDeclaration') continue
      const from = String(node.source.value),
        type = node.importKind === 'type'
      if (!node.specifiers.length) lines.push({ from, imported: '', local: `import ${from}`, type: false })
      for (const one of node.specifiers as Node[]) {
        const imported =
          one.type === 'ImportNamespaceSpecifier'
            ? '*'
            : one.type === 'ImportDefaultSpecifier'
              ? 'default'
              : (one.imported.name ?? one.imported.value)
        lines.push({ from, imported, local: one.local.name, type: type || one.importKind === 'type' })
      }
      this.#code.remove(node.start, node.end)
    }
    return lines
  }

  /** Has the value of the last statement shown, where it is an expression that may have one. */
  showLast(): boolean {
    const last = (this.#program.body as Node[]).filter(({ type }) => type !== 'EmptyStatement').at(-1)
    if (last?.type !== 'ExpressionStatement' || /^(Assignment|Update)Expression$/.test(last.expression.type)) return false
    const { start, end } = last.expression
    this.#code.appendLeft(start, 'await shown(')
    this.#code.appendRight(end, ')')
    return true
  }

  /** The text with each name as the program calls it. */
  renamed(names: Map<string, string>): string {
    const done = new Set<number>()
    for (const [name, identifiers] of this.#places) {
      const own = names.get(name) ?? name
      if (own === name) continue
      for (const {
        range: [start],
      } of identifiers) {
        if (done.has(start)) continue
        done.add(start)
        this.#code.overwrite(start, start + name.length, this.#shorthand.has(start) ? `${name}: ${own}` : own)
      }
    }
    return this.#code
      .toString()
      .trim()
      .replace(/\n{3,}/g, '\n\n')
  }

  /** Where `{ name }` stands for `{ name: name }`. */
  #findShorthand(node: unknown): void {
    if (Array.isArray(node)) return node.forEach(one => this.#findShorthand(one))
    if (!node || typeof node !== 'object') return
    const { type, shorthand, key } = node as Node
    if (type === 'Property' && shorthand) this.#shorthand.add(key.start)
    for (const [name, child] of Object.entries(node))
      if (name !== 'parent' && typeof child === 'object') this.#findShorthand(child)
  }
}
