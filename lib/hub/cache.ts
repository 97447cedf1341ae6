import { createHash, randomUUID } from 'node:crypto'
import { access, constants, link, mkdir, readdir, readFile, rename, rm, stat, unlink, writeFile } from 'node:fs/promises'
import { homedir, hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isAlive } from '../alive.ts'
import { GraftError } from '../error.ts'
import { diskError } from './disk.ts'
import { isWhole } from './whole.ts'

/** A lock whose holder writes nothing for this long is taken over, as tensorflow_hub does. */
const STALE_MS = 10 * 60_000
const NAMELESS_MS = 3000

/**
 * The folders that keep downloaded models, in the order in which they are looked through: `TFHUB_CACHE_DIR` if set (shared with
 * Python's tensorflow_hub), and one's own, `GRAFT_CACHE_DIR`/hub or `~/.cache/graft/hub`. Their layout is tensorflow_hub's: one
 * folder per handle, named by the handle's SHA-1, with a `.descriptor.txt` beside it.
 */
export function cacheFolders(environment: NodeJS.ProcessEnv = process.env): string[] {
  const root = environment.GRAFT_CACHE_DIR ?? join(environment.XDG_CACHE_HOME ?? join(environment.HOME ?? homedir(), '.cache'),
    'graft')
  return [...environment.TFHUB_CACHE_DIR ? [environment.TFHUB_CACHE_DIR] : [], join(root, 'hub')]
}

/** The folder that downloads go to: the first, or one's own where the first is there to be read only, as a class shares one. */
export async function writableCache([first, ...others]: string[]): Promise<string> {
  if (!others.length) return first
  const denied = await access(first, constants.W_OK).then(() => false, error => /^E(ACCES|PERM|ROFS)$/.test(error.code))
  return denied ? others.at(-1)! : first
}

/** Where the model of `handle` lies in a cache, or will. */
export const entryOf = (cache: string, handle: string): string => join(cache, createHash('sha1').update(handle).digest('hex'))

/** The folder of a model that is in one of the caches, or null. */
export async function findCached(caches: string[], handle: string): Promise<string | null> {
  for (const cache of caches) if (await isWhole(entryOf(cache, handle))) return entryOf(cache, handle)
  return null
}

/** The handles of all models that are in the caches, as their descriptors tell. */
export async function cachedHandles(caches: string[]): Promise<string[]> {
  const handles = await Promise.all(caches.map(async cache => {
    const names = (await readdir(cache).catch(() => [] as string[])).filter(name => name.endsWith('.descriptor.txt'))
    return await Promise.all(names.map(async name => {
      const text = await readFile(join(cache, name), 'utf8').catch(() => '')
      const handle = /^Module: (.*)$/m.exec(text)?.[1]
      return handle && await isWhole(entryOf(cache, handle)) ? [handle] : []
    }))
  }))
  return [...new Set(handles.flat(2))].sort()
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
    content = `${hostname()}.${process.pid}.${id}`,
    temporary = `${entry}.${id}.tmp`
  for (;;) {
    if (await isWhole(entry)) return entry
    signal.throwIfAborted()
    try {
      await mkdir(cache, { recursive: true })
      await place(lock, content, id)
      break
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw diskError(error, cache, `the model cache (${cache})`)
      await otherHolder(entry, lock, signal)
    }
  }
  try {
    // Another process may have finished between the look and the lock.
    if (await isWhole(entry)) return entry
    await mkdir(temporary)
    const model = await fill(temporary)
    if (!(await isWhole(model))) {
      throw new GraftError(
        `'${handle}' is no model: what came has no saved_model.pb with its variables and no model.json with its weights at its root. ` +
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
    // After a long standstill the lock may be another's.
    if (await readFile(lock, 'utf8').catch(() => null) === content) await unlink(lock).catch(() => {})
  }
}

/**
 * Places a lock with its content at once: a process that is killed between the two would leave a lock that names nobody. Where the
 * disk knows no links, one after the other.
 */
async function place(lock: string, content: string, id: string): Promise<void> {
  const own = `${lock}.${id}`
  await writeFile(own, content)
  try {
    await link(own, lock)
  } catch (error) {
    if (!/^E(PERM|NOTSUP|OPNOTSUPP|NOSYS|MLINK)$/.test((error as NodeJS.ErrnoException).code ?? '')) throw error
    await writeFile(lock, content, { flag: 'wx' })
  } finally {
    await unlink(own).catch(() => {})
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
    // A lock that stays empty is of a process that ended before it wrote its name.
    const patience = holder ? STALE_MS : NAMELESS_MS
    if (host === hostname() && !isAlive(pid) || Date.now() - since > patience) {
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
