import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { GraftError } from '../error.ts'
import type { ImageShape } from './decode.ts'
import type { Picture } from './picture.ts'
import type { Answer, Order } from './readers-thread.ts'

/** A thread that reads pictures, and what it has been asked for. */
interface Reader {
  worker: Worker
  asked: Map<number, { resolve(picture: Picture): void, reject(error: unknown): void }>
}

const readers: Reader[] = [], most = Math.min(availableParallelism(), 8), idle = 30_000
/** How many pictures keep all threads busy: each has the next one when it is done with one. */
export const readersAtOnce = 2 * most
let last = 0, ending: NodeJS.Timeout | undefined

/**
 * Reads and decodes an image file on a thread of its own, as {@link readPicture} does. Threads take a tenth of a second to
 * start, so they are for many files; they end when nothing has been asked for half a minute, and keep no process alive.
 */
export function readElsewhere(file: string, shape: ImageShape): Promise<Picture> {
  clearTimeout(ending)
  const free = readers.toSorted((a, b) => a.asked.size - b.asked.size)[0]
  const reader = free && (free.asked.size === 0 || readers.length === most) ? free : start(), id = ++last
  return new Promise<Picture>((resolve, reject) => {
    reader.asked.set(id, { resolve, reject })
    reader.worker.ref()
    reader.worker.postMessage({ id, file, shape } satisfies Order)
  })
}

function start(): Reader {
  const code = new URL(`./readers-thread${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)
  // Not the flags that Node was started with: those that name a program (`--eval`, `--input-type`) are not for a thread.
  const worker = new Worker(code, { execArgv: ['--disable-warning=ExperimentalWarning'] })
  const reader: Reader = { worker, asked: new Map() }
  worker.on('message', (answer: Answer) => {
    const { resolve, reject } = reader.asked.get(answer.id)!
    reader.asked.delete(answer.id)
    if ('picture' in answer) resolve(answer.picture)
    else reject('refused' in answer ? new GraftError(answer.refused) : answer.failed)
    rest(reader)
  })
  worker.on('error', error => {
    readers.splice(readers.indexOf(reader), 1)
    for (const { reject } of reader.asked.values()) reject(error)
  })
  readers.push(reader)
  return reader
}

/** Lets a thread that has nothing to do hold up nobody, and all of them go after a while. */
function rest(reader: Reader): void {
  if (reader.asked.size) return
  reader.worker.unref()
  if (readers.some(({ asked }) => asked.size)) return
  clearTimeout(ending)
  ending = setTimeout(() => { for (const { worker } of readers.splice(0)) void worker.terminate() }, idle).unref()
}
