import type * as tfTypes from '@tensorflow/tfjs'
import { GraftError } from '../error.ts'
import type { TF } from './prototype.ts'

type Tensor = tfTypes.Tensor
type Shape = (number | null)[]

/** Where an operand comes from: a tensor that flows in, a weight of the layer, or a constant. */
export type Operand =
  | { from: 'input' }
  | { from: 'weight', shape: number[], trainable: boolean }
  | { from: 'constant', shape: number[], dtype: 'float32' | 'int32' | 'bool', values: number[] }

/** An operation and its inputs: `operand_0`, … or names of operations before it, `name:1` for a second result. */
export interface Operation {
  name: string
  op: string
  /** In protobuf's JSON form. */
  attributes: Record<string, unknown>
  inputs: string[]
}

/** What a {@link TensorFlowOp} layer runs. */
export interface TensorFlowOpConfig {
  name?: string
  operations: Operation[]
  operands: Operand[]
  /** Of which operations the layer gives the results. */
  results: string[]
  /** The operation of Keras that this is, as its file has it; in a `.keras` file it becomes that again. */
  keras?: object
}

/**
 * The layer's configuration in a file. TensorFlow.js rewrites every key and text of a configuration on its way (`ReverseV2`
 * becomes `reverse_v2`), but for the value of a key `name`: what the layer runs is there, as JSON.
 */
interface StoredConfig { name?: string, operation: { name: string } }

/**
 * A layer of TensorFlow operations, mostly of one, that no Keras layer stands for, with its variables as weights. Keras cannot
 * read it.
 */
export type TensorFlowOp = tfTypes.layers.Layer

type Make = (config: TensorFlowOpConfig, initial?: ((shape: number[]) => Tensor)[]) => TensorFlowOp
let make: Make | undefined

/**
 * Makes such a layer; `initial` gives the first values of its weights in order. Throws a GraftError for an operation that
 * TensorFlow.js lacks.
 */
export function tensorFlowOp(tf: TF, config: TensorFlowOpConfig, initial: Tensor[] = []): TensorFlowOp {
  registerTensorFlowOp(tf)
  return make!(config, initial.map(value => () => value))
}

/** Makes the class known, so that saved models that hold it can be read. */
export function registerTensorFlowOp(tf: TF): void {
  if (make) return
  class TensorFlowOpLayer extends tf.layers.Layer {
    static className = 'TensorFlowOp'
    readonly config: TensorFlowOpConfig
    /** Whether the same input gives the same output, so that it may be computed once where nothing in it trains. */
    readonly deterministic: boolean
    readonly #graph: tfTypes.GraphModel
    readonly #initial: ((shape: number[]) => Tensor)[]
    #variables: { read(): Tensor }[] = []

    constructor({ operation, ...rest }: StoredConfig, initial: ((shape: number[]) => Tensor)[] = []) {
      super(rest)
      const config = this.config = JSON.parse(operation.name) as TensorFlowOpConfig
      checkSizes(config)
      this.deterministic = !config.operations.some(({ op }) => /Random|Multinomial|TruncatedNormal/.test(op))
      this.#initial = initial
      this.#graph = graphOf(tf, config)
    }

    override build(): void {
      const weights = this.config.operands.filter(operand => operand.from === 'weight')
      this.#variables = weights.map(({ shape, trainable }, i) => {
        const initializer = tf.initializers.zeros()
        if (this.#initial[i]) initializer.apply = () => this.#initial[i](shape)
        return this.addWeight(i ? `variable_${i}` : 'variable', shape, 'float32', initializer, undefined, trainable)
      })
      this.built = true
    }

    #run(inputs: Tensor[]): Tensor[] {
      let input = 0, weight = 0
      const feeds = Object.fromEntries(this.config.operands.map((operand, i) => [`operand_${i}`,
        operand.from === 'input' ? inputs[input++] : operand.from === 'weight' ? this.#variables[weight++].read()
          : tf.tensor(operand.values, operand.shape, operand.dtype)]))
      const results = this.#graph.execute(feeds, this.config.results)
      return Array.isArray(results) ? results : [results]
    }

    override call(inputs: Tensor | Tensor[]): Tensor | Tensor[] {
      return tf.tidy(() => {
        const results = this.#run(Array.isArray(inputs) ? inputs : [inputs])
        return results.length === 1 ? results[0] : results
      })
    }

    /** Found by running the operation on two sizes of what is unknown: what stays the same is known. */
    override computeOutputShape(shapes: Shape | Shape[]): Shape | Shape[] {
      const all = (Array.isArray(shapes[0]) ? shapes : [shapes]) as Shape[]
      const tried = [[2, 64], [3, 96]].map(([batch, size]) => tf.tidy(() =>
        this.#run(all.map(shape => tf.zeros(shape.map((known, d) => known ?? (d ? size : batch))))).map(result => result.shape)))
      const found = tried[0].map((shape, i) => shape.map((size, d) => size === tried[1][i][d] ? size : null))
      return found.length === 1 ? found[0] : found
    }

    override getConfig(): tfTypes.serialization.ConfigDict {
      return { ...super.getConfig(), operation: { name: JSON.stringify(this.config) } }
    }
  }
  tf.serialization.registerClass(TensorFlowOpLayer as never)
  make = ({ name, ...config }, initial) => new TensorFlowOpLayer({ name, operation: { name: JSON.stringify(config) } }, initial)
}

/** What an operation's constants may ask for at most, in pixels or repetitions: its result is made when its shape is asked for. */
const largest: Record<string, number> = {
  Pad: 1024, PadV2: 1024, MirrorPad: 1024, SpaceToBatchND: 1024, Tile: 1024, ResizeBilinear: 8192, ResizeNearestNeighbor: 8192, Fill: 8192,
}

function checkSizes({ operations, operands }: TensorFlowOpConfig): void {
  for (const { op, inputs } of operations) {
    if (!Object.hasOwn(largest, op)) continue
    for (const input of inputs) {
      const operand = operands[Number(/^operand_(\d+)$/.exec(input)?.[1])]
      if (operand?.from !== 'constant' || operand.dtype !== 'int32') continue
      const wild = Array.from(operand.values).find(value => Math.abs(value) > largest[op])
      if (wild === undefined) continue
      throw new GraftError(`operation ${op} asks for a size of ${wild}, and at most ${largest[op]} is taken: the model may be damaged.`)
    }
  }
}

const typeOf = (operand: Operand) =>
  operand.from !== 'constant' || operand.dtype === 'float32' ? 'DT_FLOAT' : operand.dtype === 'int32' ? 'DT_INT32' : 'DT_BOOL'

function graphOf(tf: TF, { operations, operands }: TensorFlowOpConfig): tfTypes.GraphModel {
  const placeholders = operands.map((operand, i) => ({
    name: `operand_${i}`,
    op: 'Placeholder',
    attr: { dtype: { type: typeOf(operand) } },
  }))
  const nodes = operations.map(({ name, op, attributes, inputs }) => ({ name, op, input: inputs, attr: attributes }))
  const node = [...placeholders, ...nodes]
  try {
    const load = () => ({ modelTopology: { node, versions: { producer: 27 } }, weightSpecs: [], weightData: new ArrayBuffer(0) })
    return tf.loadGraphModelSync({ load } as never) as unknown as tfTypes.GraphModel
  } catch (error) {
    throw new GraftError(`operation ${operations.at(-1)!.op} cannot be run here: ${(error as Error).message}`)
  }
}
