import type MagicString from 'magic-string'
import type { Earlier } from './rewrite.ts'
import type { Node, Scope } from './scope.ts'

/**
 * Makes top-level loops run at a function's speed. A global's value is read and stored at every step, a local's is kept in a
 * register; so the names that only the loop itself can see while it runs are copied into locals before it and back after it.
 * A name that any function mentions, of this or an earlier cell, stays global, because that function may be called in the loop.
 * An interrupt runs no `finally`: so a step that is long anyway, one with a call or a loop of its own, stores its names as it begins.
 */
export function keepHotNamesLocal(code: MagicString, scope: Scope, earlier: Earlier): void {
  if (scope.evals) return
  const observed = new Set(scope.mentions.filter(m => m.inFunction).map(m => m.name))
  for (const loop of scope.loops) {
    const inside = scope.mentions.filter(m => m.node.start >= loop.start && m.node.end <= loop.end)
    const names = new Map<string, boolean>()
    for (const { name, write } of inside) {
      const own = scope.declared.has(name) || earlier.isDeclared(name)
      if (own && !observed.has(name) && !earlier.isObserved(name)) names.set(name, write || (names.get(name) ?? false))
    }
    const written = [...names].filter(([, isWritten]) => isWritten).map(([name]) => earlier.stored(name))
    if (!written.length) continue
    const copies = [...names.keys()].map(earlier.stored).map(name => `${name} = globalThis.${name}`)
    code.appendLeft(loop.start, `{ let ${copies.join(', ')}; try { `)
    const store = written.map(name => `globalThis.${name} = ${name};`).join(' ')
    code.appendRight(loop.end, ` } finally { ${store} } }`)
    const body = bodyOf(loop)
    if (!isLong(body)) continue
    if (body.type === 'BlockStatement') code.appendRight(body.start + 1, ` ${store}`)
    else {
      code.prependRight(body.start, `{ ${store} `)
      code.prependLeft(body.end, ' }')
    }
  }
}

const bodyOf = (loop: Node): Node => loop.type === 'LabeledStatement' ? bodyOf(loop.body) : loop.body

/** Holds a loop or a call; what `Math` does is no call but an instruction or two. */
function isLong(node: Node): boolean {
  if (/^(For|While|DoWhile)|^(NewExpression|TaggedTemplateExpression|ImportExpression)$/.test(node.type)) return true
  if (node.type === 'CallExpression' && !(node.callee.type === 'MemberExpression' && node.callee.object.name === 'Math')) return true
  return Object.values(node).some(value => Array.isArray(value) ? value.some(v => v?.type && isLong(v)) : value?.type && isLong(value))
}
