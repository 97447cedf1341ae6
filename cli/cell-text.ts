import MagicString from 'magic-string'
import { parse } from '../kernel/cell/transpile.ts'
import { scopesOf, type Node } from '../kernel/language/scopes.ts'

/** One name that is imported: `imported` is the export's name, `default`, `*`, or empty for an import of nothing. */
export interface ImportLine {
  from: string
  imported: string
  local: string
  type: boolean
}

/** A cell's TypeScript, with where its names stand, so that they can be given others. */
export class CellText {
  /** Names that the cell declares at its top level, imports aside; and names that it takes from elsewhere. */
  readonly declared: string[] = []
  readonly free: string[] = []
  readonly #code: MagicString
  readonly #program: Node
  readonly #places = new Map<string, Set<number>>()
  readonly #shorthand = new Set<number>()

  /** @throws SourceError where the source cannot be read */
  constructor(source: string) {
    this.#code = new MagicString(source)
    this.#program = parse('cell.ts', source, { astType: 'ts', range: true }).program as unknown as Node
    const { declared, own, free } = scopesOf(this.#program)
    // An import's own mention goes away with its declaration.
    const declarations = declared.filter(({ kind }) => kind !== 'import')
    this.declared.push(...new Set(declarations.map(({ name }) => name)))
    this.free.push(...new Set(free.map(({ name }) => name)))
    for (const { name, start } of [...declarations, ...own, ...free])
      this.#places.set(name, (this.#places.get(name) ?? new Set()).add(start))
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
    for (const [name, places] of this.#places) {
      const own = names.get(name) ?? name
      if (own === name) continue
      for (const start of places)
        this.#code.overwrite(start, start + name.length, this.#shorthand.has(start) ? `${name}: ${own}` : own)
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
