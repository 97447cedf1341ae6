import { parse } from '../language/parse.ts'
import type { Node } from './scope.ts'

// What a cell means where TypeScript reads something else.

/** Whether a cell is an object alone, `{ a: 1, b: 2 }`: shown as one, as consoles do, though the language reads a block with labels. */
export function isObjectLiteral(source: string): boolean {
  if (!/^\s*\{[^]*\}\s*$/.test(source)) return false
  const { program, errors } = parse(`(${source})`, { preserveParens: false })
  const [statement, ...others] = program.body as unknown as Node[]
  return !errors.length && !others.length && statement.type === 'ExpressionStatement' && statement.expression.type === 'ObjectExpression'
}

/** Where JSX begins in a cell that can be read with it and not without it; null for any other. */
export function jsxAt(source: string): number | null {
  if (!/<[A-Za-z>]/.test(source) || !parse(source).errors.length) return null
  const { program, errors } = parse(source, { lang: 'tsx' })
  return errors.length ? null : firstJsx(program)
}

function firstJsx(node: unknown): number | null {
  if (typeof node !== 'object' || node === null) return null
  const { type, start } = node as Partial<Node>
  if (type === 'JSXElement' || type === 'JSXFragment') return start!
  for (const inner of Object.values(node)) {
    const found = firstJsx(inner)
    if (found !== null) return found
  }
  return null
}
