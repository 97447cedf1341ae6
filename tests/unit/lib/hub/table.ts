import { BinaryWriter } from '@bufbuild/protobuf/wire'
import { maskedCrc32c } from '../../../../lib/hub/crc32c.ts'

/** One block of entries, keys sharing their beginnings, with one restart point. */
function block(pairs: (readonly [string | Uint8Array, string | Uint8Array])[]): Uint8Array {
  const writer = new BinaryWriter()
  let last = Buffer.alloc(0)
  for (const [key, value] of pairs) {
    const bytes = typeof key === 'string' ? Buffer.from(key, 'latin1') : Buffer.from(key),
      content = typeof value === 'string' ? Buffer.from(value) : value
    let shared = 0
    while (shared < last.length && shared < bytes.length && last[shared] === bytes[shared]) shared++
    writer.uint32(shared).uint32(bytes.length - shared).uint32(content.length).raw(bytes.subarray(shared)).raw(content)
    last = bytes
  }
  return writer.raw(Uint8Array.of(0, 0, 0, 0, 1, 0, 0, 0)).finish()
}

/** A LevelDB table of the given data blocks, with good checksums: what damage a checksum cannot tell is the reader's to find. */
export function sealed(blocks: Uint8Array[], type = 0): Uint8Array {
  const parts: Uint8Array[] = []
  let at = 0
  const add = (content: Uint8Array, kind: number) => {
    const checked = Buffer.concat([content, Uint8Array.of(kind)]), crc = Buffer.alloc(4)
    crc.writeUInt32LE(maskedCrc32c(checked))
    parts.push(checked, crc)
    const handle = new BinaryWriter().uint64(at).uint64(content.length).finish()
    at += content.length + 5
    return handle
  }
  const handles = blocks.map(content => add(content, type))
  const index = add(block(handles.map((handle, i) => [`k${i}`, handle] as const)), 0)
  const footer = Buffer.alloc(48)
  footer.set(Buffer.concat([new BinaryWriter().uint64(0).uint64(0).finish(), index]))
  footer.writeUInt32LE(0x8b80fb57, 40)
  footer.writeUInt32LE(0xdb477524, 44)
  return Buffer.concat([...parts, footer])
}

/** A table of `pairs`, its data block packed by `compress` (snappy) if given. */
export function table(
  pairs: (readonly [string, string | Uint8Array])[],
  compress?: (block: Uint8Array) => Uint8Array,
): Uint8Array {
  const content = block(pairs)
  return sealed([compress ? compress(content) : content], compress ? 1 : 0)
}
