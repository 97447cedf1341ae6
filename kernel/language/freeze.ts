import type { Comment } from 'oxc-parser'
import { parse } from './parse.ts'

interface Statement {
  type: string
  start: number
  end: number
  declare?: boolean
  kind?: string
  id?: { name: string } | null
  declaration?: Statement | null
}

/** What a top-level name is in its frozen form: how it is declared, and its type. */
export interface FrozenName { name: string, constant: boolean, type: string }

/** Longer types stay unwritten: to read them again would cost more than to infer them. */
const longest = 2000

/** A cell as declarations alone. */
export interface Frozen {
  /** All that it exports. */
  declarations: string[]
  /** Imports, and what adds to the global scope or to another module. */
  rest: string[]
}

/**
 * A cell that ran, as declarations alone: `const n = f(x)` becomes `export declare const n: T`, so that nothing is inferred twice, however many
 * cells follow. What declares types keeps its source, and so do documentation comments.
 *
 * @param names the value names of variables and functions, with the types that TypeScript inferred
 * @returns null where the source says more than the types would: a type that holds `any` or refers to itself, and the widening of literals
 * @example
 * freeze('const n = [1].length', [{ name: 'n', constant: true, type: 'number' }])   // { declarations: ['export declare const n: number;'], rest: [] }
 */
export function freeze(source: string, names: FrozenName[]): Frozen | null {
  const { program, comments, errors } = parse(source, { astType: 'ts' })
  if (errors.length) return null
  const documented = new Map<string, string>()
  const declarations: string[] = [], rest: string[] = []
  for (const outer of program.body as unknown as Statement[]) {
    const statement = outer.type.startsWith('Export') ? outer.declaration : outer
    if (!statement) continue
    const text = source.slice(statement.start, statement.end)
    if (isOutward(statement, text)) rest.push(text)
    else if (keepsSource(statement)) declarations.push(`${commentBefore(source, comments, outer.start)}export ${text}`)
    else for (const name of namesIn(statement)) documented.set(name, commentBefore(source, comments, outer.start))
  }
  for (const { name, constant, type } of names) {
    const declared = declaration(name, constant, type)
    if (!declared) return null
    declarations.push(`${documented.get(name) ?? ''}export ${declared}`)
  }
  return { declarations, rest }
}

/** Whether a statement may stand at a module's top level alone. */
const isOutward = ({ type }: Statement, text: string) => /^(Import|TSImportEquals|TSGlobal)/.test(type) || /^declare\s+(global\b|module\s*["'])/.test(text)

/** Whatever declares a type; variables and functions do not. */
function keepsSource({ type, declare, id }: Statement): boolean {
  return declare === true || /^TS(Interface|TypeAlias|Enum|Module)/.test(type) || (type === 'ClassDeclaration' && !!id)
}

function namesIn(statement: Statement & { declarations?: { id: { type: string, name?: string } }[] }): string[] {
  if (statement.id) return [statement.id.name]
  return statement.declarations?.flatMap(({ id }) => id.name ?? []) ?? []
}

function commentBefore(source: string, comments: Comment[], start: number): string {
  const comment = comments.findLast(({ end }) => end <= start)
  if (comment?.type !== 'Block' || !comment.value.startsWith('*') || source.slice(comment.end, start).trim()) return ''
  return `/*${comment.value}*/ `
}

function declaration(name: string, constant: boolean, type: string): string | null {
  const ofItself = new RegExp(`typeof ${name.replace(/\$/g, '\\$')}(?![\\w$])`)
  if (type.length > longest || /\bany\b/.test(type) || ofItself.test(type)) return null
  // A constant's literal type widens where it is copied (`let y = x`); only a source of that form says so.
  if (isLiteral(type)) return constant ? `const ${name} = ${type};` : null
  if (topLevelParts(type).some(isLiteral)) return null
  const end = signatureEnd(type)
  if (constant || end < 0) return `declare ${constant ? 'const' : 'let'} ${name}: ${type};`
  return `declare function ${name}${type.slice(0, end)}: ${type.slice(end + 4)};`
}

const isLiteral = (type: string) => /^(-?\d[\d._e+n]*|"(?:[^"\\]|\\.)*"|true|false)$/.test(type)

/** The members of a union at its top level. */
function topLevelParts(type: string): string[] {
  const parts: string[] = []
  let from = 0
  scan(type, (i, depth) => {
    if (depth === 0 && type.startsWith(' | ', i)) {
      parts.push(type.slice(from, i))
      from = i + 3
    }
    return false
  })
  return [...parts, type.slice(from)]
}

/** Where the ` => ` of a single signature stands, or -1. */
function signatureEnd(type: string): number {
  if (type[0] !== '(' && type[0] !== '<') return -1
  return scan(type, (i, depth) => depth === 0 && type.startsWith(' => ', i) && type[i - 1] === ')')
}

/** Walks through a type outside its strings, with the depth of brackets; gives the first place where `stop` is true. */
function scan(type: string, stop: (i: number, depth: number) => boolean): number {
  let depth = 0
  for (let i = 0; i < type.length; i++) {
    const c = type[i]
    if (c === '"') { for (i++; i < type.length && type[i] !== '"'; i++) if (type[i] === '\\') i++; continue }
    if (stop(i, depth)) return i
    if ('([{<'.includes(c)) depth++
    else if (')]}'.includes(c) || (c === '>' && type[i - 1] !== '=')) depth--
  }
  return -1
}
