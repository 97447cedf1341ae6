import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'

/** One field of a protobuf message, ready to be written. */
export type Field = (writer: BinaryWriter) => void

/** The bytes of a message with these fields; `false` stands for a field that is left out. */
export function message(...fields: (Field | false | undefined)[]): Uint8Array {
  const writer = new BinaryWriter()
  for (const field of fields) if (field) field(writer)
  return writer.finish()
}

export const bytes = (number: number, value: Uint8Array): Field =>
  writer => { writer.tag(number, WireType.LengthDelimited).bytes(value) }

export const text = (number: number, value: string): Field =>
  writer => { writer.tag(number, WireType.LengthDelimited).string(value) }

export const int = (number: number, value: number): Field => writer => { writer.tag(number, WireType.Varint).int64(value) }

export const bool = (number: number, value: boolean): Field => writer => { writer.tag(number, WireType.Varint).bool(value) }

export const float = (number: number, value: number): Field => writer => { writer.tag(number, WireType.Bit32).float(value) }

export const fixed32 = (number: number, value: number): Field => writer => { writer.tag(number, WireType.Bit32).fixed32(value) }

/** A repeated number in its packed form. */
export const ints = (number: number, values: readonly number[]): Field => writer => {
  writer.tag(number, WireType.LengthDelimited).fork()
  for (const value of values) writer.int64(value)
  writer.join()
}

/** A message within a message. */
export const nested = (number: number, ...fields: (Field | false | undefined)[]): Field => bytes(number, message(...fields))

/** One entry of a map from texts to messages. */
export const entry = (number: number, key: string, value: Uint8Array): Field => nested(number, text(1, key), bytes(2, value))
