import { crc32, inflateRawSync } from 'node:zlib'
import { GraftError } from '../error.ts'
import { sizeOf, type Parts } from './disk.ts'

/**
 * A zip archive in memory; all that a `.keras` file needs of PKWARE's APPNOTE: members stored as they are, no encryption, below
 * 4 GB.
 */
export type Members = Map<string, Uint8Array<ArrayBuffer>>

/** Members to be packed; one may lie in several parts. */
export type Packing = Map<string, Uint8Array | Parts>

const limit = 2 ** 32 - 1,
  utf8 = 0x800

/** Packs members uncompressed, in their order, as Keras does. Returns the archive in pieces. */
export function writeZip(members: Packing): Parts {
  const parts: Parts = [],
    directory: Parts = []
  const now = new Date()
  const time = (now.getHours() << 11) | (now.getMinutes() << 5) | (now.getSeconds() >> 1)
  const date = (Math.max(0, now.getFullYear() - 1980) << 9) | ((now.getMonth() + 1) << 5) | now.getDate()
  let at = 0
  for (const [name, given] of members) {
    const label = Buffer.from(name, 'utf8'), data = Array.isArray(given) ? given : [given], length = sizeOf(data)
    if (at + length > limit)
      throw new GraftError(`the archive would be larger than 4 GB, which a .keras file written here cannot be. Save as .h5.`)
    // Version, flags, method (0: stored), time, date, checksum, size twice, name's length, extra's length.
    const common = Buffer.alloc(26)
    common.writeUInt16LE(20, 0)
    common.writeUInt16LE(utf8, 2)
    common.writeUInt16LE(time, 6)
    common.writeUInt16LE(date, 8)
    common.writeUInt32LE(data.reduce((sum, part) => crc32(part, sum), 0), 10)
    common.writeUInt32LE(length, 14)
    common.writeUInt32LE(length, 18)
    common.writeUInt16LE(label.length, 22)
    const entry = Buffer.alloc(46)
    entry.writeUInt32LE(0x02014b50, 0)
    entry.writeUInt16LE(20, 4)
    common.copy(entry, 6)
    entry.writeUInt32LE(at, 42)
    parts.push(Buffer.from('PK\x03\x04', 'latin1'), common, label, ...data)
    directory.push(entry, label)
    at += 30 + label.length + length
  }
  const size = sizeOf(directory)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(members.size, 8)
  end.writeUInt16LE(members.size, 10)
  end.writeUInt32LE(size, 12)
  end.writeUInt32LE(at, 16)
  return [...parts, ...directory, end]
}

/**
 * Reads the members of a zip archive, checked by their checksums. Together they may take 256 MB and 32 times the archive's size:
 * beyond that an archive is a bomb. Throws a GraftError where it is damaged.
 */
export function readZip(bytes: Uint8Array): Members {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    members: Members = new Map()
  const fail = (why: string) => new GraftError(`the archive is damaged or incomplete (${why}). Save or copy it again.`)
  let end = bytes.byteLength - 22
  while (end >= 0 && end > bytes.byteLength - 22 - 65536 && view.getUint32(end, true) !== 0x06054b50) end--
  if (end < 0 || view.getUint32(end, true) !== 0x06054b50) throw fail('it has no directory')
  const count = view.getUint16(end + 10, true)
  let at = view.getUint32(end + 16, true),
    budget = 2 ** 28 + 32 * bytes.byteLength
  for (let i = 0; i < count; i++) {
    if (at + 46 > end || view.getUint32(at, true) !== 0x02014b50) throw fail('its directory is broken')
    const flags = view.getUint16(at + 8, true),
      method = view.getUint16(at + 10, true),
      sum = view.getUint32(at + 16, true)
    const packed = view.getUint32(at + 20, true),
      size = view.getUint32(at + 24, true),
      label = view.getUint16(at + 28, true)
    const header = view.getUint32(at + 42, true)
    const name = Buffer.from(bytes.subarray(at + 46, at + 46 + label)).toString('utf8')
    at += 46 + label + view.getUint16(at + 30, true) + view.getUint16(at + 32, true)
    if (flags & 1) throw new GraftError(`the member '${name}' is encrypted. Unpack the archive and pack it without a password.`)
    if (size === limit || packed === limit || header === limit)
      throw new GraftError('the archive is larger than 4 GB, which cannot be read here. Save as .h5.')
    budget -= size
    if (budget < 0) throw fail(`its members claim to be far larger than it is`)
    if (header + 30 > end || view.getUint32(header, true) !== 0x04034b50) throw fail(`'${name}' is not where it should be`)
    const from = header + 30 + view.getUint16(header + 26, true) + view.getUint16(header + 28, true)
    if (from + packed > end) throw fail(`'${name}' ends early`)
    const data = unpack(bytes.slice(from, from + packed), method, size)
    if (!data || data.byteLength !== size || crc32(data) !== sum) throw fail(`the checksum of '${name}' is wrong`)
    members.set(name, data)
  }
  return members
}

function unpack(data: Uint8Array<ArrayBuffer>, method: number, size: number): Uint8Array<ArrayBuffer> | undefined {
  if (method === 0) return data
  if (method !== 8) return undefined
  try {
    return new Uint8Array(inflateRawSync(data, { maxOutputLength: Math.max(1, size) }))
  } catch {
    return undefined
  }
}
