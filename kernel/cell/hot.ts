import type MagicString from 'magic-string'
import type { Earlier } from './rewrite.ts'
import type { Mention, Node, Scope } from './scope.ts'

/** A top-level loop, and the names that only it can see while it runs. */
export interface HotLoop {
  loop: Node
  /** By the user's name whether the loop writes it. */
  names: Map<string, boolean>
}

/** While a debugger looks at the names, no loop copies them. */
export const hotLoops = { off: false }

/** What a loop's local copy of a name is called. */
const copyOf = (stored: string) => `${stored}$hot`

/**
 * The top-level loops that can run at a function's speed. A global's value is read and stored at every step, a local's is kept in a
 * register; so the names that only the loop itself can see while it runs are copied into locals before it and back after it.
 * A name that any function mentions, of this or an earlier cell, stays global, because that function may be called in the loop.
 */
export function hotLoopsOf(scope: Scope, earlier: Earlier): HotLoop[] {
  if (scope.evals || hotLoops.off) return []
  const observed = new Set(scope.mentions.filter(m => m.inFunction).map(m => m.name))
  return scope.loops.flatMap(loop => {
    const names = new Map<string, boolean>()
    for (const { name, write, node } of scope.mentions) {
      if (!isInside(node, loop)) continue
      const own = scope.declared.has(name) || earlier.isDeclared(name)
      if (own && !observed.has(name) && !earlier.isObserved(name)) names.set(name, write || (names.get(name) ?? false))
    }
    return [...names.values()].includes(true) ? [{ loop, names }] : []
  })
}

/** What a mention inside a loop is called, or null where the name is no copy there. */
export function hotName(loops: HotLoop[], { name, node }: Mention, earlier: Earlier): string | null {
  return loops.some(({ loop, names }) => names.has(name) && isInside(node, loop)) ? copyOf(earlier.stored(name)) : null
}

const isInside = (node: Node, loop: Node) => node.start >= loop.start && node.end <= loop.end

/** Writes the copies around the loops. */
export function keepHotNamesLocal(code: MagicString, loops: HotLoop[], earlier: Earlier): void {
  for (const { loop, names } of loops) {
    const stored = [...names.keys()].map(earlier.stored)
    code.appendLeft(loop.start, `{ let ${stored.map(name => `${copyOf(name)} = globalThis.${name}`).join(', ')}; try { `)
    code.appendRight(loop.end, ` } finally { ${store(written(names, earlier))} } }`)
  }
}

const written = (names: Map<string, boolean>, earlier: Earlier) => [...names].filter(([, isWritten]) => isWritten).map(([name]) => earlier.stored(name))

const store = (names: string[]) => names.map(name => `globalThis.${name} = ${copyOf(name)};`).join(' ')

/**
 * What brings the copies back to their names when it is evaluated in the loop's frame: an interrupt runs no `finally`. Copies of another loop
 * are not in scope there. Empty for a cell without such loops.
 */
export function hotStores(loops: HotLoop[], earlier: Earlier): string {
  const names = new Set(loops.flatMap(({ names }) => written(names, earlier)))
  return [...names].map(name => `try { ${store([name])} } catch {}`).join(' ')
}
