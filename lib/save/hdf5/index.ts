import { Worker } from 'node:worker_threads'
import type { Parts } from '../disk.ts'
import type { Reply, Request } from './worker.ts'
import type { Group } from './tree.ts'

/**
 * HDF5 is written and read by the C library in WebAssembly (h5wasm), in a worker: a hostile file can neither block nor crash the
 * caller, what it may allocate is the worker's, and the caller stays responsive while a large model is packed.
 */
/** Thrown with HDF5's own words; callers add the file's name and the way out. */
export class Hdf5Error extends Error {}

/**
 * Packs a tree as an HDF5 file, in parts to be written one after the other. The datasets' buffers stay the caller's; large ones
 * in shared memory are not copied but parts of the file.
 */
export async function packHdf5(root: Group, signal?: AbortSignal): Promise<Parts> {
  return ((await ask({ op: 'write', root }, Infinity, [], signal)) as { parts: Parts }).parts
}

/** Reads what was packed, and compares it with what it was packed from; resolves to the first difference. */
export async function checkHdf5(parts: Parts, root: Group, signal?: AbortSignal): Promise<string | undefined> {
  return ((await ask({ op: 'check', parts, root }, Infinity, [], signal)) as { wrong: string | undefined }).wrong
}

/**
 * Reads the bytes of an HDF5 file, which are given away. `outline` leaves the datasets' numbers out. A file that takes longer
 * than 20 s and 1 s per 10 MB is given up as damaged.
 */
export async function unpackHdf5(
  bytes: Uint8Array<ArrayBuffer>,
  { outline = false, signal }: { outline?: boolean; signal?: AbortSignal } = {},
): Promise<Group> {
  const limit = 20_000 + bytes.byteLength / 10_000
  const given = bytes.buffer instanceof ArrayBuffer ? [bytes.buffer] : []
  return ((await ask({ op: 'read', bytes, outline }, limit, given, signal)) as { root: Group }).root
}

let worker: Worker | undefined
let idle: NodeJS.Timeout | undefined
let queue: Promise<unknown> = Promise.resolve()

/** One request after the other: when one is interrupted and its worker ended, no other is lost with it. */
function ask(request: Request, limit: number, give: ArrayBuffer[], signal?: AbortSignal): Promise<Reply> {
  const answer = queue.then(() => askNow(request, limit, give, signal))
  queue = answer.catch(() => {})
  return answer
}

async function askNow(request: Request, limit: number, give: ArrayBuffer[], signal?: AbortSignal): Promise<Reply> {
  signal?.throwIfAborted()
  clearTimeout(idle)
  const asked = (worker ??= new Worker(new URL(`./worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)))
  asked.ref()
  let settle: (error: Error | null, reply?: Reply) => void
  const answer = new Promise<Reply>((resolve, reject) => {
    settle = (error, reply) => (error ? reject(error) : resolve(reply as Reply))
  })
  const replied = (reply: Reply) => settle('error' in reply ? new Hdf5Error(reply.error) : null, reply)
  const giveUp = (reason: Error) => {
    worker = undefined
    asked.terminate()
    settle(reason)
  }
  const failed = (error: Error) => giveUp(new Hdf5Error(error.message))
  const ended = () => giveUp(new Hdf5Error('the HDF5 worker ended'))
  const aborted = () => giveUp(signal!.reason)
  const timer =
    limit < Infinity
      ? setTimeout(() => giveUp(new Hdf5Error(`it could not be read within ${Math.round(limit / 1000)} s`)), limit)
      : undefined
  asked.on('message', replied).on('error', failed).on('exit', ended)
  signal?.addEventListener('abort', aborted)
  try {
    asked.postMessage(request, give)
    return await answer
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', aborted)
    asked.off('message', replied).off('error', failed).off('exit', ended)
    if (worker === asked) rest(asked)
  }
}

/** An idle worker holds no process up, and after half a minute gives its memory back. */
function rest(at: Worker): void {
  at.unref()
  idle = setTimeout(() => {
    worker = undefined
    at.terminate()
  }, 30_000)
  idle.unref()
}
