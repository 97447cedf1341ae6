import { type BinaryReader, WireType } from '@bufbuild/protobuf/wire'
import { int64, readMessage, readRepeated, text } from './proto.ts'

/** TensorFlow's element types by their number in `types.proto`, as far as model files use them. */
export const dataTypes: Record<number, string> = {
  1: 'float32',
  2: 'float64',
  3: 'int32',
  4: 'uint8',
  5: 'int16',
  6: 'int8',
  7: 'string',
  9: 'int64',
  10: 'bool',
  14: 'bfloat16',
  19: 'float16',
  20: 'resource',
  22: 'uint32',
  23: 'uint64',
}

/** The name of an element type; reference types (number + 100, TF1 variables) count as the type they refer to. */
export const dataType = (number: number): string => dataTypes[number % 100] ?? `type ${number}`

/** Numbers of one tensor: 64-bit integers as doubles, 16-bit floats as float32, booleans as 0 and 1. */
export type Numbers = Float32Array | Float64Array | Int32Array | Uint8Array

/** A dense tensor read from a file. Strings are kept apart, since only names and labels are ever strings. */
export interface DenseTensor {
  dtype: string
  shape: number[]
  data: Numbers
  strings?: Uint8Array[]
}

/** Elements of a shape; an unknown dimension (-1) counts as none. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((size, dimension) => size * Math.max(dimension, 0), 1)

/** More elements than this in one tensor is taken for damage: 2³¹ bytes of float32. */
const MOST_ELEMENTS = 2 ** 29

/** Reads a `TensorShapeProto`: unknown dimensions are -1, an unknown rank is `null`. */
export function readShape(bytes: Uint8Array): number[] | null {
  const shape: number[] = []
  let unknown = false
  readMessage(bytes, {
    2: r => {
      let size = 0
      readMessage(r.bytes(), { 1: d => { size = int64(d) } })
      shape.push(size)
    },
    3: r => { unknown = r.bool() },
  })
  return unknown ? null : shape
}

/** Little-endian bytes of `count` elements as numbers. Throws where the bytes are too few. */
export function numbersOf(dtype: string, bytes: Uint8Array, count: number): Numbers {
  const width = WIDTHS[dtype]
  if (!width) throw new RangeError(`elements of type ${dtype} cannot be read as numbers`)
  if (bytes.byteLength !== width * count)
    throw new RangeError(`${count} elements of ${dtype} need ${width * count} bytes, ${bytes.byteLength} found`)
  const { buffer, byteOffset } = bytes.byteOffset % width ? new Uint8Array(bytes) : bytes
  switch (dtype) {
    case 'float32':
      return new Float32Array(buffer, byteOffset, count)
    case 'float64':
      return new Float64Array(buffer, byteOffset, count)
    case 'int32':
      return new Int32Array(buffer, byteOffset, count)
    case 'uint32':
      return Float64Array.from(new Uint32Array(buffer, byteOffset, count))
    case 'int64':
      return Float64Array.from(new BigInt64Array(buffer, byteOffset, count), Number)
    case 'uint64':
      return Float64Array.from(new BigUint64Array(buffer, byteOffset, count), Number)
    case 'int16':
      return Int32Array.from(new Int16Array(buffer, byteOffset, count))
    case 'int8':
      return Int32Array.from(new Int8Array(buffer, byteOffset, count))
    case 'float16':
      return Float32Array.from(new Uint16Array(buffer, byteOffset, count), halfToNumber)
    case 'bfloat16':
      return new Float32Array(Uint32Array.from(new Uint16Array(buffer, byteOffset, count), bits => bits << 16).buffer)
    default:
      return new Uint8Array(buffer, byteOffset, count)
  }
}

const WIDTHS: Record<string, number> = {
  float32: 4, float64: 8, int32: 4, uint32: 4, int64: 8, uint64: 8, int16: 2, int8: 1, uint8: 1, bool: 1, float16: 2, bfloat16: 2,
}

function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1, exponent = bits >> 10 & 31, fraction = bits & 1023
  if (exponent === 31) return fraction ? NaN : sign * Infinity
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -14 * (fraction / 1024))
}

/** Reads a `TensorProto`. Its value fields may hold fewer elements than its shape: the last one then fills the rest. */
export function readTensor(bytes: Uint8Array): DenseTensor {
  let dtype = 'float32', shape: number[] = [], content: Uint8Array | undefined
  const values: number[] = [], halves: number[] = [], strings: Uint8Array[] = []
  const repeated = (one: (reader: BinaryReader) => number, out = values) =>
    (reader: BinaryReader, wire: WireType) => readRepeated(reader, wire, one, out)
  readMessage(bytes, {
    1: r => { dtype = dataType(r.int32()) },
    2: r => { shape = readShape(r.bytes()) ?? [] },
    4: r => { content = r.bytes() },
    5: repeated(r => r.float()),
    6: repeated(r => r.double()),
    7: repeated(r => r.int32()),
    8: r => { strings.push(r.bytes()) },
    10: repeated(int64),
    11: repeated(r => Number(r.bool())),
    13: repeated(r => r.int32(), halves),
    16: repeated(r => r.uint32()),
  })
  const count = sizeOf(shape)
  if (count > MOST_ELEMENTS) throw new RangeError(`a constant of ${count} elements`)
  if (dtype === 'string') return { dtype, shape, data: new Uint8Array(), strings }
  if (content?.length) return { dtype, shape, data: numbersOf(dtype, content, count) }
  if (halves.length) values.push(...numbersOf(dtype, new Uint8Array(Uint16Array.from(halves).buffer), halves.length))
  const data = dtype === 'float32' || dtype.endsWith('float16') ? new Float32Array(count)
    : dtype === 'int32' ? new Int32Array(count) : dtype === 'bool' ? new Uint8Array(count) : new Float64Array(count)
  if (values.length) data.fill(values[values.length - 1])
  data.set(values.slice(0, count))
  return { dtype, shape, data }
}

/** A string tensor's only element as text. */
export const scalarText = (tensor: DenseTensor): string => tensor.strings?.[0] ? text(tensor.strings[0]) : ''
