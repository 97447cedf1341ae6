import type { tf } from '../../tf.ts'
import type { Edge, Graph, Step } from '../graph.ts'
import type { Attribute, OnnxNode, OnnxTensor } from './proto.ts'

/** A tensor of the emitted graph. `shape` is TensorFlow's (channels last), whichever way the data lies. */
export interface Value {
  name: string
  shape: (number | null)[]
  /** The data lies channels first, as ONNX wants images: rank 4 only. */
  channelsFirst: boolean
  /** Set where the value is a convolution's, whose weights may still be scaled: the folding of what follows. */
  convolution?: { weights: Float32Array, bias: Float32Array }
  /** Set where the value is an image with a margin of zeros: the node that put it there. */
  margin?: OnnxNode
}

/** How one class of layers is written in ONNX. It throws {@link Unsupported} where a setting has no counterpart. */
export type Rule = (emitter: Emitter, layer: tf.layers.Layer, inputs: Value[], shape: Value['shape']) => Value

/** A layer, or a setting of it, that has no counterpart here. */
export class Unsupported extends Error {}

const toFirst = [0, 3, 1, 2], toLast = [0, 2, 3, 1]

/** Collects the nodes and constants of an ONNX graph, layer by layer. */
export class Emitter {
  readonly nodes: OnnxNode[] = []
  readonly constants: OnnxTensor[] = []
  readonly #values = new Map<Edge, Value>()
  readonly #uses = new Map<Edge, number>()
  readonly #transposed = new Map<string, string>()
  #layer = ''

  constructor(graph: Graph) {
    for (const edge of [...graph.steps.flatMap(({ inputs }) => inputs), ...graph.outputs]) {
      this.#uses.set(edge, (this.#uses.get(edge) ?? 0) + 1)
    }
    graph.inputs.forEach((edge, i) => {
      this.#values.set(edge, { name: i === 0 ? 'input' : `input_${i}`, shape: edge.shape, channelsFirst: false })
    })
  }

  valueOf(edge: Edge): Value | undefined {
    return this.#values.get(edge)
  }

  /** Emits one step by its rule. All its inputs must have been emitted. */
  emit({ layer, inputs, outputs }: Step, rule: Rule): void {
    this.#layer = layer.name
    const values = inputs.map((edge) => {
      const value = this.#values.get(edge)!
      // Only a convolution that nothing else reads may be changed by what follows it.
      return this.#uses.get(edge) === 1 ? value : { ...value, convolution: undefined }
    })
    this.#values.set(outputs[0], rule(this, layer, values, outputs[0].shape))
  }

  /** Adds a node and returns the name of its output. */
  node(op: string, inputs: string[], attributes: Record<string, Attribute> = {}): string {
    const output = `t${this.nodes.length}`
    this.nodes.push({ op, name: `${this.#layer}/${op}_${this.nodes.length}`, inputs, outputs: [output], attributes })
    return output
  }

  /** Adds a constant; floats by default, 64-bit integers from a plain list. */
  constant(data: Float32Array | number[], dims: number[] = [data.length]): string {
    const name = `c${this.constants.length}`
    this.constants.push({ name, dims, data: data instanceof Float32Array ? data : BigInt64Array.from(data, BigInt) })
    return name
  }

  scalar(value: number): string {
    return this.constant(Float32Array.of(value), [])
  }

  /** The value's name with its data channels first; an image is transposed if it must be. */
  first(value: Value): string {
    return value.channelsFirst ? value.name : this.#transpose(value.name, toFirst)
  }

  /** The value's name with its data in TensorFlow's own order. */
  last(value: Value): string {
    return value.channelsFirst ? this.#transpose(value.name, toLast) : value.name
  }

  #transpose(name: string, perm: number[]): string {
    let other = this.#transposed.get(name)
    if (!other) {
      other = this.node('Transpose', [name], { perm })
      this.#transposed.set(name, other)
      this.#transposed.set(other, name)
    }
    return other
  }
}

/** The layer's weights by their own short names (`kernel`, `bias`, `gamma`, …), copied out of the engine. */
export function weightsOf(layer: tf.layers.Layer): Record<string, { data: Float32Array, shape: number[] }> {
  const values = layer.getWeights()
  return Object.fromEntries(layer.weights.map((variable, i) => {
    const name = variable.originalName.split('/').at(-1)!
    return [name, { data: values[i].dataSync<'float32'>().slice(), shape: values[i].shape }]
  }))
}
