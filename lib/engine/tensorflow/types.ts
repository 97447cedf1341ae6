import type { DataType } from '@tensorflow/tfjs'

/** TensorFlow's numbers for the types of values (types.proto). */
export const typeNumbers = { float32: 1, int32: 3, string: 7, complex64: 8, int64: 9, bool: 10 } as const

export type TypeName = keyof typeof typeNumbers

const names = Object.fromEntries(Object.entries(typeNumbers).map(([name, number]) => [number, name])) as Record<number, TypeName>

/** The name of a type, or nothing for one that TensorFlow.js lacks. */
export const typeName = (number: number): DataType | undefined =>
  names[number] === 'int64' ? undefined : names[number] as DataType | undefined

/** Bytes of one value; of text its header's, `TF_TString`. */
export const sizes: Record<TypeName, number> = { float32: 4, int32: 4, string: 24, complex64: 8, int64: 8, bool: 1 }
