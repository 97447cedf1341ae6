import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { access, chmod, mkdir, open, readdir, realpath, rename, rmdir, stat, statfs, unlink } from 'node:fs/promises'
import { hostname } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { isAlive } from '../alive.ts'
import { GraftError } from '../error.ts'

/** Where a file was put, and what had to be made for it. */
export interface Placed {
  path: string
  bytes: number
  replaced: boolean
  folder: boolean
}

const host = hostname().replace(/[^\w-]/g, '_')
const mine = new Set<string>()
const chunk = 8 << 20

/**
 * Writes a file so that at every moment `path` is either what it was before or the whole new file, even through a kill or a power
 * cut: a temporary file beside it, `verify` on what the disk gives back, fsync, rename, fsync of the folder.
 * Missing folders are made. On any failure nothing new is left.
 */
export async function writeAtomically(
  path: string,
  bytes: Uint8Array,
  verify: (written: Uint8Array<ArrayBuffer>) => Promise<void>,
  { overwrite = true, signal }: { overwrite?: boolean; signal?: AbortSignal } = {},
): Promise<Placed> {
  const target = await realpath(path).catch(() => resolve(path))
  const before = await stat(target).catch(() => undefined)
  if (before?.isDirectory())
    throw new GraftError(`cannot save to ${path}: it is a folder. Give a file name in it, such as ${join(path, 'model.h5')}.`)
  if (before && !overwrite)
    throw new GraftError(
      `cannot save to ${path}: it exists, and overwrite is false. Choose another name, or let it be overwritten.`,
    )
  if (
    before &&
    ((before.mode & 0o222) === 0 ||
      !(await access(target, constants.W_OK).then(
        () => true,
        () => false,
      )))
  ) {
    throw new GraftError(`cannot save to ${path}: the file is read-only. Choose another name, or allow writing (chmod u+w).`)
  }
  const folder = dirname(target)
  const made = await makeFolder(path, folder)
  await sweep(folder)
  const temporary = join(folder, `.${basename(target)}.${host}.${process.pid}.${randomBytes(4).toString('hex')}.part`)
  mine.add(temporary)
  try {
    await writeWhole(temporary, bytes, before ? before.mode & 0o777 : 0o666, signal)
    await verify(await readWhole(temporary))
    signal?.throwIfAborted()
    await rename(temporary, target)
    await syncFolder(folder)
    return { path: target, bytes: bytes.byteLength, replaced: before !== undefined, folder: made.length > 0 }
  } catch (error) {
    await unlink(temporary).catch(() => {})
    for (const each of made) await rmdir(each).catch(() => {})
    throw await explain(error, path, folder, bytes.byteLength)
  } finally {
    mine.delete(temporary)
  }
}

/** Makes the folder; returns what had to be made, innermost first. */
async function makeFolder(path: string, folder: string): Promise<string[]> {
  const made: string[] = []
  for (let at = folder; !(await stat(at).catch(() => undefined)); at = dirname(at)) made.push(at)
  try {
    // One by one: with `recursive` Node never comes back from a folder such as /proc, which refuses with ENOENT.
    for (const each of made.toReversed()) {
      await mkdir(each).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error
      })
    }
    if (!(await stat(folder)).isDirectory()) throw Object.assign(new Error('not a folder'), { code: 'ENOTDIR' })
  } catch (error) {
    for (const each of made) await rmdir(each).catch(() => {})
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOTDIR' || code === 'EEXIST')
      throw new GraftError(
        `cannot save to ${path}: ${made.length ? dirname(made.at(-1)!) : folder} is a file, not a folder. Choose another place.`,
      )
    throw await explain(error, path, dirname(made.at(-1) ?? folder), 0)
  }
  return made
}

async function writeWhole(path: string, bytes: Uint8Array, mode: number, signal?: AbortSignal): Promise<void> {
  const file = await open(path, 'wx', mode)
  try {
    for (let at = 0; at < bytes.byteLength;) {
      signal?.throwIfAborted()
      at += (await file.write(bytes, at, Math.min(chunk, bytes.byteLength - at), at)).bytesWritten
    }
    await file.sync()
  } finally {
    await file.close()
  }
  if (mode !== 0o666) await chmod(path, mode)
}

async function readWhole(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const file = await open(path)
  try {
    const bytes = new Uint8Array((await file.stat()).size)
    for (let at = 0; at < bytes.byteLength;) {
      const { bytesRead } = await file.read(bytes, at, Math.min(1 << 30, bytes.byteLength - at), at)
      if (bytesRead === 0) throw new Error('the file ended early')
      at += bytesRead
    }
    return bytes
  } finally {
    await file.close()
  }
}

/** A renamed file is only safe once its folder is on the disk; Windows has no such call and needs none. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(folder)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Removes what killed processes of this machine left here. */
async function sweep(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => [])
  for (const name of names) {
    const [, at, pid] = /^\..+\.([\w-]+)\.(\d+)\.[0-9a-f]{8}\.part$/.exec(name) ?? []
    const path = join(folder, name)
    if (at === host && !mine.has(path) && (Number(pid) === process.pid || !isAlive(Number(pid)))) await unlink(path).catch(() => {})
  }
}

async function explain(error: unknown, path: string, folder: string, bytes: number): Promise<unknown> {
  if (error instanceof GraftError) return error
  const { code, name } = error as NodeJS.ErrnoException
  const kept = 'Nothing was changed.'
  if (name === 'AbortError' || name === 'Interrupted') return interrupted(path)
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    const space = await statfs(folder).then(
      ({ bavail, bsize }) => `, ${megabytes(bavail * bsize)} are free`,
      () => '',
    )
    return new GraftError(
      `cannot save to ${path}: the disk is full. The file needs ${megabytes(bytes)}${space}. ` +
        `Free some space or choose another disk. ${kept}`,
    )
  }
  if (code === 'EROFS') return new GraftError(`cannot save to ${path}: the disk is read-only. Choose another place.`)
  if (code === 'EACCES' || code === 'EPERM')
    return new GraftError(`cannot save to ${path}: no permission to write in ${folder}. Choose another folder. ${kept}`)
  if (code === 'ENAMETOOLONG') return new GraftError(`cannot save to ${path}: the name is too long. Choose a shorter one.`)
  return new GraftError(`cannot save to ${path}: ${(error as Error).message}. ${kept}`, { cause: error })
}

/** What an interrupted save ends in. */
export const interrupted = (path: string): GraftError => new GraftError(`saving to ${path} was interrupted. Nothing was changed.`)

/** `12.3 MB`. */
export const megabytes = (bytes: number): string =>
  bytes < 1e6 ? `${(bytes / 1e3).toFixed(bytes < 1e4 ? 1 : 0)} kB` : `${(bytes / 1e6).toFixed(bytes < 1e8 ? 1 : 0)} MB`
