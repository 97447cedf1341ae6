import MagicString from 'magic-string'
import { awaitsHead, guardAwaits } from './awaits.ts'
import { constants } from './constants.ts'
import { hotLoopsOf, hotName, hotStores, keepHotNamesLocal } from './hot.ts'
import type { Kind, Mention, Node, Scope } from './scope.ts'

/** One name that a cell takes from a module: `imported` is `default`, `*` or the export's name. */
export interface ImportedName { imported: string, local: string, node: Node }
/** One static import of a cell, in source order. */
export interface CellImport { specifier: string, names: ImportedName[], node: Node }

/** What earlier cells leave for the rewriting of the next one. */
export interface Earlier {
  /** The name under which the user's own `name` lives, where it is not `name` itself. */
  stored(name: string): string
  /** The name under which what stands ready as `name` is found. */
  ready(name: string): string
  isConstant(name: string): boolean
  /** The user declared the name in an earlier cell. */
  isDeclared(name: string): boolean
  /** A function of an earlier cell mentions the name. */
  isObserved(name: string): boolean
}

export interface Rewritten {
  code: MagicString
  imports: CellImport[]
  /** What an interrupt evaluates in the cell's frame, so that the names of its loops have their values; empty where there is nothing to do. */
  stores: string
}

/**
 * Turns a cell's JavaScript into one function expression whose value is what the cell shows, as `{ value }` (a box, because a
 * promise must come back unawaited). Names declared at the top level become properties of the global object: a declaration turns
 * into an assignment, so that any cell may declare any name again and closures see the newest value. Functions come first, as
 * hoisting wants it. The function is `async` only where the cell awaits.
 */
export function rewrite(source: string, program: Node, scope: Scope, earlier: Earlier): Rewritten {
  const code = new MagicString(source)
  const imports: CellImport[] = []
  const isConstant = (name: string) => {
    const kind = scope.declared.get(name)
    return kind ? constantKind(kind) : earlier.isConstant(name)
  }
  const loops = hotLoopsOf(scope, earlier)
  const target = (m: Mention) => {
    const own = scope.declared.has(m.name) || earlier.isDeclared(m.name)
    if (m.write && !m.declares && own && isConstant(m.name)) return `${constants}.${m.name}`
    if (!own) return earlier.ready(m.name)
    return hotName(loops, m, earlier) ?? earlier.stored(m.name)
  }

  for (const m of scope.mentions) {
    const to = target(m)
    if (to !== m.name) code.overwrite(m.node.start, m.node.end, m.shorthand ? `${m.name}: ${to}` : to)
  }
  for (const meta of scope.metas) code.overwrite(meta.start, meta.end, `globalThis[Symbol.for('graft.meta')]`)
  guardAwaits(code, scope.awaitNodes)
  for (const { node, parent } of scope.nestedVars) declaration(code, node, parent)

  const statements: Node[] = program.body
  for (const [at, statement] of statements.entries()) {
    // What is written in the place of a statement may begin with a parenthesis, which would call what lacks a semicolon before it.
    if (at > 0 && source[statements[at - 1].end - 1] !== ';') code.appendLeft(statement.start, ';')
    if (statement.type === 'ImportDeclaration') {
      imports.push(importOf(statement))
      code.remove(statement.start, statement.end)
    } else topLevel(code, statement, earlier.stored)
  }
  keepHotNamesLocal(code, loops, earlier)
  // `export {}`, as compilers end a module, says nothing of the cell's value.
  const last = statements.findLast(({ type, declaration }) => !/^Export(Named|All)/.test(type) || declaration)
  if (last) returnValue(code, last.type === 'ExportDefaultDeclaration' ? last.declaration : last)
  code.prepend(`'use strict';(${scope.awaits ? 'async ' : ''}() => {${scope.awaitNodes.length ? awaitsHead : ''}`)
  code.append('\n})')
  return { code, imports, stores: hotStores(loops, earlier) }
}

/** Whether a name of this kind never takes another value. */
export const constantKind = (kind: Kind) => kind === 'const' || kind === 'import' || kind === 'using'

