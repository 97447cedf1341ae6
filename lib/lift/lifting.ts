import type * as tfTypes from '@tensorflow/tfjs'
import { GraftError } from '../error.ts'
import type { DenseTensor } from '../hub/tensor.ts'
import { tf } from '../tf.ts'
import type { BoundGraph } from './bind.ts'
import { constantOf, foldNode, type Node, type Value } from './graph.ts'
import { Names } from './names.ts'
import { penaltiesOf, type Penalty } from './penalties.ts'
import { insertDropouts, type TrainingFacts } from './training.ts'

type Symbolic = tfTypes.SymbolicTensor
type Layer = tfTypes.layers.Layer
type Options = Record<string, unknown>

/** Handles one operation, or tells that it does not apply by returning false. */
export type Rule = (node: Node, lift: Lifting) => boolean
/** Rules by operation; those of several families are tried in the order of the table. */
export type Rules = Record<string, Rule>

/** Numbers for a layer's weights, by the name of the option that initializes them (`kernelInitializer`). */
export type Weights = Record<string, { tensor: DenseTensor, as: string }>

/** What lifting did, for the user and for tests. */
export interface LiftReport {
  /** Layers that stand for one TensorFlow operation because no Keras layer does. */
  opaque: { layer: string, op: string }[]
  notes: string[]
}

/**
 * A graph on its way to layers. Nodes are visited in order; a rule makes a layer of one node or of several and gives the last
 * one's result a symbolic tensor.
 */
export class Lifting {
  readonly report: LiftReport = { opaque: [], notes: [] }
  readonly layout: string
  readonly order: Node[]
  readonly names: Names
  readonly training: TrainingFacts
  readonly input: Symbolic
  readonly #users = new Map<Node, Node[]>()
  readonly #outputs: Set<Node>
  readonly #tensors = new Map<Node, Symbolic[]>()
  readonly #claimed = new Map<Node, (() => void) | null>()
  readonly #flowing: Set<Node>
  readonly #penalties: Map<DenseTensor, Penalty>
  readonly #places: Map<Node, number>
  readonly #waiting = new Map<Node, (() => void)[]>()
  readonly #activations = new Map<Node, { name: string; last: Node }>()

