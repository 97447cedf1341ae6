const tables: Uint32Array[] = []
for (let t = 0; t < 8; t++) {
  tables.push(new Uint32Array(256))
  for (let i = 0; i < 256; i++) {
    let value = t ? tables[t - 1][i] : i
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? value >>> 1 ^ 0x82f63b78 : value >>> 1
    tables[t][i] = value
  }
}
const [t0, t1, t2, t3, t4, t5, t6, t7] = tables

/** CRC-32C (Castagnoli, RFC 3720) of `bytes`, eight bytes a step; or of what came `before` them, too. */
export function crc32c(bytes: Uint8Array, before = 0): number {
  let crc = ~before, i = 0
  for (const end = bytes.length - 7; i < end; i += 8) {
    crc ^= bytes[i] | bytes[i + 1] << 8 | bytes[i + 2] << 16 | bytes[i + 3] << 24
    crc = t7[crc & 255] ^ t6[crc >>> 8 & 255] ^ t5[crc >>> 16 & 255] ^ t4[crc >>> 24]
      ^ t3[bytes[i + 4]] ^ t2[bytes[i + 5]] ^ t1[bytes[i + 6]] ^ t0[bytes[i + 7]]
  }
  for (; i < bytes.length; i++) crc = crc >>> 8 ^ t0[(crc ^ bytes[i]) & 255]
  return (crc ^ 0xffffffff) >>> 0
}

/** The masked form in which TensorFlow and LevelDB store a CRC, so that a CRC of data holding CRCs stays a good one. */
export function maskedCrc32c(bytes: Uint8Array, before = 0): number {
  const crc = crc32c(bytes, before)
  return ((crc >>> 15 | crc << 17) + 0xa282ead8) >>> 0
}

/** A CRC-32C that grows with a stream, in the manner of Node's hashes. */
export class Crc32c {
  #value = 0

  update(bytes: Uint8Array): this {
    this.#value = crc32c(bytes, this.#value)
    return this
  }

  digest(encoding: BufferEncoding): string {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32BE(this.#value)
    return bytes.toString(encoding)
  }
}
