import type { Parts } from '../disk.ts'
import { shared } from '../numbers.ts'
import type { Hdf5 } from './wasm.ts'

/** What the library's own file system keeps of a file, and calls to read and write it (Emscripten's MEMFS). */
export interface FileNode {
  contents: Uint8Array<ArrayBuffer>
  usedBytes: number
  stream_ops: { read: Transfer; write: Transfer }
}
type Transfer = (stream: unknown, memory: Uint8Array, offset: number, length: number, position: number) => number

/** A run of bytes that lies elsewhere, and where in the file it stands. */
interface Piece { position: number; bytes: Uint8Array }

/** A file without bytes in the library's file system. */
export function makeFile(hdf5: Hdf5, path: string): FileNode {
  hdf5.FS.writeFile(path, new Uint8Array(0), { canOwn: true })
  return hdf5.FS.lookupPath(path).node
}

/** Makes a file of the library's file system that reads the parts where they lie. */
export function mountParts(hdf5: Hdf5, path: string, parts: Parts): void {
  const node = makeFile(hdf5, path), pieces: Piece[] = []
  let end = 0
  for (const bytes of parts) {
    pieces.push({ position: end, bytes })
    end += bytes.byteLength
  }
  node.usedBytes = end
  node.stream_ops = {
    ...node.stream_ops,
    read(_, memory, offset, wanted, position) {
      const length = Math.max(0, Math.min(wanted, end - position)), last = position + length
      let at = position
      for (let i = pieces.findLastIndex(piece => piece.position <= position); at < last; i++) {
        const { position: start, bytes } = pieces[i], part = bytes.subarray(at - start, last - start)
        memory.set(part, offset + at - position)
        at += part.byteLength
      }
      return length
    },
  }
}

/**
 * Collects what the library writes to a file in `contents`, which should have room for it all: it is copied to grow. While
 * `lend` runs, what is written from the given place of the library's memory is taken from the given bytes instead, which are
 * neither copied there nor into the file: they become a part of it where they lie.
 */
export class Collector {
  readonly #node: FileNode
  readonly #pieces: Piece[] = []
  #lent: { pointer: number; bytes: Uint8Array } | undefined

  constructor(node: FileNode, contents: Uint8Array<ArrayBuffer>) {
    this.#node = node
    node.contents = contents
    node.stream_ops = {
      ...node.stream_ops,
      write: (_, memory, offset, length, position) => {
        const { pointer = Infinity, bytes } = this.#lent ?? {}
        if (bytes && offset >= pointer && offset + length <= pointer + bytes.byteLength)
          this.#pieces.push({ position, bytes: bytes.subarray(offset - pointer, offset - pointer + length) })
        else {
          if (position + length > node.contents.length) node.contents = grown(node.contents, position + length)
          node.contents.set(memory.subarray(offset, offset + length), position)
        }
        node.usedBytes = Math.max(node.usedBytes, position + length)
        return length
      },
    }
  }

  lend<T>(pointer: number, bytes: Uint8Array, work: () => T): T {
    this.#lent = { pointer, bytes }
    try {
      return work()
    } finally {
      this.#lent = undefined
    }
  }

  /** The file, once it is closed. */
  parts(): Parts {
    const { contents, usedBytes } = this.#node, parts: Parts = []
    let at = 0
    for (const { position, bytes } of this.#pieces.toSorted((a, b) => a.position - b.position)) {
      if (position < at) throw new Error('two values were written to one place')
      if (position > at) parts.push(contents.subarray(at, position))
      parts.push(bytes)
      at = position + bytes.byteLength
    }
    if (usedBytes > at) parts.push(contents.subarray(at, usedBytes))
    return parts
  }
}

function grown(contents: Uint8Array<ArrayBuffer>, least: number): Uint8Array<ArrayBuffer> {
  const more = new Uint8Array(shared(2 * least))
  more.set(contents)
  return more
}
