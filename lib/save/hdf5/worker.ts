import { parentPort } from 'node:worker_threads'
import type { Parts } from '../disk.ts'
import { readHdf5 } from './read.ts'
import { startHdf5, type Hdf5 } from './wasm.ts'
import { writeHdf5 } from './write.ts'
import { difference, type Group } from './tree.ts'

/** What the worker is asked for. */
export type Request = { op: 'write'; root: Group } | { op: 'check'; parts: Parts; root: Group }
  | { op: 'read'; bytes: Uint8Array<ArrayBuffer>; outline: boolean }

/** What it answers. */
export type Reply = { parts: Parts } | { wrong: string | undefined } | { root: Group } | { error: string }

let hdf5: Hdf5 | undefined
let memory = 0

// The library may take memory in proportion to the file it reads, however much the file claims to hold. It grows its memory in
// this one way.
const { grow } = WebAssembly.Memory.prototype
WebAssembly.Memory.prototype.grow = function (pages) {
  if (this.buffer.byteLength + pages * 65536 > memory) throw new RangeError('out of memory')
  return grow.call(this, pages)
}

parentPort!.on('message', async (request: Request) => {
  try {
    memory = request.op === 'read' ? 2 ** 28 + 4 * request.bytes.byteLength : 2 ** 31
    hdf5 ??= await startHdf5()
    if (request.op === 'write') {
      parentPort!.postMessage({ parts: writeHdf5(hdf5, request.root) } satisfies Reply)
    } else if (request.op === 'check') {
      const read = readHdf5(hdf5, request.parts, false, request.root)
      parentPort!.postMessage({ wrong: difference(read, request.root) } satisfies Reply)
    } else {
      const root = readHdf5(hdf5, [request.bytes], request.outline)
      parentPort!.postMessage({ root } satisfies Reply, buffers(root))
    }
  } catch (error) {
    // After an error the library's memory may be damaged and its handles are open: the next request starts a fresh one.
    hdf5 = undefined
    parentPort!.postMessage({ error: String((error as Error)?.message ?? error) } satisfies Reply)
  }
})

function buffers({ groups, datasets }: Group): ArrayBuffer[] {
  return [...[...datasets.values()].flatMap(({ data }) => (data ? [data.buffer] : [])), ...[...groups.values()].flatMap(buffers)]
}
