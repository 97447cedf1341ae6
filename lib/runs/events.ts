import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import { maskedCrc32c } from '../hub/crc32c.ts'

/** A number for TensorBoard: its curve, its place on the axis and when it was measured (seconds since 1970). */
export interface Scalar { tag: string, step: number, value: number, time: number }

/** The bytes a file of events begins with: its version, as TensorFlow's EventsWriter writes it. */
export const eventsHeader = (time: number): Uint8Array =>
  record(new BinaryWriter().tag(1, WireType.Bit64).double(time).tag(3, WireType.LengthDelimited).string('brain.Event:2').finish())

/**
 * The bytes of one event (tensorflow/core/util/event.proto: wall_time 1, step 2, summary 5; summary.proto: value 1 with tag 1,
 * simple_value 2).
 */
export function eventOf({ tag, step, value, time }: Scalar): Uint8Array {
  const scalar = new BinaryWriter().tag(1, WireType.LengthDelimited).string(tag).tag(2, WireType.Bit32).float(value).finish()
  const summary = new BinaryWriter().tag(1, WireType.LengthDelimited).bytes(scalar).finish()
  return record(new BinaryWriter().tag(1, WireType.Bit64).double(time).tag(2, WireType.Varint).int64(step)
    .tag(5, WireType.LengthDelimited).bytes(summary).finish())
}

/** A TFRecord: the length, its checksum, the bytes, their checksum (CRC-32C, masked). */
function record(data: Uint8Array): Uint8Array {
  const out = Buffer.alloc(16 + data.length)
  out.writeBigUInt64LE(BigInt(data.length), 0)
  out.writeUInt32LE(maskedCrc32c(out.subarray(0, 8)), 8)
  out.set(data, 12)
  out.writeUInt32LE(maskedCrc32c(data), 12 + data.length)
  return out
}
