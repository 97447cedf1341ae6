import * as tf from '@tensorflow/tfjs'
import type { BackendValues, DataId, TensorInfo } from '@tensorflow/tfjs-core'
import type { Attributes } from './attributes.ts'
import type { Output, Pointer } from './library.ts'
import type { Numbers, Runtime } from './runtime.ts'
import type { Trace } from './trace.ts'

/** A tensor's values: held by TensorFlow, standing for an output in a graph that is being traced, or text, which stays here. */
export interface Held {
  dtype: tf.DataType
  shape: number[]
  refs: number
  pointer?: Pointer
  node?: Output
  text?: Uint8Array[] | string[]
  /** The values of a constant of the graph: the step may look at them. */
  known?: Numbers
}

/** A small constant that a kernel gives to an operation, such as axes. */
export interface Constant { values: number[], shape: number[], dtype: 'int32' | 'float32' }

export type Operand = TensorInfo | Constant | TensorInfo[]

export const int = (value: number): Constant => ({ values: [value], shape: [], dtype: 'int32' })
export const ints = (values: readonly number[], shape: number[] = [values.length]): Constant =>
  ({ values: [...values], shape, dtype: 'int32' })
export const float = (value: number): Constant => ({ values: [value], shape: [], dtype: 'float32' })

export const isConstant = (operand: Operand): operand is Constant =>
  'values' in operand && Array.isArray((operand as Constant).values)

/**
 * TensorFlow.js's arithmetic on libtensorflow. While a trace is on, operations become nodes of its graph instead of being run.
 */
export class TensorFlowBackend extends tf.KernelBackend {
  readonly runtime: Runtime
  /** The graph that operations are written into, or `null` where they are run. */
  trace: Trace | null = null
  readonly #data: tf.DataStorage<Held>
  #turn: Promise<unknown> = Promise.resolve()

  constructor(runtime: Runtime) {
    super()
    this.runtime = runtime
    this.#data = new tf.DataStorage(this, tf.engine())
  }

  held(dataId: DataId): Held {
    return this.#data.get(dataId)
  }

  /** Takes over values as a tensor with one reference. */
  adopt(held: Omit<Held, 'refs'>): TensorInfo {
    const dataId = {}
    this.#data.set(dataId, { ...held, refs: 1 })
    return { dataId, shape: held.shape, dtype: held.dtype }
  }

  /** Runs an operation, or writes it into the graph. */
  run(name: string, inputs: Operand[], attributes: Attributes = {}, count = 1): TensorInfo[] {
    if (this.trace) return this.trace.run(name, inputs, attributes).map(held => this.adopt(held))
    const constants: Pointer[] = []
    const pointerOf = (input: TensorInfo | Constant) => {
      if (!isConstant(input)) return this.pointer(input)
      const pointer = this.runtime.tensor(input.dtype === 'int32' ? Int32Array.from(input.values) : Float32Array.from(input.values), input.shape, input.dtype)
      constants.push(pointer)
      return pointer
    }
    try {
      const pointers = inputs.map(input => Array.isArray(input) ? input.map(pointerOf) : pointerOf(input))
      return this.runtime.execute(name, pointers, attributes, count).map(handle => this.adopt(handle))
    } finally {
      for (const pointer of constants) this.runtime.release(pointer)
    }
  }

  /** Several operations of which only the last one's results stay. */
  compose<R extends TensorInfo | TensorInfo[]>(work: (run: (name: string, inputs: Operand[], attributes?: Attributes, count?: number) => TensorInfo) => R): R {
    const made: TensorInfo[] = []
    const result = work((name, inputs, attributes, count) => {
      const results = this.run(name, inputs, attributes, count)
      made.push(...results)
      return results[0]
    })
    const kept = new Set<object>((Array.isArray(result) ? result : [result]).map(({ dataId }) => dataId))
    for (const { dataId } of made) if (!kept.has(dataId)) this.disposeData(dataId)
    return result
  }

  pointer({ dataId, dtype }: TensorInfo): Pointer {
    const { pointer, node } = this.held(dataId)
    if (pointer) return pointer
    throw new Error(node ? 'a tensor of a traced step is used outside of it' : `values of type ${dtype} do not go into TensorFlow`)
  }

  /** A tensor's values once more, under a name of their own. */
  copyOf(dataId: DataId): TensorInfo {
    const { pointer, shape, dtype, text } = this.held(dataId)
    return this.adopt({ shape, dtype, ...pointer ? { pointer: this.runtime.share(pointer) } : { text } })
  }

  /**
   * Runs asynchronous work after the work before it: two calls that change the same variables at once would lose one's changes.
   */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work, work)
    this.#turn = mine.catch(() => {})
    return mine
  }

  override write(values: BackendValues, shape: number[], dtype: tf.DataType): DataId {
    const dataId = {}
    this.move(dataId, values, shape, dtype, 1)
    return dataId
  }

  override move(dataId: DataId, values: BackendValues, shape: number[], dtype: tf.DataType, refs: number): void {
    if (dtype === 'string') return this.#data.set(dataId, { text: values as Uint8Array[], shape, dtype, refs })
    const numbers = numbersOf(values, dtype)
    const held = this.trace?.constant(numbers, shape, dtype) ?? { pointer: this.runtime.tensor(numbers, shape, dtype) }
    this.#data.set(dataId, { ...held, shape, dtype, refs })
  }

  override readSync(dataId: DataId): BackendValues {
    const held = this.held(dataId)
    if (held.text) return held.text as unknown as BackendValues
    if (held.known) return held.known
    if (held.node) throw this.trace ? this.trace.refusal('reads values on the way') : new Error('a tensor of a traced step is read outside of it')
    return this.runtime.read(held as Held & { pointer: Pointer })
  }

  override async read(dataId: DataId): Promise<BackendValues> {
    return this.readSync(dataId)
  }

  override numDataIds(): number {
    return this.#data.numDataIds()
  }

  override refCount(dataId: DataId): number {
    return this.#data.has(dataId) ? this.held(dataId).refs : 0
  }

  override incRef(dataId: DataId): void {
    this.held(dataId).refs++
  }

  override disposeData(dataId: DataId, force = false): boolean {
    if (!this.#data.has(dataId)) return true
    const held = this.held(dataId)
    held.refs--
    if (!force && held.refs > 0) return false
    if (held.pointer) this.runtime.release(held.pointer)
    this.#data.delete(dataId)
    return true
  }

  override memory(): { unreliable: boolean } {
    return { unreliable: false }
  }

  override floatPrecision(): 32 {
    return 32
  }

  override epsilon(): number {
    return 1e-7
  }

  override timerAvailable(): boolean {
    return true
  }

  override async time(work: () => void): Promise<{ kernelMs: number }> {
    const start = performance.now()
    work()
    return { kernelMs: performance.now() - start }
  }

  override dispose(): void {}
}

function numbersOf(values: BackendValues, dtype: tf.DataType): Numbers {
  if (dtype === 'int32') return values instanceof Int32Array ? values : Int32Array.from(values as unknown as number[])
  if (dtype === 'bool') return values instanceof Uint8Array && !(values instanceof Uint8ClampedArray) ? values : Uint8Array.from(values as unknown as number[])
  return values instanceof Float32Array ? values : Float32Array.from(values as unknown as number[])
}
