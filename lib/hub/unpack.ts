import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, open, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { extract } from 'tar-stream'
import { GraftError } from '../error.ts'
import { readZip } from '../save/zip.ts'

/** Files and folders in one archive; the largest models have some dozens. */
const MOST_ENTRIES = 5_000

/** A zip archive is read as a whole; Node reads no larger file so. */
const LARGEST_ZIP = 2 ** 31 - 1

/**
 * Unpacks a tar archive, plain or gzipped, or a zip archive into the new `folder` and returns the model's root: that folder, or
 * the only one in it. Only files and folders are taken; an entry that would lie outside `folder`, a link or a device ends it, as
 * does an archive that unpacks to more than a hundred times its size. Throws a GraftError that names `source`.
 */
export async function unpack(archive: string, folder: string, source: string, signal?: AbortSignal): Promise<string> {
  await mkdir(folder)
  const { size } = await stat(archive), limit = 100 * size + 2 ** 25
  const kind = await kindOf(archive)
  if (typeof kind !== 'string') throw corrupt(source, `it is neither a tar, a gzipped tar nor a zip archive${kind.hint}`)
  if (kind === 'zip') return await unzip(archive, size, folder, source, signal)
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
      const { name, type, size: length } = entry.header, path = safePath(name, source)
      // A size that is no number would have tar-stream wait for ever.
      if (!Number.isSafeInteger(length)) throw corrupt(source, `the size of '${name}' is no number`)
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

/** Packings that others use, by their first bytes. */
const foreign: [string, string][] = [['425a68', 'bzip2'], ['fd377a585a00', 'xz'], ['28b52ffd', 'zstd'], ['377abcaf', '7z'],
  ['526172211a', 'rar']]

async function kindOf(path: string): Promise<'gzip' | 'tar' | 'zip' | { hint: string }> {
  const file = await open(path)
  try {
    const head = Buffer.alloc(512), { bytesRead } = await file.read(head, 0, 512, 0), start = head.toString('hex', 0, 8)
    if (start.startsWith('1f8b')) return 'gzip'
    if (start.startsWith('504b0304') || start.startsWith('504b0506')) return 'zip'
    if (bytesRead === 512 && head.toString('latin1', 257, 262) === 'ustar') return 'tar'
    const other = foreign.find(([bytes]) => start.startsWith(bytes))?.[1]
    if (other) return { hint: ` but ${other}: unpack it and open the folder` }
    if (/^\s*<(!doctype|html|\?xml)/i.test(head.toString('latin1', 0, bytesRead))) return { hint: ' but a web page' }
    return { hint: bytesRead ? '' : ': it is empty' }
  } finally {
    await file.close()
  }
}

async function unzip(archive: string, size: number, folder: string, source: string, signal?: AbortSignal): Promise<string> {
  if (size > LARGEST_ZIP) throw corrupt(source,
    'a zip archive of more than 2 GB cannot be read here; unpack it and open the folder')
  const seen = new Set<string>(), members = zipMembers(await readFile(archive, { signal }), source)
  if (members.size > MOST_ENTRIES) throw corrupt(source, `it has more than ${MOST_ENTRIES} entries`)
  if (!members.size) throw corrupt(source, 'it is empty')
  for (const [name, data] of members) {
    signal?.throwIfAborted()
    const path = safePath(name, source), to = join(folder, path)
    if (name.endsWith('/')) {
      await mkdir(to, { recursive: true })
      continue
    }
    if (seen.has(path)) throw corrupt(source, `it holds '${name}' twice`)
    seen.add(path)
    await mkdir(dirname(to), { recursive: true })
    await writeFile(to, data, { flag: 'wx' })
  }
  return await rootOf(folder)
}

function zipMembers(bytes: Uint8Array, source: string): ReturnType<typeof readZip> {
  try {
    return readZip(bytes)
  } catch (error) {
    throw corrupt(source, (error as Error).message.replace(/\.$/, ''))
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

/** Archives packed by hand often hold one folder with the model in it, and what macOS adds. */
async function rootOf(folder: string): Promise<string> {
  const names = (await readdir(folder)).filter(name => name !== '__MACOSX' && name !== '.DS_Store')
  return names.length === 1 && (await stat(join(folder, names[0]))).isDirectory() ? join(folder, names[0]) : folder
}
