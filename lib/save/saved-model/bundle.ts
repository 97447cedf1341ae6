import { BinaryWriter } from '@bufbuild/protobuf/wire'
import { crc32c, maskedCrc32c } from '../../hub/crc32c.ts'
import type { Parts } from '../disk.ts'
import { dtypes, shapeProto } from './attributes.ts'
import { bytes, fixed32, int, message, nested } from './message.ts'
import { writeTable } from './table.ts'

/** A variable as a checkpoint holds it. */
export interface Saved {
  key: string
  shape: number[]
  data: Float32Array
}

/** The key of a checkpoint's object graph. */
const objectGraphKey = '_CHECKPOINTABLE_OBJECT_GRAPH'

/**
 * A checkpoint (TensorFlow's "tensor bundle") of one shard: the variables in the order of their keys, then the object graph
 * (`TrackableObjectGraph`), by which TensorFlow finds them.
 */
export function writeBundle(variables: Saved[], objectGraph: Uint8Array): { index: Parts, data: Parts } {
  const entries = new Map([['', message(int(1, 1), nested(3, int(1, 1)))]]), data: Uint8Array[] = []
  let offset = 0
  const add = (key: string, dtype: number, shape: number[], content: Uint8Array, crc: number) => {
    const place = offset > 0 && int(4, offset)
    entries.set(key, message(int(1, dtype), bytes(2, shapeProto(shape)), place, int(5, content.length), fixed32(6, crc)))
    data.push(content)
    offset += content.length
  }
  const byKey = [...variables].sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)))
  for (const { key, shape, data: values } of byKey) {
    const content = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
    add(key, dtypes.float32, shape, content, maskedCrc32c(content))
  }
  add(objectGraphKey, dtypes.string, [], ...textTensor(objectGraph))
  return { index: [writeTable(entries)], data }
}

/** A tensor of one text: its length, the checksum of that (as 32 bits), the bytes; and the checksum of all. */
function textTensor(value: Uint8Array): [content: Uint8Array, crc: number] {
  const length = new Uint8Array(Uint32Array.of(value.length).buffer), check = maskedCrc32c(length)
  const content = new BinaryWriter().uint64(value.length).fixed32(check).raw(value).finish()
  // The length counts here as the 32 bits of its own checksum, not as it is written.
  return [content, maskedCrc32c(value, crc32c(new Uint8Array(Uint32Array.of(check).buffer), crc32c(length)))]
}
