import { BinaryReader, WireType } from '@bufbuild/protobuf/wire'

/** What to do with each field number of a message; all other fields are skipped. */
export type Fields = Record<number, (reader: BinaryReader, wire: WireType) => void>

/** Reads one protobuf message field by field. Damaged bytes throw a `RangeError` or `Error`, never read past the end. */
export function readMessage(bytes: Uint8Array, fields: Fields): void {
  const reader = new BinaryReader(bytes)
  while (reader.pos < reader.len) {
    const [number, wire] = reader.tag()
    const field = fields[number]
    if (field) field(reader, wire)
    else reader.skip(wire, number)
  }
}

/** Reads a repeated scalar, packed or not, into `out`. */
export function readRepeated(reader: BinaryReader, wire: WireType, one: (reader: BinaryReader) => number, out: number[]): void {
  if (wire !== WireType.LengthDelimited) {
    out.push(one(reader))
    return
  }
  const packed = new BinaryReader(reader.bytes())
  while (packed.pos < packed.len) out.push(one(packed))
}

/** Reads one entry of a protobuf map from strings to messages, strings or bytes. */
export function readEntry(bytes: Uint8Array): [key: string, value: Uint8Array] {
  let key = '', value: Uint8Array = new Uint8Array()
  readMessage(bytes, { 1: r => { key = r.string() }, 2: r => { value = r.bytes() } })
  return [key, value]
}

const decoder = new TextDecoder()

/** Bytes as UTF-8 text. */
export const text = (bytes: Uint8Array): string => decoder.decode(bytes)

/** A 64-bit integer as a number; beyond ±2⁵³ precision is lost, which no size or shape in a model file reaches. */
export const int64 = (reader: BinaryReader): number => Number(reader.int64())
