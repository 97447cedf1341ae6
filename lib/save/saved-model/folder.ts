import { randomBytes } from 'node:crypto'
import { mkdir, readdir, realpath, rename, rm, rmdir, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { GraftError } from '../../error.ts'
import { putBack } from '../../put-back.ts'
import { makeFolder, type Placed, sweep } from '../atomic.ts'
import { explain, type Parts, readsAs, sizeOf, syncFolder, writeWhole } from '../disk.ts'
import { host, withLock } from '../lock.ts'

interface Options {
  overwrite?: boolean
  signal?: AbortSignal
  /** Looks at the folder that was written before it takes its place; where it throws, nothing is put there. */
  check?: (folder: string) => Promise<void>
}

/** What a SavedModel's folder holds, by whoever wrote it. A folder with anything else in it is not replaced. */
const own = new Set(['saved_model.pb', 'variables', 'assets', 'assets.extra', 'fingerprint.pb', 'keras_metadata.pb', '.DS_Store'])

/**
 * Writes a folder of files so that `folder` is what it was before or whole and new: everything lies in a hidden folder beside it,
 * is read back, compared byte by byte and synced, and is renamed in the end; one process at a time. A new folder appears at once.
 * One that is there steps aside for it under a hidden name: a process killed between the two renames leaves that, and
 * {@link putBack} does what its name says.
 */
export async function writeFolder(folder: string, files: Map<string, Parts>, options: Options = {}): Promise<Placed> {
  const { overwrite = true, signal } = options, target = await realpath(folder).catch(() => resolve(folder))
  const before = await stat(target).catch(() => undefined), names = before?.isDirectory() ? await readdir(target) : []
  const strange = names.filter(name => !own.has(name))
  if (before && !before.isDirectory())
    throw new GraftError(`cannot save to ${folder}: it is a file. A SavedModel is a folder: choose another name.`)
  if (strange.length)
    throw new GraftError(`cannot save to ${folder}: it holds other files (${strange.slice(0, 3).join(', ')}). ` +
      `A SavedModel takes a folder of its own, such as ${join(folder, '1')}.`)
  if (names.length && !overwrite)
    throw new GraftError(`cannot save to ${folder}: it exists, and overwrite is false. Choose another name, ` +
      'such as the next number.')
  const parent = dirname(target), bytes = [...files.values()].reduce((sum, parts) => sum + sizeOf(parts), 0)
  const made = await makeFolder(folder, parent)
  try {
    await withLock(target, signal, async () => {
      await putBack(target)
      await sweep(parent)
      await swap(target, files, options)
      await syncFolder(parent)
    })
    return { path: target, bytes, replaced: names.length > 0, folder: made.length > 0 }
  } catch (error) {
    for (const each of made) await rmdir(each).catch(() => {})
    throw await explain(error, folder, parent, bytes)
  }
}

async function swap(target: string, files: Map<string, Parts>, { signal, check }: Options): Promise<void> {
  const beside = (rest: string) => join(dirname(target), `.${basename(target)}.${rest}`), id = randomBytes(4).toString('hex')
  const temporary = beside(`${host}.${process.pid}.${id}.part`), old = beside(`${id}.old`)
  try {
    await write(temporary, target, files, signal)
    await check?.(temporary)
    signal?.throwIfAborted()
    const replaced = await rename(target, old).then(() => true, (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false
      throw error
    })
    try {
      await rename(temporary, target)
    } catch (error) {
      if (replaced) await rename(old, target)
      throw error
    }
    if (replaced) await rm(old, { recursive: true, force: true })
  } catch (error) {
    await rm(temporary, { recursive: true, force: true }).catch(() => {})
    throw error
  }
}

async function write(folder: string, target: string, files: Map<string, Parts>, signal?: AbortSignal): Promise<void> {
  const folders = new Set([folder])
  for (const [path, parts] of files) {
    const file = join(folder, path)
    await mkdir(dirname(file), { recursive: true })
    folders.add(dirname(file))
    await writeWhole(file, parts, 0o666, signal)
    if (!(await readsAs(file, parts)))
      throw new GraftError(
        `cannot save to ${target}: the disk does not give back what was written. It may be failing; choose another. ` +
          'Nothing was changed.',
      )
  }
  for (const each of folders) await syncFolder(each)
}
