import { parse, stringify } from './own.ts'

/** What the kernel and its child tell each other: a small header and parts that are passed on unread (JSON text, binary buffers). */
export interface Frame<H> {
  header: H
  parts: Uint8Array[]
}

/** Packs a frame for a pipe: its length, the header's length, the header as JSON with the sizes of the parts, and the parts. */
export function encodeFrame(header: object, parts: Uint8Array[] = []): Buffer {
  const head = Buffer.from(stringify(parts.length ? { ...header, sizes: parts.map(part => part.length) } : header))
  const lengths = Buffer.alloc(8)
  const frame = Buffer.concat([lengths, head, ...parts])
  frame.writeUInt32LE(frame.length - 4, 0)
  frame.writeUInt32LE(head.length, 4)
  return frame
}

/** Cuts what comes through a pipe, in pieces of any size, into frames. */
export class FrameReader<H> {
  #chunks: Buffer[] = []
  #length = 0
  #needed = 4

  /** The frames that this piece completes. */
  push(chunk: Buffer): Frame<H>[] {
    this.#chunks.push(chunk)
    this.#length += chunk.length
    const frames: Frame<H>[] = []
    while (this.#length >= this.#needed) {
      const all = this.#chunks.length === 1 ? this.#chunks[0] : Buffer.concat(this.#chunks)
      const total = all.readUInt32LE(0) + 4
      if (all.length >= total) frames.push(decode(all.subarray(4, total)))
      const rest = all.length >= total ? all.subarray(total) : all
      this.#needed = all.length >= total ? 4 : total
      this.#chunks = rest.length ? [rest] : []
      this.#length = rest.length
    }
    return frames
  }
}

function decode<H>(frame: Buffer): Frame<H> {
  const start = 4 + frame.readUInt32LE(0)
  const { sizes = [], ...header } = parse(frame.toString('utf8', 4, start)) as H & { sizes?: number[] }
  let at = start
  return { header: header as H, parts: sizes.map(size => frame.subarray(at, at += size)) }
}
