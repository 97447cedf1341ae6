import type { DataType, TensorInfo } from '@tensorflow/tfjs-core'
import { GraftError } from '../../error.ts'
import { StandIns } from '../stand-ins.ts'
import { Untraceable } from '../tracing.ts'
import type { StepTrace } from '../tracing.ts'
import { setAttributes } from './attributes.ts'
import type { Attributes } from './attributes.ts'
import { ints, isConstant } from './backend.ts'
import type { Constant, Held, Operand, TensorFlowBackend } from './backend.ts'
import { outputs } from './library.ts'
import type { Output, Pointer } from './library.ts'
import type { Numbers, Runtime } from './runtime.ts'
import { typeName } from './types.ts'

/** Tensors of at most so many values become part of the graph; larger ones are handed in at each call. */
const small = 64

/** Operations that take long: in front of each the graph looks whether it shall stop. */
const long = /^(Conv|DepthwiseConv|FusedBatchNorm|MatMul|BatchMatMul|MaxPool|AvgPool|Einsum)/

/** A graph in the making. Operations of the backend are written into it while it is the backend's `trace`. */
export class Trace implements StepTrace {
  readonly #backend: TensorFlowBackend
  readonly #runtime: Runtime
  readonly #graph: Pointer
  /** Where values come from that were there before: a placeholder each, in order. */
  readonly inputs: TensorInfo[] = []
  readonly #placeholders: Output[] = []
  readonly #known = new Map<Held, Output>()
  readonly standIns = new StandIns()
  #stop: Output | undefined
  seed: TensorInfo | null = null
  #draws = 0
  #count = 0

  constructor(backend: TensorFlowBackend) {
    this.#backend = backend
    this.#runtime = backend.runtime
    this.#graph = this.#runtime.library.TF_NewGraph()
  }

  /**
   * Makes a tensor that was there before an input of the graph. It is given a reference for that, which {@link inputs} hand on.
   */
  input({ dataId }: TensorInfo): Output {
    const held = this.#backend.held(dataId), { shape, dtype } = held
    let placeholder = this.#known.get(held)
    if (!placeholder) {
      placeholder = this.#node('Placeholder', [], { dtype }, shape)
      this.#known.set(held, placeholder)
      held.refs++
      this.inputs.push({ dataId, shape, dtype })
      this.#placeholders.push(placeholder)
    }
    return placeholder
  }

  /** A scalar that is looked at all along the graph: where it is not a number, the call ends there. It must be an input. */
  stopsAt(flag: TensorInfo): void {
    this.#stop = this.input(flag)
  }

