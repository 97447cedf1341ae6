import { constantOf, Node, type Value } from './graph.ts'

/** A dropout that only the trace for training holds. */
export interface DropoutFact {
  /** Paths of the operation whose result is thinned out, and of those that take what is left. */
  from: string
  index: number
  into: string[]
  path: string
  rate: number
  /** Which dimensions share one draw: `[null, 1, 1, 1]` drops whole samples (stochastic depth). */
  noiseShape: (number | null)[] | null
}

/** What the trace for training tells beyond the one for inference. */
export interface TrainingFacts {
  /** The momentum of batch normalization, by the checkpoint key of its moving mean. */
  momentum: Map<string, number>
  dropouts: DropoutFact[]
}

export const noTraining: TrainingFacts = { momentum: new Map(), dropouts: [] }

/** Reads the facts off the trace for training that ends in `ends` and makes `assignments`. */
export function trainingFacts(ends: Value[], assignments: Node[]): TrainingFacts {
  const nodes = new Set([...ends.map(end => end.node), ...assignments]), users = new Map<Node, Node[]>()
  for (const node of nodes) {
    for (const { node: from } of node.inputs) {
      nodes.add(from)
      users.set(from, [...users.get(from) ?? [], node])
    }
  }
  const momentum = new Map<string, number>(), dropouts: DropoutFact[] = []
  for (const node of nodes) {
    const factor = /^FusedBatchNorm/.test(node.op) ? node.attr('exponential_avg_factor').float : undefined
    const key = node.inputs[3]?.node.variable?.key
    if (factor !== undefined && key !== undefined && factor < 1) momentum.set(key, rounded(1 - factor))
    const dropout = node.op === 'GreaterEqual' ? dropoutOf(node, users) : null
    if (dropout) dropouts.push(dropout)
  }
  for (const node of assignments) {
    const decay = node.op === 'AssignSubVariableOp' ? decayOf(node.inputs[1].node) : null, key = node.inputs[0].node.variable?.key
    if (decay !== null && key !== undefined) momentum.set(key, rounded(1 - decay))
  }
  return { momentum, dropouts }
}

const rounded = (value: number) => Number(value.toFixed(6))

/** `moving -= (moving - batch) * decay` */
function decayOf(product: Node): number | null {
  if (product.op !== 'Mul') return null
  const number = product.inputs.map(constantOf).find(constant => constant?.data.length === 1)
  return number && product.inputs.some(input => input.node.op === 'Sub') ? number.data[0] : null
}

/** Dropout is `x / (1 - rate)` where a random number reaches `rate`, else 0. */
function dropoutOf(comparison: Node, users: Map<Node, Node[]>): DropoutFact | null {
  const random = comparison.inputs[0].node, rate = constantOf(comparison.inputs[1])
  if (!/RandomUniform/.test(random.op) || rate?.data.length !== 1) return null
  let [end] = users.get(comparison) ?? []
  if (end?.op === 'Cast') [end] = users.get(end) ?? []
  const scaled = end?.inputs.find(
    input => input.node.op === 'Mul' && input.node.inputs.some(operand => constantOf(operand)),
  )?.node
  const x = scaled?.inputs.find(operand => !constantOf(operand))
  if (!end || !x) return null
  const into = (users.get(end) ?? []).map(user => user.path)
  return {
    from: x.node.path,
    index: x.index,
    into,
    path: comparison.path,
    rate: Number(rate.data[0].toPrecision(6)),
    noiseShape: noiseShape(random.inputs[0]),
  }
}

function noiseShape({ node }: Value): (number | null)[] | null {
  if (node.op !== 'Pack') return null
  return node.inputs.map(input => constantOf(input)?.data[0] ?? null)
}

/** Puts the dropouts into the graph for inference, in which they are missing; returns how many found their place. */
export function insertDropouts(order: Node[], dropouts: DropoutFact[]): number {
  const byPath = new Map(order.map(node => [node.path, node]))
  let placed = 0
  for (const { from, index, into, path, rate, noiseShape: shape } of dropouts) {
    const source = byPath.get(from), takers = into.map(taker => byPath.get(taker)).filter(taker => taker !== undefined)
    const inputs = takers
      .flatMap(taker => taker.inputs.map((input, i) => ({ taker, i, input })))
      .filter(({ input }) => input.node === source && input.index === index)
    if (!source || !inputs.length) continue
    const node = new Node('Dropout', path, [{ node: source, index }])
    node.dropout = { rate, noiseShape: shape }
    node.trained = source.trained
    for (const { taker, i } of inputs) taker.inputs[i] = { node, index: 0 }
    placed++
  }
  return placed
}
