import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { access, mkdir, readdir, readFile, realpath, rename, rm, rmdir, stat, unlink } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { isAlive } from '../alive.ts'
import { GraftError } from '../error.ts'
import { explain, readsAs, sizeOf, syncFolder, writeWhole, type Parts } from './disk.ts'
import { host, withLock } from './lock.ts'

/** Where a file was put, and what had to be made for it. */
export interface Placed {
  path: string
  bytes: number
  replaced: boolean
  folder: boolean
}

export interface Options {
  overwrite?: boolean
  signal?: AbortSignal
  /** Looks at what is written while the disk is busy with it; where it throws, nothing is put in place. */
  check?: () => Promise<void>
  /** Files of the same folder that this one names, by name. Their names tell their contents, so that none is ever changed. */
  beside?: Map<string, Parts>
  /** Files beside that an earlier one of this name may have named: they go once it is replaced. */
  obsolete?: (name: string) => boolean
}

const mine = new Set<string>()

/**
 * Writes a file so that at every moment `path` is either what it was before or the whole new file, even through a kill or a power
 * cut: a temporary file beside it, compared byte by byte with what the disk gives back, fsync, rename, fsync of the folder; one
 * process at a time. Missing folders are made. On any failure nothing new is left.
 */
export async function writeAtomically(path: string, parts: Parts, options: Options = {}): Promise<Placed> {
  const { overwrite = true, signal, beside = new Map() } = options
  const target = await realpath(path).catch(() => resolve(path))
  const before = await stat(target).catch(() => undefined)
  if (before?.isDirectory())
    throw new GraftError(`cannot save to ${path}: it is a folder. Give a file name in it, such as ${join(path, 'model.h5')}.`)
  if (before && !overwrite)
    throw new GraftError(
      `cannot save to ${path}: it exists, and overwrite is false. Choose another name, or let it be overwritten.`,
    )
  if (before && ((before.mode & 0o222) === 0 || !(await mayWrite(target))))
    throw new GraftError(`cannot save to ${path}: the file is read-only. Choose another name, or allow writing (chmod u+w).`)
  const folder = dirname(target), bytes = sizeOf([...parts, ...[...beside.values()].flat()])
  const made = await makeFolder(path, folder)
  const added: string[] = []
  try {
    await withLock(target, signal, async () => {
      await sweep(folder)
      for (const [name, content] of beside) {
        if (await put(join(folder, name), content, 0o666, signal)) added.push(join(folder, name))
      }
      await put(target, parts, before ? before.mode & 0o777 : 0o666, signal, options.check)
      await syncFolder(folder)
      if (options.obsolete) {
        for (const name of await readdir(folder)) {
          if (options.obsolete(name) && !beside.has(name)) await unlink(join(folder, name)).catch(() => {})
        }
      }
    })
    return { path: target, bytes, replaced: before !== undefined, folder: made.length > 0 }
  } catch (error) {
    for (const each of added) await unlink(each).catch(() => {})
    for (const each of made) await rmdir(each).catch(() => {})
    throw await explain(error, path, folder, bytes)
  }
}

/** Puts a file in its place; resolves to whether it was not there as it shall be. */
async function put(
  target: string, parts: Parts, mode: number, signal?: AbortSignal, check?: () => Promise<void>,
): Promise<boolean> {
  if (!check && await readsAs(target, parts).catch(() => false)) return false
  const temporary = join(dirname(target), `.${basename(target)}.${host}.${process.pid}.${randomBytes(4).toString('hex')}.part`)
  mine.add(temporary)
  try {
    // Whatever the check finds, it is waited for: nothing of it may go on when the caller has its answer.
    const checked = check?.().then(() => undefined, (error: unknown) => ({ error }))
    try {
      await writeWhole(temporary, parts, mode, signal)
      if (!(await readsAs(temporary, parts)))
        throw new GraftError(
          `cannot save to ${target}: the disk does not give back what was written. It may be failing; choose another. ` +
            'Nothing was changed.',
        )
    } finally {
      await checked
    }
    const wrong = await checked
    if (wrong) throw wrong.error
    signal?.throwIfAborted()
    await rename(temporary, target)
    return true
  } catch (error) {
    await unlink(temporary).catch(() => {})
    throw error
  } finally {
    mine.delete(temporary)
  }
}

const mayWrite = (path: string): Promise<boolean> =>
  access(path, constants.W_OK).then(
    () => true,
    () => false,
  )

/** Makes the folder; returns what had to be made, innermost first. */
export async function makeFolder(path: string, folder: string): Promise<string[]> {
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

/** Removes what killed processes of this machine left here. */
export async function sweep(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => [])
  const gone = (pid: string) => Number(pid) === process.pid || !isAlive(Number(pid))
  for (const name of names) {
    const path = join(folder, name)
    const [, at, pid] = /^\..+\.([\w-]+)\.(\d+)\.[0-9a-f]{8}\.part$/.exec(name) ?? []
    if (at === host && !mine.has(path) && gone(pid)) await rm(path, { recursive: true, force: true }).catch(() => {})
    if (!/^\..+\.lock$/.test(name)) continue
    const [, machine, holder] = /^([\w-]+) (\d+) [0-9a-f]{16}$/.exec(await readFile(path, 'utf8').catch(() => '')) ?? []
    if (machine === host && Number(holder) !== process.pid && !isAlive(Number(holder))) await unlink(path).catch(() => {})
  }
}