  draw(kind: 'Uniform' | 'Normal', shape: number[]): TensorInfo | null {
    if (!this.seed) return null
    const { seed } = this, draw = ints([0, this.#draws++])
    return this.#backend.compose(run => run(`StatelessRandom${kind}`, [ints(shape), run('AddV2', [seed, draw])]))
  }

  /** Writes an operation. */
  run(name: string, inputs: Operand[], attributes: Attributes): Omit<Held, 'refs'>[] {
    const given = inputs.map(input => Array.isArray(input) ? input.map(one => this.#outputOf(one)) : this.#outputOf(input))
    let before: Output | undefined
    if (this.#stop && long.test(name)) {
      const first = given.flat()[0]
      before = this.#node('CheckNumerics', [this.#stop], { message: stopWord }, undefined, first)
    }
    const { oper } = this.#node(name, given, attributes, undefined, before), { library } = this.#runtime
    const count = library.TF_OperationNumOutputs(oper) as number
    return Array.from({ length: count }, (_, index) => this.#describe({ oper, index }))
  }

  /** A constant of the graph, where it is small. */
  constant(values: Numbers, shape: number[], dtype: DataType): Omit<Held, 'refs'> | undefined {
    if (values.length > small || dtype === 'complex64') return undefined
    const scalar = shape.length === 0 ? this.standIns.meet(values[0]) : undefined
    if (scalar) return this.run(values[0] < 0 ? 'Neg' : 'Identity', [scalar], {})[0]
    return { node: this.#constant(values, shape, dtype), known: values, shape, dtype }
  }

  refusal(what: string): Untraceable {
    return new Untraceable(`the step ${what}`)
  }

  /** Makes a function of the graph. `results` are the values that it gives. */
  finish(name: string, results: TensorInfo[]): void {
    const { library } = this.#runtime
    const ends = results.map(info => this.#node('Identity', [this.#outputOf(info)], {}))
    const function_ = this.#runtime.checked('TF_GraphToFunction', this.#graph, name, 0, -1, null, this.inputs.length,
      outputs(this.#placeholders), ends.length, outputs(ends), null, null, null)
    try {
      this.#runtime.checked('TFE_ContextAddFunction', this.#runtime.context, function_)
    } finally {
      library.TF_DeleteFunction(function_)
    }
  }

  dispose(): void {
    this.#runtime.library.TF_DeleteGraph(this.#graph)
  }

  #outputOf(operand: Operand): Output {
    if (Array.isArray(operand)) throw new Error('a list of lists')
    if (isConstant(operand)) return this.#smallConstant(operand)
    const { node, pointer, dtype } = this.#backend.held(operand.dataId)
    if (!node && !pointer) throw this.refusal(`uses values of type ${dtype}`)
    return node ?? this.input(operand)
  }

  #smallConstant({ values, shape, dtype }: Constant): Output {
    return this.#constant(dtype === 'int32' ? Int32Array.from(values) : Float32Array.from(values), shape, dtype)
  }

  #constant(values: Numbers, shape: number[], dtype: DataType): Output {
    const { library } = this.#runtime, op = this.#begin('Const')
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
    const tensor = this.#runtime.allocate(bytes.length, shape, dtype as 'float32', memory => memory.set(bytes))
    setAttributes(library, 'TF_', op, 'Const', this.#runtime.definition('Const'), { dtype })
    this.#runtime.checked('TF_SetAttrTensor', op, 'value', tensor)
    library.TF_DeleteTensor(tensor)
    return { oper: this.#runtime.checked('TF_FinishOperation', op), index: 0 }
  }

  #begin(name: string): Pointer {
    return this.#runtime.library.TF_NewOperation(this.#graph, name, `n${this.#count++}`)
  }

  #node(name: string, inputs: (Output | Output[])[], attributes: Attributes, shape?: number[], after?: Output): Output {
    const { library } = this.#runtime, definition = this.#runtime.definition(name), op = this.#begin(name)
    for (const input of inputs) {
      if (Array.isArray(input)) library.TF_AddInputList(op, outputs(input), input.length)
      else library.TF_AddInput(op, input)
    }
    if (after) library.TF_AddControlInput(op, after.oper)
    setAttributes(library, 'TF_', op, name, definition, attributes)
    if (shape) library.TF_SetAttrShape(op, 'shape', BigInt64Array.from(shape, BigInt), shape.length)
    return { oper: this.#runtime.checked('TF_FinishOperation', op), index: 0 }
  }

  #describe(node: Output): Omit<Held, 'refs'> {
    const { library } = this.#runtime
    const rank = this.#runtime.checked<number>('TF_GraphGetTensorNumDims', this.#graph, node)
    const dims = new BigInt64Array(Math.max(0, rank))
    if (rank > 0) this.#runtime.checked('TF_GraphGetTensorShape', this.#graph, node, dims, rank)
    // The third reserve of a fused batch normalization has a shape that nobody needs.
    return { node, shape: Array.from(dims, size => Math.max(0, Number(size))), dtype: typeName(library.TF_OperationOutputType(node) as number) ?? 'int32' }
  }
}

/** What CheckNumerics says when a step was stopped. */
export const stopWord = 'graft: stopped'

/** Whether an error is that of a function that was stopped. */
export const wasStopped = (error: unknown): boolean => error instanceof GraftError && error.message.includes(stopWord)
