import * as snappy from 'snappyjs'
import { BinaryReader } from '@bufbuild/protobuf/wire'
import { maskedCrc32c } from './crc32c.ts'

const FOOTER = 48, MAGIC_LOW = 0x8b80fb57, MAGIC_HIGH = 0xdb477524
/** A block of an index file is about 4 KiB; one that claims to unpack to more than this is damaged. */
const LARGEST_BLOCK = 1 << 26

/**
 * Reads a LevelDB table (TensorFlow's `io/table`), the format of a checkpoint's index: sorted keys with bytes each. Keys are byte
 * strings: each character is one byte. Blocks are checked by their CRC-32C and may be compressed by snappy. Throws a RangeError
 * at damage.
 */
export function readTable(bytes: Uint8Array): Map<string, Uint8Array> {
  if (bytes.length < FOOTER) throw new RangeError(`a table of ${bytes.length} bytes is shorter than its footer`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.getUint32(bytes.length - 8, true) !== MAGIC_LOW || view.getUint32(bytes.length - 4, true) !== MAGIC_HIGH) {
    throw new RangeError('the magic number at its end is missing')
  }
  const footer = new BinaryReader(bytes.subarray(bytes.length - FOOTER))
  readHandle(footer)
  const entries = new Map<string, Uint8Array>()
  for (const [, handle] of readBlock(bytes, readHandle(footer))) {
    for (const [key, value] of readBlock(bytes, readHandle(new BinaryReader(handle)))) entries.set(key, value)
  }
  return entries
}

interface Handle { offset: number, size: number }

function readHandle(reader: BinaryReader): Handle {
  return { offset: Number(reader.uint64()), size: Number(reader.uint64()) }
}

function* readBlock(file: Uint8Array, { offset, size }: Handle): Generator<[key: string, value: Uint8Array]> {
  if (offset + size + 5 > file.length) throw new RangeError(`a block at ${offset} of ${size} bytes lies outside the file`)
  const stored = file.subarray(offset, offset + size), trailer = new DataView(file.buffer, file.byteOffset + offset + size, 5)
  if (maskedCrc32c(file.subarray(offset, offset + size + 1)) !== trailer.getUint32(1, true)) {
    throw new RangeError(`the checksum of the block at ${offset} does not match`)
  }
  const block = trailer.getUint8(0) === 1 ? uncompress(stored) : stored
  if (block.length < 4) throw new RangeError('a block without restart points')
  const restarts = new DataView(block.buffer, block.byteOffset, block.byteLength).getUint32(block.length - 4, true)
  const end = block.length - 4 - 4 * restarts
  if (end < 0) throw new RangeError('a block with more restart points than bytes')
  const reader = new BinaryReader(block.subarray(0, end))
  let key: Uint8Array = new Uint8Array()
  while (reader.pos < reader.len) {
    const shared = reader.uint32(), fresh = reader.uint32(), length = reader.uint32(), start = reader.pos
    if (shared > key.length || start + fresh + length > end) throw new RangeError('an entry lies outside its block')
    const next = new Uint8Array(shared + fresh)
    next.set(key.subarray(0, shared))
    next.set(block.subarray(start, start + fresh), shared)
    key = next
    reader.pos = start + fresh + length
    const name = Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1')
    yield [name, block.subarray(start + fresh, start + fresh + length)]
  }
}

function uncompress(bytes: Uint8Array): Uint8Array {
  const size = new BinaryReader(bytes).uint32()
  if (size > LARGEST_BLOCK) throw new RangeError(`a compressed block of ${size} bytes`)
  return snappy.uncompress(bytes, LARGEST_BLOCK)
}
