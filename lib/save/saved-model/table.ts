import { BinaryWriter } from '@bufbuild/protobuf/wire'
import { maskedCrc32c } from '../../hub/crc32c.ts'

/** A block of about this size is closed, as LevelDB does. */
const blockSize = 4096
/** Every so many entries a key stands in full. */
const restartInterval = 16

/**
 * The bytes of a LevelDB table (TensorFlow's `io/table`), in which a checkpoint's index is kept: keys in the order of their
 * bytes, with bytes each, in blocks with a CRC-32C, and a block that tells where the others are. Nothing is compressed.
 */
export function writeTable(entries: Map<string, Uint8Array>): Uint8Array {
  const sorted = [...entries].map(([key, value]) => [Buffer.from(key), value] as const).sort(([a], [b]) => a.compare(b))
  const file = new BinaryWriter(), index: [Buffer, Uint8Array][] = []
  let at = 0
  const put = (content: Uint8Array): Uint8Array => {
    // One byte tells that the block is not compressed; it counts for the checksum.
    const stored = Buffer.concat([content, Uint8Array.of(0)]), offset = at
    file.raw(stored).fixed32(maskedCrc32c(stored))
    at += stored.length + 4
    return new BinaryWriter().uint64(offset).uint64(content.length).finish()
  }
  for (let from = 0; from < sorted.length;) {
    let to = from, size = 0
    while (to < sorted.length && size < blockSize) {
      size += sorted[to][0].length + sorted[to][1].length
      to++
    }
    index.push([sorted[to - 1][0], put(block(sorted.slice(from, to)))])
    from = to
  }
  const meta = put(block([])), handle = put(block(index, 1)), footer = Buffer.alloc(48)
  footer.set(meta)
  footer.set(handle, meta.length)
  footer.writeUInt32LE(0x8b80fb57, 40)
  footer.writeUInt32LE(0xdb477524, 44)
  return file.raw(footer).finish()
}

/** Entries one after the other, of each key only what differs from the one before; then where whole keys stand. */
function block(entries: (readonly [Buffer, Uint8Array])[], interval = restartInterval): Uint8Array {
  const writer = new BinaryWriter(), restarts = entries.length ? [] as number[] : [0]
  let before: Buffer = Buffer.alloc(0), at = 0
  for (const [i, [key, value]] of entries.entries()) {
    let shared = 0
    if (i % interval === 0) restarts.push(at)
    else while (shared < Math.min(key.length, before.length) && key[shared] === before[shared]) shared++
    const head = new BinaryWriter().uint32(shared).uint32(key.length - shared).uint32(value.length).finish()
    writer.raw(head).raw(key.subarray(shared)).raw(value)
    at += head.length + key.length - shared + value.length
    before = key
  }
  for (const restart of [...restarts, restarts.length]) writer.fixed32(restart)
  return writer.finish()
}
