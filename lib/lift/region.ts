import type { Node, Value } from './graph.ts'
import type { Lifting } from './lifting.ts'

/**
 * Tensors through which everything goes that flows into `root`, the nearest first; looked for as far as operations go that pass
 * `through`, and at most `furthest` operations back.
 */
export function sources(root: Node, lift: Lifting, through: (node: Node) => boolean, furthest: number): Value[] {
  const found: Value[] = [], open = new Map<Node, Value>()
  const add = (node: Node) => { for (const input of node.inputs) if (lift.flows(input)) open.set(input.node, input) }
  add(root)
  for (let steps = 0; steps < furthest && open.size; steps++) {
    const [node] = [...open.keys()].sort((a, b) => lift.place(b) - lift.place(a)), value = open.get(node)!
    if (open.size === 1) found.push(value)
    if (!through(node)) break
    open.delete(node)
    add(node)
  }
  return found
}
