import type { DenseTensor } from '../hub/tensor.ts'
import { fold } from './fold.ts'
import { constantOf, type Node, type Value } from './graph.ts'

/** What a node gives for the numbers at hand, where `fold` does not know its operation. */
export type Extra = (node: Node, inputs: DenseTensor[]) => DenseTensor[] | null

/**
 * Computes parts of a graph from numbers given for some of its nodes, to see what the part does; each node once. The graph itself
 * is left as it is.
 */
export class Evaluation {
  readonly #known: Map<Node, DenseTensor[] | null>
  readonly #extra: Extra

  constructor(given: Iterable<[Node, DenseTensor[]]>, extra: Extra = () => null) {
    this.#known = new Map(given)
    this.#extra = extra
  }

  /** The number or numbers at `value`; `null` where something on the way is neither given nor constant nor known to `fold`. */
  at(value: Value): DenseTensor | null {
    const { node } = value
    let results = this.#known.get(node)
    if (results === undefined) {
      this.#known.set(node, null)
      results = this.#compute(node, value)
      this.#known.set(node, results)
    }
    return results?.[value.index] ?? null
  }

  #compute(node: Node, value: Value): DenseTensor[] | null {
    if (node.constants && !(node.trained && node.inputs.length)) {
      const constant = constantOf(value)
      return constant && node.constants.length === 1 ? [constant] : node.constants as DenseTensor[]
    }
    const inputs: DenseTensor[] = []
    for (const input of node.inputs) {
      const known = this.at(input)
      if (!known) return null
      inputs.push(known)
    }
    return this.#extra(node, inputs) ?? fold(node, inputs)
  }
}