  constructor(graph: BoundGraph, layout: string) {
    const ends = graph.outputs.map(output => output.value.node)
    this.layout = layout
    this.training = graph.training
    this.#penalties = penaltiesOf(graph.penalties)
    const dropouts = insertDropouts(nodesInOrder(ends), graph.training.dropouts)
    this.order = nodesInOrder(ends)
    if (dropouts < graph.training.dropouts.length)
      this.note(`${graph.training.dropouts.length - dropouts} dropouts of the training trace were left out`)
    this.#flowing = new Set([graph.input])
    for (const node of this.order) if (node.inputs.some(({ node: from }) => this.#flowing.has(from))) this.#flowing.add(node)
    this.names = new Names(layout, [...this.#flowing].slice(1))
    const name = this.names.reserve(graph.input.path.replaceAll(/[/:]/g, '.') || 'input')
    this.input = tf.input({ batchShape: [null, ...graph.shape.slice(1)], name })
    for (const node of this.order) for (const { node: from } of node.inputs) this.#usersOf(from).push(node)
    this.#places = new Map(this.order.map((node, i) => [node, i]))
    this.#outputs = new Set(graph.outputs.map(output => output.value.node))
    this.#tensors.set(graph.input, [this.input])
  }

  #usersOf(node: Node): Node[] {
    let users = this.#users.get(node)
    if (!users) this.#users.set(node, (users = []))
    return users
  }

  /** Walks the graph: `patterns` first, over all nodes, then what they left by `rules`, then `otherwise`. */
  run(patterns: Rules[], rules: Rules[], otherwise: (node: Node, lift: Lifting) => void): void {
    this.foldConstants()
    for (const node of this.order) {
      if (this.#flowing.has(node)) patterns.some(table => Object.hasOwn(table, node.op) && table[node.op](node, this))
    }
    for (const node of this.order) {
      if (this.#tensors.has(node)) continue
      const claim = this.#claimed.get(node)
      if (claim) claim()
      if (claim !== undefined) continue
      if (!this.#flowing.has(node)) continue
      this.#shapes(node)
      foldNode(node)
      if (node.constants) continue
      if (rules.some(table => Object.hasOwn(table, node.op) && table[node.op](node, this))) continue
      otherwise(node, this)
    }
  }

  /** Computes what neither an image nor a variable flows into. */
  foldConstants(): void {
    for (const node of this.order) if (!node.trained) foldNode(node)
  }

  /** `Shape` of a tensor whose layer exists: known but for the batch, which is NaN. */
  #shapes(node: Node): void {
    if (node.op !== 'Shape' || node.constants) return
    const tensor = this.tensorOf(node.inputs[0])
    if (!tensor) return
    const data = Float64Array.from(tensor.shape, size => size ?? NaN)
    node.constants = [{ dtype: 'int32', shape: [data.length], data }]
  }

  /** Whether the image flows into `value`; else it is computed from constants and variables alone. */
  flows(value: Value): boolean {
    return this.#flowing.has(value.node)
  }

  /** A value known without an image: a constant, or the present value of variables. */
  known(value: Value): DenseTensor | null {
    if (!this.flows(value)) this.#compute(value.node)
    return constantOf(value)
  }

  /** What is computed from variables alone is computed when it is asked for. */
  #compute(node: Node): void {
    if (node.constants) return
    for (const part of nodesInOrder([node])) foldNode(part)
  }

  /** A value that follows from constants and from sizes of tensors that are there, though its turn has not come. */
  settled(value: Value): DenseTensor | null {
    this.#settle(value.node, new Set())
    return this.constant(value)
  }

  #settle(node: Node, seen: Set<Node>): void {
    if (node.constants || this.#tensors.has(node) || seen.has(node)) return
    seen.add(node)
    if (node.op === 'Shape') return this.#shapes(node)
    for (const { node: from } of node.inputs) this.#settle(from, seen)
    foldNode(node)
  }

  /** Where `node` stands in the order. */
  place(node: Node): number {
    return this.#places.get(node) ?? -1
  }

  /** Calls `act` as soon as the tensor of `node` is there, before what follows it is visited. */
  whenKnown(node: Node, act: () => void): void {
    if (this.#tensors.has(node)) act()
    else this.#waiting.set(node, [...(this.#waiting.get(node) ?? []), act])
  }

  /** A known value that no training changes. */
  constant(value: Value): DenseTensor | null {
    return value.node.trained ? null : constantOf(value)
  }

  /** The one number that `value` is, if it is one (possibly repeated). */
  number(value: Value | undefined): number | null {
    const data = value && this.constant(value)?.data
    return data?.length && data.every(x => x === data[0]) ? data[0] : null
  }

  /** The tensor that flows at `value`, once its layer exists. */
  tensorOf(value: Value): Symbolic | undefined {
    return this.#tensors.get(value.node)?.[value.index]
  }

  tensor(value: Value): Symbolic {
    const tensor = this.tensorOf(value)
    if (!tensor) throw new GraftError(`operation ${value.node.op} ('${value.node.path}') gives no tensor that a layer can take.`)
    return tensor
  }

  /** The users of `node`'s results. */
  users(node: Node): readonly Node[] {
    return this.#users.get(node) ?? []
  }

  /** The only user of `node`, if it is one of `ops`, is not yet spoken for, and nothing else needs the result. */
  next(node: Node, ...ops: string[]): Node | null {
    const users = this.users(node)
    if (users.length !== 1 || this.#outputs.has(node) || this.#claimed.has(users[0])) return null
    return ops.includes(users[0].op) ? users[0] : null
  }

  /** The only user if it lies in the same scope: as Keras nests an activation in its layer. */
  nextInScope(node: Node, ...ops: string[]): Node | null {
    const next = this.next(node, ...ops)
    return next && this.names.scope(next) === this.names.scope(node) ? next : null
  }

  /** The other operand of a binary operation. */
  other(node: Node, of: Node): Value {
    return node.inputs[0].node === of ? node.inputs[1] : node.inputs[0]
  }

  /**
   * Speaks for `nodes`, of which `last` gives the result: `build` runs at its turn. Refuses nodes that are spoken for or used
   * elsewhere.
   */
  claim(last: Node, nodes: Node[], build: () => void): boolean {
    const inside = new Set(nodes)
    for (const node of nodes) {
      if (this.#claimed.has(node)) return false
      if (node !== last && (this.#outputs.has(node) || this.users(node).some(user => !inside.has(user)))) return false
    }
    for (const node of nodes) this.#claimed.set(node, null)
    this.#claimed.set(last, build)
    return true
  }

  /** Remembers that what is claimed up to `last` is activation `name` of `node`'s result, so that a layer may take it in. */
  activates(node: Node, name: string, last: Node): void {
    this.#activations.set(node, { name, last })
  }

  /** The activation of several operations that is all that becomes of `node`'s result, in the same scope. */
  composedActivation(node: Node): { name: string; last: Node } | null {
    const found = this.#activations.get(node)
    const only = found && !this.#outputs.has(node) && this.users(node).every(user => this.#claimed.has(user))
    return only && this.names.scope(found.last) === this.names.scope(node) ? found : null
  }

  /**
   * Makes a layer, applies it to `inputs`, and lets its output be the result of `last`. `named` is the node that gives the layer
   * its name, `through` those that it takes in besides. Weights are handed to the layer as they are: no random initial values are
   * drawn, yet its config holds Keras's initializers.
   */
  layer(
    make: (options: never) => Layer,
    options: Options,
    {
      named,
      through = [],
      last = through.at(-1) ?? named,
      inputs,
      weights = {},
    }: {
      named: Node
      through?: Node[]
      last?: Node
      inputs: Value[]
      weights?: Weights
    },
  ): boolean {
    const name = this.names.take(named, Object.keys(weights).length > 0)
    const layer = make({ name, ...this.#regularizers(weights), ...options } as never),
      initializers = layer as unknown as Options
    for (const [key, { tensor }] of Object.entries(weights)) initializers[key] = initialized(tensor)
    const tensors = inputs.map(input => this.tensor(input))
    const output = layer.apply(tensors.length === 1 ? tensors[0] : tensors) as Symbolic
    for (const [key, { as }] of Object.entries(weights)) {
      initializers[key] = (tf.initializers as unknown as Record<string, (o?: object) => unknown>)[as]({})
    }
    for (const node of through) if (!this.#claimed.has(node)) this.#claimed.set(node, null)
    this.result(last, Array.isArray(output) ? output : [output])
    return true
  }

  /** Keras's `kernelRegularizer` and the like, for those of the weights that the model penalizes. */
  #regularizers(weights: Weights): Options {
    const penalized = Object.entries(weights).filter(([, { tensor }]) => this.#penalties.has(tensor))
    return Object.fromEntries(penalized.map(([key, { tensor }]) =>
      [key.replace('Initializer', 'Regularizer'), tf.regularizers.l1l2(this.#penalties.get(tensor))]))
  }

  /** The result of `node` is what flows at `value`. */
  same(node: Node, value: Value): boolean {
    this.result(node, [this.tensor(value)])
    return true
  }

  /** Sets the results of `node`. */
  result(node: Node, tensors: Symbolic[]): void {
    this.#tensors.set(node, tensors)
    for (const act of this.#waiting.get(node) ?? []) act()
  }

  note(text: string): void {
    if (!this.report.notes.includes(text)) this.report.notes.push(text)
  }
}

/** An initializer that gives `value` whatever it is asked for. */
function initialized(value: DenseTensor): unknown {
  const initializer = tf.initializers.zeros()
  initializer.apply = shape => {
    const wanted = shape as number[]
    if (wanted.reduce((a, b) => a * b, 1) !== value.data.length) {
      throw new GraftError(`a weight of shape [${value.shape}] in the model does not fit its layer, which expects [${wanted}].`)
    }
    return tf.tensor(value.data instanceof Float32Array ? value.data : Float32Array.from(value.data), wanted, 'float32')
  }
  return initializer
}

/** All nodes that `ends` need, inputs first. */
function nodesInOrder(ends: Node[]): Node[] {
  const order: Node[] = [], open = new Set<Node>(), done = new Set<Node>(), stack = [...ends].reverse()
  while (stack.length) {
    const node = stack[stack.length - 1]
    if (done.has(node)) { stack.pop(); continue }
    if (open.has(node)) {
      done.add(node)
      order.push(node)
      stack.pop()
      continue
    }
    open.add(node)
    for (let i = node.inputs.length - 1; i >= 0; i--) if (!open.has(node.inputs[i].node)) stack.push(node.inputs[i].node)
  }
  return order
}
