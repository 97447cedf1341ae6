import { chmod, open, statfs } from 'node:fs/promises'
import { GraftError } from '../error.ts'

/** What a file holds, in pieces that are written one after the other. */
export type Parts = Uint8Array[]

export const sizeOf = (parts: Parts): number => parts.reduce((sum, { byteLength }) => sum + byteLength, 0)

const chunk = 8 << 20

/** What is read back is compared while it is in the processor's cache. */
const glance = 256 << 10

/** Writes a new file and waits until the disk has it. */
export async function writeWhole(path: string, parts: Parts, mode: number, signal?: AbortSignal): Promise<void> {
  const file = await open(path, 'wx', mode)
  try {
    let position = 0
    for (const part of parts) {
      for (let at = 0; at < part.byteLength;) {
        signal?.throwIfAborted()
        const { bytesWritten } = await file.write(part, at, Math.min(chunk, part.byteLength - at), position)
        at += bytesWritten
        position += bytesWritten
      }
    }
    await file.sync()
  } finally {
    await file.close()
  }
  if (mode !== 0o666) await chmod(path, mode)
}

/** Whether the disk gives a file back byte for byte as it was written. */
export async function readsAs(path: string, parts: Parts): Promise<boolean> {
  const file = await open(path)
  try {
    if ((await file.stat()).size !== sizeOf(parts)) return false
    const piece = Buffer.allocUnsafe(glance)
    let position = 0
    for (const part of parts) {
      for (let at = 0; at < part.byteLength;) {
        const { bytesRead } = await file.read(piece, 0, Math.min(glance, part.byteLength - at), position)
        if (bytesRead === 0 || piece.compare(part, at, at + bytesRead, 0, bytesRead) !== 0) return false
        at += bytesRead
        position += bytesRead
      }
    }
    return true
  } finally {
    await file.close()
  }
}

/** A renamed file is only safe once its folder is on the disk; Windows has no such call and needs none. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(folder)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** What a failure of the disk means, and the way out. */
export async function explain(error: unknown, path: string, folder: string, bytes: number): Promise<unknown> {
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
