import { randomBytes } from 'node:crypto'
import { readFile, stat, unlink, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isAlive } from '../alive.ts'
import { GraftError } from '../error.ts'

/** This machine's name, as it stands in the names of locks and temporary files. */
export const host = hostname().replace(/[^\w-]/g, '_')

/** A lock of another machine is taken over after so long; nobody there writes a model for an hour. */
const stale = 3_600_000

/** How long a save waits for another one of the same file. */
const patience = 120_000

/**
 * Does some work while no other process does such work on the same file: a hidden file beside it tells who is at it. The lock of
 * a process that has died is taken over; a living one is waited for, two minutes at most.
 *
 * @throws GraftError where another process does not come to its end
 */
export async function withLock<T>(target: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  const lock = join(dirname(target), `.${basename(target).slice(0, 200)}.lock`)
  const content = `${host} ${process.pid} ${randomBytes(8).toString('hex')}`
  for (const start = Date.now(); ;) {
    signal?.throwIfAborted()
    const taken = await writeFile(lock, content, { flag: 'wx' }).then(() => true, (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return false
      throw error
    })
    if (taken) break
    await passBy(lock, target, Date.now() - start)
    await sleep(20 + Math.random() * 30)
  }
  try {
    return await work()
  } finally {
    if (await readFile(lock, 'utf8').catch(() => '') === content) await unlink(lock).catch(() => {})
  }
}

/** Removes the lock where its holder is gone; gives up on one that stays. */
async function passBy(lock: string, target: string, waited: number): Promise<void> {
  const holder = await readFile(lock, 'utf8').catch(() => undefined)
  if (holder === undefined) return
  const [machine, pid] = holder.split(' ')
  const age = Date.now() - (await stat(lock).then(({ mtimeMs }) => mtimeMs, () => Date.now()))
  // A lock is empty for the moment between its making and its filling.
  const gone = holder === '' ? age > 2000 : machine === host ? !isAlive(Number(pid)) : age > stale
  if (gone && await readFile(lock, 'utf8').catch(() => undefined) === holder) await unlink(lock).catch(() => {})
  else if (waited > patience) {
    throw new GraftError(
      `cannot save to ${target}: process ${pid} on ${machine} has been saving to it for ${Math.round(waited / 1000)} s. ` +
        `Wait for it, choose another name, or remove ${lock} if it is gone.`,
    )
  }
}
