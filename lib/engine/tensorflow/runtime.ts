import type { DataType } from '@tensorflow/tfjs'
import { GraftError } from '../../error.ts'
import { OutOfMemory } from '../out-of-memory.ts'
import { setAttributes } from './attributes.ts'
import type { Attributes } from './attributes.ts'
import { bytesOf, isNull, view } from './library.ts'
import type { Library, Pointer } from './library.ts'
import { readOpList } from './op-definitions.ts'
import type { OpDefinition } from './op-definitions.ts'
import { sizes, typeName, typeNumbers } from './types.ts'
import type { TypeName } from './types.ts'

/** Numbers as TensorFlow.js keeps them: bools are bytes, complex numbers pairs of floats. */
export type Numbers = Float32Array | Int32Array | Uint8Array

/** A tensor that TensorFlow holds. */
export interface Handle { pointer: Pointer, shape: number[], dtype: DataType }

/** Settings of TensorFlow's context. */
export interface RuntimeOptions { threads: number }

/** TensorFlow, started: runs operations one by one, and functions made of them. */
export class Runtime {
  readonly library: Library
  readonly context: Pointer
  readonly operations: Map<string, OpDefinition>
  readonly version: string
  /** Kinds of devices, e.g. `CPU`, `GPU`. */
  readonly devices: string[]
  readonly threads: number
  readonly #status: Pointer

  constructor(library: Library, { threads }: RuntimeOptions) {
    this.library = library
    this.threads = threads
    this.#status = library.TF_NewStatus()
    this.version = library.TF_Version()
    const list = library.TF_GetAllOpList()
    this.operations = readOpList(bytesOf(list))
    library.TF_DeleteBuffer(list)
    const options = library.TFE_NewContextOptions(), config = configuration(threads)
    this.checked('TFE_ContextOptionsSetConfig', options, config, config.length)
    this.context = this.checked('TFE_NewContext', options)
    library.TFE_DeleteContextOptions(options)
    this.devices = this.#listDevices()
  }

