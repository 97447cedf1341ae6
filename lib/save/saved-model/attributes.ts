import { bool, bytes, entry, type Field, float, int, ints, message, nested, text } from './message.ts'

/** Element types by their number in TensorFlow's `types.proto`. */
export const dtypes = { float32: 1, int32: 3, string: 7, bool: 10, resource: 20 }
export type DType = keyof typeof dtypes

/** A shape: `null` stands for a side that is free. */
export type Shape = readonly (number | null)[]

/** An attribute of an operation, as `attr_value.proto` writes it. */
export type Attribute = Uint8Array

/** `TensorShapeProto`. */
export const shapeProto = (shape: Shape): Uint8Array => message(...shape.map(side => nested(2, int(1, side ?? -1))))

export const typeAttr = (dtype: DType): Attribute => message(int(6, dtypes[dtype]))
export const typesAttr = (list: DType[]): Attribute => message(nested(1, ints(6, list.map(dtype => dtypes[dtype]))))
export const intAttr = (value: number): Attribute => message(int(3, value))
export const intsAttr = (values: readonly number[]): Attribute => message(nested(1, ints(3, values)))
export const floatAttr = (value: number): Attribute => message(float(4, value))
export const boolAttr = (value: boolean): Attribute => message(bool(5, value))
export const textAttr = (value: string): Attribute => message(text(2, value))
export const shapeAttr = (shape: Shape): Attribute => message(bytes(7, shapeProto(shape)))
export const functionAttr = (name: string): Attribute => message(nested(10, text(1, name)))

/** A constant: `TensorProto` with its numbers as they lie in memory, or with its texts. */
export function tensorAttr(
  dtype: DType, shape: Shape, values: readonly number[] | Float32Array | readonly Uint8Array[],
): Attribute {
  const [first] = values
  const content: Field[] = first instanceof Uint8Array ? (values as Uint8Array[]).map(value => bytes(8, value))
    : [bytes(4, contentOf(dtype, values as ArrayLike<number>))]
  return message(nested(8, int(1, dtypes[dtype]), bytes(2, shapeProto(shape)), ...content))
}

function contentOf(dtype: DType, values: ArrayLike<number>): Uint8Array {
  const numbers = dtype === 'float32' ? Float32Array.from(values) : dtype === 'int32' ? Int32Array.from(values)
    : Uint8Array.from(values)
  return new Uint8Array(numbers.buffer)
}

/** A `NodeDef`. */
export const nodeDef = (name: string, op: string, inputs: string[], attributes: Record<string, Attribute>): Uint8Array =>
  message(text(1, name), text(2, op), ...inputs.map(input => text(3, input)),
    ...Object.entries(attributes).map(([key, value]) => entry(5, key, value)))
