import type { Dataset } from './hdf5/tree.ts'

/** Memory that the HDF5 worker sees without a copy. To all others it is memory like any other. */
export const shared = (bytes: number): ArrayBuffer => new SharedArrayBuffer(bytes) as unknown as ArrayBuffer

/** A dataset's numbers as float32, in which everything is computed here. */
export function toFloats({ dtype, data }: Dataset): Float32Array<ArrayBuffer> {
  const { buffer } = data as Uint8Array<ArrayBuffer>
  switch (dtype) {
    case 'float32':
      return new Float32Array(buffer)
    case 'float64':
      return Float32Array.from(new Float64Array(buffer))
    case 'float16':
      return Float32Array.from(new Uint16Array(buffer), half)
    case 'int8':
      return Float32Array.from(new Int8Array(buffer))
    case 'int16':
      return Float32Array.from(new Int16Array(buffer))
    case 'int32':
      return Float32Array.from(new Int32Array(buffer))
    case 'int64':
      return Float32Array.from(new BigInt64Array(buffer), Number)
    case 'uint16':
      return Float32Array.from(new Uint16Array(buffer))
    case 'uint32':
      return Float32Array.from(new Uint32Array(buffer))
    case 'uint64':
      return Float32Array.from(new BigUint64Array(buffer), Number)
    default:
      return Float32Array.from(data as Uint8Array)
  }
}

/** IEEE 754 half precision. */
function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1,
    exponent = (bits >> 10) & 31,
    fraction = bits & 1023
  if (exponent === 31) return fraction ? NaN : sign * Infinity
  return exponent ? sign * 2 ** (exponent - 15) * (1 + fraction / 1024) : sign * 2 ** -14 * (fraction / 1024)
}
