import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat, unlink, writeFile } from 'node:fs/promises'
import { homedir, hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isAlive } from '../alive.ts'
import { GraftError } from '../error.ts'
import { diskError } from './disk.ts'

/** A lock whose holder writes nothing for this long is taken over, as tensorflow_hub does. */
const STALE_MS = 10 * 60_000

/**
 * The folder that keeps downloaded models: `TFHUB_CACHE_DIR` if set (shared with Python's tensorflow_hub), else
 * `GRAFT_CACHE_DIR`/hub, else `~/.cache/graft/hub`. Its layout is tensorflow_hub's: one folder per handle, named by the handle's
 * SHA-1, with a `.descriptor.txt` beside it.
 */
export function cacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  if (environment.TFHUB_CACHE_DIR) return environment.TFHUB_CACHE_DIR
  const root = environment.GRAFT_CACHE_DIR ?? join(environment.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'graft')
  return join(root, 'hub')
}

/** Where the model of `handle` lies, or will. */
export const entryOf = (cache: string, handle: string): string => join(cache, createHash('sha1').update(handle).digest('hex'))

/** Whether a folder holds a whole model; an empty or half-written one does not count. */
export async function isWhole(folder: string): Promise<boolean> {
  const names = await readdir(folder).catch(() => [] as string[])
  return names.includes('saved_model.pb') || names.includes('saved_model.pbtxt') || names.includes('model.json')
}

/**
 * Gives the cached folder of `handle`, or lets `fill` write it somewhere under a temporary folder: what it returns is renamed
 * when it is complete, so that nothing half-written is ever found. Other processes (tensorflow_hub's too) wait for the lock. What
 * `fill` throws is passed on, and nothing is left.
 */
export async function cached(
  cache: string,
  handle: string,
  fill: (temporary: string) => Promise<string>,
  signal: AbortSignal,
): Promise<string> {
  const entry = entryOf(cache, handle),
    lock = `${entry}.lock`,
    id = randomUUID().replaceAll('-', ''),
    temporary = `${entry}.${id}.tmp`
  for (;;) {
    if (await isWhole(entry)) return entry
    signal.throwIfAborted()
    try {
      await mkdir(cache, { recursive: true })
      await writeFile(lock, `${hostname()}.${process.pid}.${id}`, { flag: 'wx' })
      break
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw diskError(error, cache, `the model cache (${cache})`)
      await otherHolder(entry, lock, signal)
    }
  }
  try {
    await mkdir(temporary)
    const model = await fill(temporary)
    if (!(await isWhole(model))) {
      throw new GraftError(
        `'${handle}' is not a SavedModel: the archive has no saved_model.pb at its root. ` +
          'Open another one with hub.load(\'./folder\').',
      )
    }
    await rm(entry, { recursive: true, force: true })
    await rename(model, entry)
    await writeFile(
      `${entry}.descriptor.txt`,
      `Module: ${handle}\nDownload Time: ${new Date().toISOString()}\nDownloader Hostname: ${hostname()} (PID:${process.pid})`,
    )
    return entry
  } catch (error) {
    throw diskError(error, cache, `the model cache (${cache})`)
  } finally {
    await rm(temporary, { recursive: true, force: true })
    await unlink(lock).catch(() => {})
  }
}

/** Waits while another process downloads; removes its lock where it has died or stands still. */
async function otherHolder(entry: string, lock: string, signal: AbortSignal): Promise<void> {
  let last = '', since = Date.now()
  for (;;) {
    const holder = await readFile(lock, 'utf8').catch(() => null)
    if (holder === null) return
    const parts = holder.split('.'), id = parts.at(-1)!, pid = Number(parts.at(-2)), host = parts.slice(0, -2).join('.')
    const now = `${holder} ${await sizeOnDisk(`${entry}.${id}.tmp`)}`
    if (now !== last) { last = now; since = Date.now() }
    if (host === hostname() && !isAlive(pid) || Date.now() - since > STALE_MS) {
      await rm(`${entry}.${id}.tmp`, { recursive: true, force: true })
      await unlink(lock).catch(() => {})
      return
    }
    await sleep(250, undefined, { signal })
  }
}

async function sizeOnDisk(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true }).catch(() => [] as string[])
  const sizes = await Promise.all(names.map(name => stat(join(folder, name)).then(info => info.size, () => 0)))
  return sizes.reduce((sum, size) => sum + size, 0)
}
