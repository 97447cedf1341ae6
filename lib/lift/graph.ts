import { GraftError } from '../error.ts'
import { type AttrValue, type NodeDef, readAttr } from '../hub/node-def.ts'
import type { SavedModel } from '../hub/saved-model.ts'
import type { DenseTensor } from '../hub/tensor.ts'
import { fold } from './fold.ts'

/** One result of an operation. */
export interface Value { node: Node, index: number }

/** An operation of the flat graph that is left when every function call has been inlined. */
export class Node {
  readonly op: string
  /** The scopes it lies in, function calls left out: `MobilenetV2/Conv/Conv2D`. */
  readonly path: string
  readonly inputs: Value[]
  readonly def: NodeDef
  /** Its results, where they are known without an image. */
  constants: (DenseTensor | null)[] | null = null
  /** The variable it stands for (`op` is `Variable`). */
  variable: Variable | null = null
  /** What a `Dropout` that the trace for training held does. */
  dropout: { rate: number, noiseShape: (number | null)[] | null } | null = null
  /** Whether any variable is among what it is computed from. */
  trained = false
  #attrs = new Map<string, AttrValue>()

  constructor(op: string, path: string, inputs: Value[], def: NodeDef = { name: path, op, inputs: [], attrs: new Map() }) {
    this.op = op
    this.path = path
    this.inputs = inputs
    this.def = def
  }

  /** An attribute; SavedModels leave out those at their default. */
  attr(name: string): AttrValue {
    let value = this.#attrs.get(name)
    if (!value) this.#attrs.set(name, value = readAttr(this.def, name))
    return value
  }
}

/** A variable of the model: where its value lies in the checkpoint. */
export interface Variable { key: string, name: string, trainable: boolean }

/** The value that `tensor` is. */
export function constantValue(path: string, tensor: DenseTensor): Value {
  const node = new Node('Const', path, [])
  node.constants = [tensor]
  return { node, index: 0 }
}

/** What `value` is where that is known without an image, else `null`. */
export const constantOf = ({ node, index }: Value): DenseTensor | null => node.constants?.[index] ?? null

/** Computes `node` where all it needs is known. */
export function foldNode(node: Node): void {
  if (node.constants) return
  if (node.op === 'Const') {
    const { tensor } = node.attr('value')
    if (tensor) node.constants = [tensor]
  } else node.constants = fold(node, node.inputs.map(constantOf))
}

/** Results of operations that have several with names of their own, in order. Others are numbered within one name. */
const RESULTS: Record<string, string[]> = {
  FusedBatchNorm: ['y', 'batch_mean', 'batch_variance', 'reserve_space_1', 'reserve_space_2'],
  FusedBatchNormV2: ['y', 'batch_mean', 'batch_variance', 'reserve_space_1', 'reserve_space_2'],
  FusedBatchNormV3: ['y', 'batch_mean', 'batch_variance', 'reserve_space_1', 'reserve_space_2', 'reserve_space_3'],
  Switch: ['output_false', 'output_true'],
  Merge: ['output', 'value_index'],
  TopKV2: ['values', 'indices'],
}

/** Calls nested deeper than this are taken for damage: functions may not call themselves. */
const DEEPEST_CALL = 64
/** Nodes after inlining; NASNet-A large has about 20,000. */
const MOST_NODES = 500_000

const DEAD = new Node('Dead', '', [])

/** The graph of one callable of `model`, inlined on demand. */
export class Graph {
  /** Assignments to variables met on the way, if they were asked for. */
  readonly assignments: Node[] = []
  readonly #model: SavedModel
  readonly #withAssignments: boolean
  #count = 0

  constructor(model: SavedModel, { assignments = false } = {}) {
    this.#model = model
    this.#withAssignments = assignments
  }

  /** Inlines function `name` on `args` and returns its results. */
  call(name: string, args: Value[], scope = '', depth = 0): Value[] {
    const fn = this.#model.functions.get(name)
    if (!fn)
      throw new GraftError(
        `the model calls function '${name}', which it does not hold. Download it anew or hub.load('./folder').`,
      )
    if (depth > DEEPEST_CALL)
      throw new GraftError(`the model's functions call each other more than ${DEEPEST_CALL} deep ('${name}').`)
    if (fn.args.length !== args.length) {
      throw new GraftError(
        `function '${name}' of the model expects ${fn.args.length} arguments; its caller gives ${args.length}.`,
      )
    }
    const known = new Map(fn.args.map((arg, i) => [arg, args[i]]))
    return this.expand(fn.nodes(), known, fn.results.map(result => fn.returns.get(result) ?? result), scope, depth)
  }

