import type { Node } from '../cell/scope.ts'
import { positionAt } from '../cell/frame.ts'
import { parse } from '../language/parse.ts'

const isFunction = (type: string) => /^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(type)

/** What leaves nothing to run. */
const silent = /^(TS|ImportDeclaration|ExportAllDeclaration|BlockStatement|EmptyStatement|ClassBody)/

/**
 * The lines of a cell, from 1, on which it can stop: those where a statement begins or a function ends.
 *
 * @example
 * linesOf('interface A {}\nconst a = 1')   // [2]
 */
export function linesOf(source: string): number[] {
  const lines = new Set<number>(), lineAt = (offset: number) => positionAt(source, offset).line
  visit(parse(source).program, node => {
    if (/(Statement|Declaration)$/.test(node.type) && !silent.test(node.type) && !node.declare) lines.add(lineAt(node.start))
    if (isFunction(node.type) && node.body) lines.add(lineAt(node.body.end - 1))
  })
  return [...lines].sort((a, b) => a - b)
}

/** The parts of a script that a `catch` guards, and those that a function is. */
export interface Guards { tries: [start: number, end: number][], functions: [start: number, end: number][] }

/** Finds in a script what {@link isGuarded} needs. */
export function guardsOf(source: string): Guards {
  const guards: Guards = { tries: [], functions: [] }
  visit(parse(source, { lang: 'js' }).program, node => {
    if (node.type === 'TryStatement' && node.handler) guards.tries.push([node.block.start, node.block.end])
    if (isFunction(node.type)) guards.functions.push([node.start, node.end])
  })
  return guards
}

/** Whether what is thrown at an offset is caught in the same function. */
export function isGuarded({ tries, functions }: Guards, offset: number): boolean {
  const holds = ([start, end]: [number, number]) => start <= offset && offset < end
  const innermost = functions.filter(holds).sort((a, b) => b[0] - a[0])[0]
  return tries.some(each => holds(each) && (!innermost || each[0] >= innermost[0]))
}

function visit(node: unknown, look: (node: Node) => void): void {
  if (typeof node !== 'object' || node === null) return
  if (typeof (node as Partial<Node>).type === 'string') look(node as Node)
  for (const inner of Object.values(node)) visit(inner, look)
}
