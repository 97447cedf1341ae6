import { GraftError } from '../../error.ts'
import { koffi } from './foreign.ts'

/** The address of one of TensorFlow's objects. Whoever made it deletes it. */
export type Pointer = bigint

type Foreign<F extends (...args: never[]) => unknown> = F & {
  async(...args: [...Parameters<F>, (error: unknown, result: ReturnType<F>) => void]): void
}

// One line each: result, name, arguments as in tensorflow/c/{c_api,tf_tensor,tf_tstring,tf_status,tf_buffer}.h and
// tensorflow/c/eager/c_api.h. A wrong one ends the process.
const declarations = {
  TF_Version: ['str', []],
  TF_NewStatus: ['void *', []],
  TF_DeleteStatus: ['void', ['void *']],
  TF_GetCode: ['int', ['void *']],
  TF_Message: ['str', ['void *']],
  TF_AllocateTensor: ['void *', ['int', 'void *', 'int', 'size_t']],
  TF_DeleteTensor: ['void', ['void *']],
  TF_TensorData: ['void *', ['void *']],
  TF_TensorByteSize: ['size_t', ['void *']],
  TF_GetAllOpList: ['void *', []],
  TF_DeleteBuffer: ['void', ['void *']],
  TF_NewGraph: ['void *', []],
  TF_DeleteGraph: ['void', ['void *']],
  TF_NewOperation: ['void *', ['void *', 'str', 'str']],
  TF_AddInput: ['void', ['void *', 'TF_Output']],
  TF_AddInputList: ['void', ['void *', 'void *', 'int']],
  TF_AddControlInput: ['void', ['void *', 'void *']],
  TF_FinishOperation: ['void *', ['void *', 'void *']],
  TF_OperationNumOutputs: ['int', ['void *']],
  TF_OperationOutputType: ['int', ['TF_Output']],
  TF_GraphGetTensorNumDims: ['int', ['void *', 'TF_Output', 'void *']],
  TF_GraphGetTensorShape: ['void', ['void *', 'TF_Output', 'void *', 'int', 'void *']],
  TF_SetAttrString: ['void', ['void *', 'str', 'void *', 'size_t']],
  TF_SetAttrInt: ['void', ['void *', 'str', 'int64_t']],
  TF_SetAttrIntList: ['void', ['void *', 'str', 'void *', 'int']],
  TF_SetAttrFloat: ['void', ['void *', 'str', 'float']],
  TF_SetAttrBool: ['void', ['void *', 'str', 'uint8_t']],
  TF_SetAttrType: ['void', ['void *', 'str', 'int']],
  TF_SetAttrShape: ['void', ['void *', 'str', 'void *', 'int']],
  TF_SetAttrTensor: ['void', ['void *', 'str', 'void *', 'void *']],
  TF_GraphToFunction: ['void *',
    ['void *', 'str', 'uint8_t', 'int', 'void *', 'int', 'void *', 'int', 'void *', 'void *', 'void *', 'void *', 'void *']],
  TF_DeleteFunction: ['void', ['void *']],
  TFE_NewContextOptions: ['void *', []],
  TFE_ContextOptionsSetConfig: ['void', ['void *', 'void *', 'size_t', 'void *']],
  TFE_DeleteContextOptions: ['void', ['void *']],
  TFE_NewContext: ['void *', ['void *', 'void *']],
  TFE_ContextListDevices: ['void *', ['void *', 'void *']],
  TF_DeviceListCount: ['int', ['void *']],
  TF_DeviceListType: ['str', ['void *', 'int', 'void *']],
  TF_DeleteDeviceList: ['void', ['void *']],
  TFE_ContextAddFunction: ['void', ['void *', 'void *', 'void *']],
  TFE_ContextRemoveFunction: ['void', ['void *', 'str', 'void *']],
  TFE_NewTensorHandle: ['void *', ['void *', 'void *']],
  TFE_DeleteTensorHandle: ['void', ['void *']],
  TFE_TensorHandleDataType: ['int', ['void *']],
  TFE_TensorHandleNumDims: ['int', ['void *', 'void *']],
  TFE_TensorHandleDim: ['int64_t', ['void *', 'int', 'void *']],
  TFE_TensorHandleCopySharingTensor: ['void *', ['void *', 'void *']],
  TFE_TensorHandleCopyToDevice: ['void *', ['void *', 'void *', 'str', 'void *']],
  TFE_TensorHandleResolve: ['void *', ['void *', 'void *']],
  TFE_NewOp: ['void *', ['void *', 'str', 'void *']],
  TFE_DeleteOp: ['void', ['void *']],
  TFE_OpAddInput: ['void', ['void *', 'void *', 'void *']],
  TFE_OpAddInputList: ['void', ['void *', 'void *', 'int', 'void *']],
  TFE_OpSetAttrString: ['void', ['void *', 'str', 'void *', 'size_t']],
  TFE_OpSetAttrInt: ['void', ['void *', 'str', 'int64_t']],
  TFE_OpSetAttrIntList: ['void', ['void *', 'str', 'void *', 'int']],
  TFE_OpSetAttrFloat: ['void', ['void *', 'str', 'float']],
  TFE_OpSetAttrBool: ['void', ['void *', 'str', 'uint8_t']],
  TFE_OpSetAttrType: ['void', ['void *', 'str', 'int']],
  TFE_OpSetAttrShape: ['void', ['void *', 'str', 'void *', 'int', 'void *']],
  TFE_Execute: ['void', ['void *', 'void *', 'void *', 'void *']],
} satisfies Record<string, [result: string, args: string[]]>

type Name = keyof typeof declarations

/** TensorFlow's C functions, by name. */
export type Library = Record<Name, Foreign<(...args: unknown[]) => never>> & {
  TF_Version: () => string
}

/** An output of an operation in a graph, as TensorFlow's C functions take it. */
export interface Output { oper: Pointer, index: number }

/**
 * Loads TensorFlow's two shared libraries and proves, by small calculations, that their functions are what is declared here.
 *
 * @param framework path of libtensorflow_framework
 * @param main path of libtensorflow_cc
 * @throws GraftError where they do not load or compute something else
 */
export function loadLibrary(framework: string, main: string): Library {
  const output = koffi.struct('TF_Output', { oper: 'void *', index: 'int' })
  try {
    koffi.load(framework, { global: true, lazy: true })
    const library = koffi.load(main, { global: true, lazy: true })
    const functions = Object.entries(declarations).map(([name, [result, args]]) =>
      [name, library.func(name, result, args.map(type => type === 'TF_Output' ? output : type))])
    return Object.fromEntries(functions) as Library
  } catch (error) {
    throw new GraftError(`libtensorflow does not load: ${(error as Error).message.split('\n')[0]}`)
  }
}

/** The memory at an address, not copied: it is TensorFlow's. */
export const view = (address: Pointer, bytes: number): ArrayBuffer => koffi.view(address, bytes)

/** Whether an address is none. */
export const isNull = (address: unknown): boolean => !address

/** TF_Buffer's first two fields: an address and a length. */
export function bytesOf(buffer: Pointer): Uint8Array {
  const [address, length] = new BigUint64Array(view(buffer, 16))
  return new Uint8Array(view(address, Number(length)))
}

/** A `TF_Output[]`: 16 bytes each. */
export function outputs(list: Output[]): BigUint64Array {
  const packed = new BigUint64Array(list.length * 2)
  list.forEach(({ oper, index }, i) => {
    packed[2 * i] = oper
    packed[2 * i + 1] = BigInt(index)
  })
  return packed
}
