import { parse } from './parse.ts'
import { scopesOf, type Node } from './scopes.ts'

/** What a cell's top level declares under a name; a class or an enum is both a value and a type. */
export interface Declared {
  value: boolean
  type: boolean
  constant: boolean
  exported: boolean
  imported: boolean
  /** Where a variable or a function is named; -1 for what keeps its source (classes, enums, imports, types). */
  at: number
}
/** A name that a cell mentions and does not declare. */
export interface Free { written: boolean }

/** The names of one cell, as far as other cells are concerned. */
export interface CellNames {
  declared: Map<string, Declared>
  free: Map<string, Free>
  /** False where the source cannot be parsed; the names are then guessed from its words. */
  parsed: boolean
}

/** Finds what a cell of TypeScript declares and what it takes from elsewhere. Half-typed source gets a guess. */
export function namesOf(source: string): CellNames {
  if (!source.trim()) return { declared: new Map(), free: new Map(), parsed: true }
  const { program, errors } = parse(source, { astType: 'ts' })
  if (errors.length) return guess(source)
  const found = scopesOf(program as unknown as Node), exported = exportedNames(program.body as unknown as Statement[])
  const declared = new Map<string, Declared>(), free = new Map<string, Free>()
  for (const { name, meaning, kind, start } of found.declared) {
    const at = kind === 'import' || kind === 'other' ? -1 : start, known = declared.get(name)
    declared.set(name, {
      value: meaning !== 'type' || known?.value === true, type: meaning !== 'value' || known?.type === true, at: known && known.at >= 0 ? known.at : at,
      constant: known?.constant ?? (kind === 'const' || kind === 'import'), exported: exported.has(name), imported: kind === 'import',
    })
  }
  for (const { name, written } of found.free) free.set(name, { written: written || free.get(name)?.written === true })
  return { declared, free, parsed: true }
}

interface Statement {
  type: string
  declaration?: { type: string, id?: { name: string } | null, declarations?: { id: unknown }[] } | null
  source?: unknown
  specifiers?: { exported: { name?: string } }[]
}

function exportedNames(body: Statement[]): Set<string> {
  const names = new Set<string>()
  for (const { type, declaration, specifiers } of body) {
    if (type !== 'ExportNamedDeclaration') continue
    for (const s of specifiers ?? []) if (s.exported.name) names.add(s.exported.name)
    if (declaration?.id) names.add(declaration.id.name)
    for (const d of declaration?.declarations ?? []) bindings(d.id, names)
  }
  return names
}

function bindings(pattern: unknown, into: Set<string>): void {
  const { type, name, properties = [], elements = [], value, left, argument } = pattern as
    { type: string, name: string, properties?: unknown[], elements?: unknown[], value?: unknown, left?: unknown, argument?: unknown }
  if (type === 'Identifier') into.add(name)
  for (const part of [...properties, ...elements, value, left, argument]) if (part) bindings(part, into)
}

function guess(source: string): CellNames {
  const declared = new Map<string, Declared>()
  for (const [, kind, name] of source.matchAll(/\b(const|let|var|function\*?|class|enum|namespace|interface|type)\s+([A-Za-z_$][\w$]*)/g)) {
    const value = !/interface|type/.test(kind), type = !/const|let|var|function/.test(kind)
    declared.set(name, { value, type, constant: kind === 'const', exported: false, imported: false, at: -1 })
  }
  for (const [, names] of source.matchAll(/\b(?:const|let|var|import)\s+(?:type\s+)?(\{[^}]*\}|\[[^\]]*\]|\*\s*as\s+\w+)/g)) {
    for (const [name] of names.matchAll(/[A-Za-z_$][\w$]*(?!\s*:|\w|\s+as\b)/g)) {
      declared.set(name, { value: true, type: true, constant: true, exported: false, imported: false, at: -1 })
    }
  }
  const free = new Map<string, Free>()
  for (const [name] of source.matchAll(/(?<![\w$])[A-Za-z_$][\w$]*/g)) if (!declared.has(name)) free.set(name, { written: false })
  return { declared, free, parsed: false }
}
