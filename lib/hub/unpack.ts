import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, open, readdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { extract } from 'tar-stream'
import { GraftError } from '../error.ts'

/** Files and folders in one archive; the largest models have some dozens. */
const MOST_ENTRIES = 5_000

/**
 * Unpacks a tar archive, plain or gzipped, into the new `folder` and returns the model's root: that folder, or the only one in
 * it. Only files and folders are taken; an entry that would lie outside `folder`, a link or a device ends it, as does an archive
 * that unpacks to more than a hundred times its size. Throws a GraftError that names `source`.
 */
export async function unpack(archive: string, folder: string, source: string, signal?: AbortSignal): Promise<string> {
  await mkdir(folder)
  const { size } = await stat(archive), limit = 100 * size + 2 ** 25
  const kind = await kindOf(archive)
  if (!kind) throw corrupt(source, 'it is neither a tar nor a gzipped tar archive')
  const steps = kind === 'gzip' ? [createGunzip()] : []
  // A tar that is destroyed in the middle of an entry would leave that entry's reader waiting for ever.
  const broken = new AbortController(), stop = AbortSignal.any([broken.signal, ...(signal ? [signal] : [])])
  const seen = new Set<string>()
  let unpacked = 0
  const counter = new Transform({
    transform(chunk: Buffer, _, done) {
      unpacked += chunk.length
      done(
        unpacked > limit
          ? corrupt(source, `it unpacks to more than ${Math.round(limit / 2 ** 20)} MB, a hundred times its size`)
          : null,
        chunk,
      )
    },
  })
  const tar = extract()
  const write = async () => {
    for await (const entry of tar) {
      const { name, type } = entry.header, path = safePath(name, source)
      if (seen.has(path) && type !== 'directory') throw corrupt(source, `it holds '${name}' twice`)
      if (seen.add(path).size > MOST_ENTRIES) throw corrupt(source, `it has more than ${MOST_ENTRIES} entries`)
      if (type === 'directory') await mkdir(join(folder, path), { recursive: true })
      else if (type === 'file' || type === 'contiguous-file') {
        await mkdir(dirname(join(folder, path)), { recursive: true })
        await pipeline(entry as unknown as Readable, createWriteStream(join(folder, path), { flags: 'wx' }), { signal: stop })
      } else throw corrupt(source, `entry '${name}' is a ${type}; only files and folders may be in a model`)
      entry.resume()
    }
  }
  const reading = pipeline([createReadStream(archive), ...steps, counter, tar], { signal }).catch(error => {
    broken.abort()
    throw error
  })
  const writing = write().catch(error => { tar.destroy(error as Error); throw error })
  const failures = (await Promise.allSettled([reading, writing]))
    .filter(r => r.status === 'rejected')
    .map(r => r.reason as NodeJS.ErrnoException)
  const failure =
    failures.find(e => e instanceof GraftError) ??
    failures.find(isDisk) ??
    failures.find(e => e.name !== 'AbortError') ??
    failures[0]
  if (signal?.aborted) throw signal.reason
  if (failure) throw failure instanceof GraftError || isDisk(failure) ? failure : corrupt(source, failure.message)
  if (!seen.size) throw corrupt(source, 'it is empty')
  return await rootOf(folder)
}

const isDisk = (error: NodeJS.ErrnoException) => /^E(NOSPC|DQUOT|ACCES|PERM|ROFS|IO|MFILE|NAMETOOLONG)$/.test(error.code ?? '')

const corrupt = (source: string, what: string) =>
  new GraftError(
    `the archive of '${source}' is damaged or no model: ${what}. Try again, or open a folder you have: hub.load('./folder').`,
  )

async function kindOf(path: string): Promise<'gzip' | 'tar' | null> {
  const file = await open(path)
  try {
    const head = Buffer.alloc(512)
    const { bytesRead } = await file.read(head, 0, 512, 0)
    if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip'
    return bytesRead === 512 && head.toString('latin1', 257, 262) === 'ustar' ? 'tar' : null
  } finally {
    await file.close()
  }
}

/** The entry's path inside the folder it is unpacked to. */
export function safePath(name: string, source: string): string {
  const parts = name.split('/').filter(part => part && part !== '.')
  if (name.startsWith('/') || /^[a-z]:/i.test(name) || /[\\\0]/.test(name) || parts.includes('..')) {
    throw corrupt(source, `entry '${name}' would be written outside the model's folder`)
  }
  return join('.', ...parts)
}

/** Archives packed by hand often hold one folder with the model in it. */
async function rootOf(folder: string): Promise<string> {
  const names = await readdir(folder)
  return names.length === 1 && (await stat(join(folder, names[0]))).isDirectory() ? join(folder, names[0]) : folder
}