  #listDevices(): string[] {
    const list = this.checked<Pointer>('TFE_ContextListDevices', this.context)
    const count = this.library.TF_DeviceListCount(list) as number
    const devices = Array.from({ length: count }, (_, i) => this.checked<string>('TF_DeviceListType', list, i))
    this.library.TF_DeleteDeviceList(list)
    return devices
  }

  /** Calls a function that ends in a status, and throws what the status says. */
  checked<R = Pointer>(name: keyof Library, ...args: unknown[]): R {
    const result = (this.library[name] as (...args: unknown[]) => R)(...args, this.#status)
    this.check(this.#status)
    return result
  }

  /** Throws where a status is not OK. */
  check(status: Pointer, doing = ''): void {
    const code = this.library.TF_GetCode(status) as number
    if (code !== 0) throw failure(code, this.library.TF_Message(status), doing)
  }

  /** What an operation takes and gives. */
  definition(name: string): OpDefinition {
    const definition = this.operations.get(name)
    if (!definition) throw new GraftError(`TensorFlow ${this.version} has no operation ${name}.`)
    return definition
  }

  /** Copies numbers into a new tensor. `fill` gets TensorFlow's memory, to write them there. */
  allocate(bytes: number, shape: number[], dtype: TypeName, fill: (memory: Uint8Array) => void): Pointer {
    const { library } = this
    const tensor = library.TF_AllocateTensor(typeNumbers[dtype], BigInt64Array.from(shape, BigInt), shape.length, bytes)
    if (isNull(tensor)) throw failure(8, `no ${Math.ceil(bytes / 2 ** 20)} MiB for a tensor of ${shape.join('×')}`)
    if (bytes > 0) fill(new Uint8Array(view(library.TF_TensorData(tensor), bytes)))
    return tensor
  }

  /** A tensor of these numbers; they are copied. */
  tensor(values: Numbers, shape: number[], dtype: DataType): Pointer {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
    const tensor = this.allocate(bytes.length, shape, dtype as TypeName, memory => memory.set(bytes))
    try {
      const handle = this.checked<Pointer>('TFE_NewTensorHandle', tensor)
      const onCard = this.devices.includes('GPU') && dtype === 'float32' && bytes.length >= worthMoving
      return onCard ? this.moved(handle, 'GPU:0') : handle
    } finally {
      this.library.TF_DeleteTensor(tensor)
    }
  }

  /** A tensor on a device, in place of the given one: what lies elsewhere is copied there anew by each operation that takes it. */
  moved(handle: Pointer, device: string): Pointer {
    try {
      return this.checked('TFE_TensorHandleCopyToDevice', handle, this.context, `/job:localhost/replica:0/task:0/device:${device}`)
    } finally {
      this.release(handle)
    }
  }

  /** A tensor's numbers, copied; waits for them where they are still being computed. */
  read({ pointer, shape, dtype }: Handle): Numbers {
    return this.#copyOut(this.checked('TFE_TensorHandleResolve', pointer), shape, dtype)
  }

  #copyOut(tensor: Pointer, shape: number[], dtype: DataType): Numbers {
    const { library } = this, length = shape.reduce((n, size) => n * size, 1), bytes = length * sizes[dtype as TypeName]
    const copy = new ArrayBuffer(bytes)
    if (bytes > 0) new Uint8Array(copy).set(new Uint8Array(view(library.TF_TensorData(tensor), bytes)))
    library.TF_DeleteTensor(tensor)
    return dtype === 'int32' ? new Int32Array(copy) : dtype === 'bool' ? new Uint8Array(copy) : new Float32Array(copy)
  }

  /** Runs one operation, or a function by its name, now. */
  execute(name: string, inputs: (Pointer | Pointer[])[], attributes: Attributes, count: number): Handle[] {
    const op = this.#prepare(name, inputs, attributes)
    const results = new BigUint64Array(count), number = Int32Array.of(count)
    try {
      this.checked('TFE_Execute', op, results, number)
    } catch (error) {
      throw named(error, name)
    } finally {
      this.library.TFE_DeleteOp(op)
    }
    return Array.from(results.subarray(0, number[0]), pointer => this.describe(pointer))
  }

  /** The same on another thread: the event loop goes on turning. The inputs must live until it ends. */
  async executeElsewhere(name: string, inputs: Pointer[], count: number): Promise<Handle[]> {
    const { library } = this, op = this.#prepare(name, inputs, {}), status = library.TF_NewStatus()
    const results = new BigUint64Array(count), number = Int32Array.of(count)
    try {
      await new Promise<void>((resolve, reject) =>
        library.TFE_Execute.async(op, results, number, status, (error: unknown) => error ? reject(error) : resolve()))
      this.check(status)
    } finally {
      library.TFE_DeleteOp(op)
      library.TF_DeleteStatus(status)
    }
    return Array.from(results.subarray(0, number[0]), pointer => this.describe(pointer))
  }

  #prepare(name: string, inputs: (Pointer | Pointer[])[], attributes: Attributes): Pointer {
    const op = this.checked('TFE_NewOp', this.context, name)
    try {
      for (const input of inputs) {
        if (Array.isArray(input)) this.checked('TFE_OpAddInputList', op, BigUint64Array.from(input), input.length)
        else this.checked('TFE_OpAddInput', op, input)
      }
      const some = Object.keys(attributes).length > 0
      if (some) setAttributes(this.library, 'TFE_Op', op, name, this.definition(name), attributes)
      return op
    } catch (error) {
      this.library.TFE_DeleteOp(op)
      throw named(error, name)
    }
  }

  /** Shape and type of what an operation gave. */
  describe(pointer: Pointer): Handle {
    const rank = this.checked<number>('TFE_TensorHandleNumDims', pointer), shape = new Array<number>(rank)
    for (let d = 0; d < rank; d++) shape[d] = Number(this.checked<number | bigint>('TFE_TensorHandleDim', pointer, d))
    return { pointer, shape, dtype: typeName(this.library.TFE_TensorHandleDataType(pointer))! }
  }

  /** The same tensor once more, to be released for itself. */
  share(pointer: Pointer): Pointer {
    return this.checked('TFE_TensorHandleCopySharingTensor', pointer)
  }

  release(pointer: Pointer): void {
    this.library.TFE_DeleteTensorHandle(pointer)
  }
}

/** Bytes from which on floats are kept on the GPU from the start; what is smaller is mostly a scalar, which operations want here. */
const worthMoving = 256

/** ConfigProto: threads within one operation (field 2) and between operations (field 5). */
const configuration = (threads: number) => Uint8Array.of(0x10, threads, 0x28, threads)

/** A step that was stopped from outside; its results are not there. */
export class Cancelled extends Error {}

function failure(code: number, message: string, doing = ''): Error {
  // TensorFlow's messages go on with how its own graph looked like.
  const [line] = message.split(/\n| \[Op:|\[\[/)
  const words = `TensorFlow${doing ? `, ${doing}` : ''}: `, said = line.trim().replace(/\.?$/, '.')
  return code === 8 ? new OutOfMemory(`${words}out of memory: ${said} Use a smaller batch or image, or freeze more layers: ` +
    'what is frozen is computed outside it.') : new GraftError(words + said)
}

const named = (error: unknown, op: string) => {
  if (error instanceof GraftError && !error.message.includes(op)) {
    error.message = error.message.replace('TensorFlow:', `TensorFlow, ${op}:`)
  }
  return error
}