  /** Builds what the references `wanted` need of `defs`; `known` holds the arguments by name. */
  expand(defs: NodeDef[], known: Map<string, Value>, wanted: string[], scope = '', depth = 0): Value[] {
    const byName = new Map(defs.map(def => [def.name, def]))
    const built = new Map<string, Value[] | Node>()
    const value = (reference: string): Value => {
      const [name, second, third] = reference.split(':')
      const argument = known.get(name)
      if (argument) return argument
      const node = built.get(name)
      if (!node) throw new GraftError(`the model's graph refers to '${name}', which it does not hold.`)
      const index = third === undefined ? Number(second ?? 0) : resultIndex(byName.get(name)!.op, second, Number(third))
      if (!(node instanceof Node)) return node[index] ?? { node: DEAD, index: 0 }
      return { node, index }
    }
    const assigned = this.#withAssignments
      ? defs.filter(def => /^Assign(Sub|Add)?VariableOp$/.test(def.op)).map(def => def.name)
      : []
    for (const def of inOrder(byName, known, [...wanted, ...assigned])) {
      if (++this.#count > MOST_NODES) throw new GraftError(`the model's graph has more than ${MOST_NODES} operations.`)
      const inputs = def.inputs.filter(input => !input.startsWith('^')).map(value)
      built.set(def.name, this.#build(def, inputs, scope, depth))
    }
    for (const name of assigned) if (built.get(name) instanceof Node) this.assignments.push(built.get(name) as Node)
    return wanted.map(value)
  }

  #build(def: NodeDef, inputs: Value[], scope: string, depth: number): Node | Value[] {
    const path = scope ? `${scope}/${def.name}` : def.name
    const call = (attr: string, args: Value[], into: string) => {
      const { func } = readAttr(def, attr)
      return this.call(func ?? '', args, into, depth + 1)
    }
    switch (def.op) {
      case 'PartitionedCall':
      case 'StatefulPartitionedCall':
        return call('f', inputs, callScope(path))
      case 'Identity':
      case 'StopGradient':
      case 'PreventGradient':
      case 'Snapshot':
      case 'ReadVariableOp':
      case 'EnsureShape':
      case 'CheckNumerics':
        return inputs
      case 'IdentityN':
        return inputs
      case 'PlaceholderWithDefault':
        return inputs
      case 'If':
      case 'StatelessIf': {
        const condition = constantOf(inputs[0])
        if (condition) return call(condition.data[0] ? 'then_branch' : 'else_branch', inputs.slice(1), callScope(path))
        break
      }
      case 'Switch': {
        const condition = constantOf(inputs[1]),
          dead = { node: DEAD, index: 0 }
        if (inputs[0].node === DEAD) return [dead, dead]
        if (condition) return condition.data[0] ? [dead, inputs[0]] : [inputs[0], dead]
        break
      }
      case 'Merge': {
        const alive = inputs.filter(input => input.node !== DEAD)
        if (alive.length === 1) return [alive[0]]
        break
      }
    }
    if (inputs.some(input => input.node === DEAD)) return []
    const node = new Node(def.op, path, inputs, def)
    node.trained = !/^(Shape|ShapeN|Size|Rank)$/.test(def.op) && inputs.some(input => input.node.trained)
    foldNode(node)
    return node
  }
}

/** A call's own name says nothing where it is only `StatefulPartitionedCall`; scopes before it do. */
const callScope = (path: string): string =>
  path
    .split('/')
    .filter(part => !/^(Stateful)?PartitionedCall(_\d+)?$/.test(part))
    .join('/')

function resultIndex(op: string, result: string, index: number): number {
  const at = Object.hasOwn(RESULTS, op) ? RESULTS[op].indexOf(result) : -1
  return at > 0 ? at + index : index
}

/** The nodes that `wanted` needs, each after its inputs. */
function inOrder(byName: Map<string, NodeDef>, known: Map<string, Value>, wanted: string[]): NodeDef[] {
  const order: NodeDef[] = [], state = new Map<string, 'open' | 'done'>()
  const nameOf = (reference: string) => reference.split(':', 1)[0]
  for (const start of wanted) {
    const stack = [nameOf(start)]
    while (stack.length) {
      const name = stack[stack.length - 1]
      const def = known.has(name) ? undefined : byName.get(name)
      if (!def || state.get(name) === 'done') { stack.pop(); continue }
      if (state.get(name) === 'open') {
        state.set(name, 'done')
        order.push(def)
        stack.pop()
        continue
      }
      state.set(name, 'open')
      for (const input of def.inputs) {
        if (input.startsWith('^')) continue
        const next = nameOf(input)
        if (state.get(next) === 'open' && !known.has(next))
          throw new GraftError(`the model's graph goes round in a circle at '${next}'.`)
        if (!state.has(next)) stack.push(next)
      }
    }
  }
  return order
}
