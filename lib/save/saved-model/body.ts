import type { layers } from '@tensorflow/tfjs'
import type { Step } from '../../engine/graph.ts'
import { type Attribute, type DType, intAttr, nodeDef, type Shape, tensorAttr, typeAttr } from './attributes.ts'
import { resultsOf, untyped } from './operations.ts'

type Layer = layers.Layer
type Weight = Layer['weights'][number]

/** A tensor that flows in a function of the graph. */
export interface Value {
  /** How nodes of the function refer to it: an argument's name, or `node:result:index`. */
  ref: string
  /** The batch in front; `null` where a side is free. */
  shape: Shape
  dtype?: DType
}

/** How one class of layers is written as operations. It throws {@link Unsupported} where TensorFlow would compute otherwise. */
export type Rule = (body: Body, layer: Layer, inputs: Value[], shape: Shape, step: Step) => Value | Value[]

/** A layer, or a setting of it, that is not written as operations of TensorFlow. */
export class Unsupported extends Error {}

/** The operations of one function, layer by layer. Each lies in the scope of its layer: `block_1/Conv2D`. */
export class Body {
  /** Whether the function is the one for training: normalizations measure the batch, dropouts drop. */
  readonly training: boolean
  readonly nodes: Uint8Array[] = []
  /** Names of the nodes that give variables new values. */
  readonly assignments: string[] = []
  /** Layers that act in training alone and are not written, by name. */
  readonly leftOut = new Set<string>()
  readonly float = typeAttr('float32')
  readonly int = typeAttr('int32')
  readonly #arguments: Map<Weight, string>
  readonly #taken = new Set<string>()
  readonly #read = new Map<Weight, Value>()
  #scope = ''

  /** `handles` are the arguments of the function that stand for variables. */
  constructor(handles: Map<Weight, string>, training: boolean) {
    this.#arguments = handles
    this.training = training
  }

  /** What follows belongs to a layer of this name. */
  enter(scope: string): void {
    this.#scope = scope
  }

  /** What `write` adds lies one scope deeper. */
  within<T>(scope: string, write: () => T): T {
    const outer = this.#scope
    this.#scope = `${outer}/${scope}`
    const result = write()
    this.#scope = outer
    return result
  }

  /** Adds an operation and gives its first result. Its type `T` is that of the first input where `attributes` do not tell. */
  node(op: string, inputs: Value[], shape: Shape, attributes: Record<string, Attribute> = {}, dtype?: DType): Value {
    return this.nodeOf(op, inputs, [shape], attributes, dtype)[0]
  }

  /** Adds an operation with several results. */
  nodeOf(op: string, inputs: Value[], shapes: Shape[], attributes: Record<string, Attribute> = {}, dtype?: DType): Value[] {
    const name = this.#free(`${this.#scope}/${op}`), kind = inputs[0]?.dtype ?? 'float32'
    const type: Record<string, Attribute> = untyped.has(op) || 'T' in attributes ? {} : { T: typeAttr(kind) }
    this.nodes.push(nodeDef(name, op, inputs.map(({ ref }) => ref), { ...type, ...attributes }))
    return resultsOf(op, shapes.length).map((result, i) => ({ ref: `${name}:${result}`, shape: shapes[i], dtype: dtype ?? kind }))
  }

  constant(values: readonly number[] | Float32Array, dtype: DType = 'float32', shape: Shape = [values.length]): Value {
    const name = this.#free(`${this.#scope}/Const`)
    this.nodes.push(nodeDef(name, 'Const', [], { dtype: typeAttr(dtype), value: tensorAttr(dtype, shape, values) }))
    return { ref: `${name}:output:0`, shape, dtype }
  }

  number(value: number): Value {
    return this.constant([value], 'float32', [])
  }

  integers(values: readonly number[]): Value {
    return this.constant(values, 'int32')
  }

  /** The value of a layer's weight by its short name (`kernel`), read once; nothing where the layer has none of it. */
  weight(layer: Layer, name: string): Value | undefined {
    const weight = weightOf(layer, name)
    return weight && this.read(weight)
  }

  /** The value of a weight. */
  read(weight: Weight): Value {
    let value = this.#read.get(weight)
    if (!value) {
      const name = this.#free(`${this.#scope}/ReadVariableOp`), shape = weight.shape as Shape
      this.nodes.push(nodeDef(name, 'ReadVariableOp', [this.#arguments.get(weight)!], { dtype: typeAttr('float32') }))
      this.#read.set(weight, value = { ref: `${name}:value:0`, shape, dtype: 'float32' })
    }
    return value
  }

  /** Sets a weight to a value once the function has run. */
  assign(weight: Weight, value: Value, op: 'AssignVariableOp' | 'AssignSubVariableOp'): void {
    const name = this.#free(`${this.#scope}/${op}`)
    // Whoever reads it here has read it before.
    const before = this.#read.get(weight)?.ref.split(':')[0]
    this.nodes.push(nodeDef(name, op, [this.#arguments.get(weight)!, value.ref, ...before ? [`^${before}`] : []],
      { dtype: typeAttr('float32') }))
    this.assignments.push(name)
  }

  /** The value cut anew; at most one side besides the batch may be free. */
  reshape(x: Value, shape: Shape): Value {
    const free = shape.slice(1).filter(side => side === null).length
    if (free > 1) throw new Unsupported('a reshape with several sides that are free')
    const to = free === 0 ? this.integers([-1, ...shape.slice(1) as number[]])
      : this.sizes([this.side(x, 0), ...shape.slice(1).map(side => side ?? -1)])
    return this.node('Reshape', [x, to], shape)
  }

  /** A list of sizes, of which some are known only when the function runs. */
  sizes(sizes: (Value | number)[]): Value {
    const values = sizes.map(size => typeof size === 'number' ? this.constant([size], 'int32', []) : size)
    return this.node('Pack', values, [sizes.length], { N: intAttr(sizes.length) }, 'int32')
  }

  /** One side of a value's shape, as a number that is known when the function runs. */
  side(x: Value, axis: number): Value {
    const shape = this.node('Shape', [x], [x.shape.length], {}, 'int32')
    const bounds = [[axis], [axis + 1], [1]].map(bound => this.integers(bound))
    return this.node('StridedSlice', [shape, ...bounds], [],
      { T: typeAttr('int32'), Index: typeAttr('int32'), shrink_axis_mask: intAttr(1) }, 'int32')
  }

  /** A node's name that no other has. */
  #free(name: string): string {
    let free = name
    for (let i = 1; this.#taken.has(free); i++) free = `${name}_${i}`
    this.#taken.add(free)
    return free
  }
}

/** A layer's weight by its short name. */
export const weightOf = (layer: Layer, name: string): Weight | undefined =>
  layer.weights.find(weight => shortName(weight) === name)

/** `kernel` of `conv2d_1/kernel`. */
export const shortName = (weight: Weight): string =>
  ((weight as Weight & { originalName?: string }).originalName ?? weight.name).split('/').at(-1)!