function topLevel(code: MagicString, statement: Node, stored: (name: string) => string) {
  switch (statement.type) {
    case 'VariableDeclaration':
      return statement.kind.endsWith('using') ? using(code, statement, stored) : declaration(code, statement, null)
    case 'FunctionDeclaration': {
      const keyword = code.original.slice(statement.start, statement.id.start)
      code.overwrite(statement.start, statement.id.end, `${stored(statement.id.name)} = ${keyword.trimEnd()} `)
      code.appendLeft(statement.end, ';')
      if (statement.start > 0) code.move(statement.start, statement.end, 0)
      return
    }
    case 'ClassDeclaration':
      code.appendLeft(statement.start, `${stored(statement.id.name)} = `)
      return code.appendLeft(statement.end, ';')
    case 'ExportNamedDeclaration':
      if (!statement.declaration) return code.remove(statement.start, statement.end)
      code.remove(statement.start, statement.declaration.start)
      return topLevel(code, statement.declaration, stored)
    case 'ExportAllDeclaration':
      return code.remove(statement.start, statement.end)
    case 'ExportDefaultDeclaration': {
      const { declaration } = statement
      code.remove(statement.start, declaration.start)
      if (declaration.type.endsWith('Declaration') && declaration.id) return topLevel(code, declaration, stored)
      if (declaration.type.endsWith('Declaration')) {
        code.appendLeft(declaration.start, '(')
        code.appendLeft(declaration.end, ');')
      }
    }
  }
}

/** `const a = 1, { b } = c` → `(a = 1, { b } = c)`; a `let` without a value becomes `undefined`, a `var` keeps what it has. */
function declaration(code: MagicString, node: Node, parent: Node | null) {
  const inLoopHead = parent !== null && (parent.type === 'ForInStatement' || parent.type === 'ForOfStatement') && parent.left === node
  if (inLoopHead) return code.remove(node.start, node.declarations[0].start)
  const inFor = parent?.type === 'ForStatement' && parent.init === node
  const last: Node = node.declarations.at(-1)
  const isAmongOthers = parent?.type === 'BlockStatement' || parent?.type === 'SwitchCase'
  code.overwrite(node.start, node.declarations[0].start, isAmongOthers ? ';(' : '(')
  for (const d of node.declarations as Node[]) {
    if (!d.init && node.kind !== 'var') code.appendLeft(d.end, ' = void 0')
    if (isMergedEnum(d)) code.overwrite(d.init.arguments[0].start, d.init.arguments[0].end, '{}')
  }
  code.appendLeft(last.end, ')')
  if (!inFor && code.original[node.end - 1] !== ';') code.appendLeft(last.end, ';')
}

/** `var E = function (E) {…}(E || {})`, as enums are written: a later cell's enum replaces the earlier one. */
function isMergedEnum(d: Node) {
  const argument = d.init?.type === 'CallExpression' && d.init.callee.type === 'FunctionExpression' ? d.init.arguments[0] : null
  return argument?.type === 'LogicalExpression' && argument.left.name === d.id.name && argument.right.type === 'ObjectExpression'
}

/** `using a = open()` stays, under a name of its own, so that it is disposed of at the cell's end; the user's name refers to it too. */
function using(code: MagicString, node: Node, stored: (name: string) => string) {
  for (const d of node.declarations as Node[]) {
    code.overwrite(d.id.start, d.id.end, `${d.id.name}$using`)
    code.appendLeft(d.init.start, `(${stored(d.id.name)} = `)
    code.appendLeft(d.init.end, ')')
  }
}

/** Makes the last statement's value the function's: an expression, or what ends each branch of an `if`, `try`, `switch` or block. */
function returnValue(code: MagicString, node: Node): void {
  switch (node.type) {
    case 'ExpressionStatement':
      code.appendLeft(node.start, valueOf(node.expression))
      code.appendRight(code.original[node.end - 1] === ';' ? node.end - 1 : node.end, ') }')
      return
    case 'BlockStatement':
      if (node.body.length) returnValue(code, node.body.at(-1))
      return
    case 'IfStatement':
      returnValue(code, node.consequent)
      if (node.alternate) returnValue(code, node.alternate)
      return
    case 'TryStatement':
      returnValue(code, node.block)
      if (node.handler) returnValue(code, node.handler.body)
      return
    case 'LabeledStatement': return returnValue(code, node.body)
    case 'SwitchStatement':
      for (const { consequent } of node.cases) {
        const last = consequent.at(-1)?.type === 'BreakStatement' ? consequent.at(-2) : consequent.at(-1)
        if (last) returnValue(code, last)
      }
      return
    default:
      if (/Expression$|Literal$|^Identifier$/.test(node.type) && !node.type.startsWith('JSX')) {
        code.appendLeft(node.start, valueOf(node))
        code.appendRight(node.end, ') }')
      }
  }
}

/** A function or class without a name would get the property's. */
const valueOf = ({ type }: Node) => `return { value: (${/^(ArrowFunction|Function|Class)Expression$/.test(type) ? '0, ' : ''}`

function importOf(node: Node): CellImport {
  const names = node.specifiers.map((s: Node): ImportedName => ({
    imported: s.type === 'ImportDefaultSpecifier' ? 'default' : s.type === 'ImportNamespaceSpecifier' ? '*' : s.imported.name ?? s.imported.value,
    local: s.local.name, node: s,
  }))
  return { specifier: node.source.value, names, node }
}
