import { GraftError } from '../error.ts'

/** Turns an error of the file system into one that names the folder and the way out; others are given back as they are. */
export function diskError(error: unknown, folder: string, what: string): unknown {
  const { code } = error as NodeJS.ErrnoException
  switch (code) {
    case 'ENOSPC': case 'EDQUOT':
      return new GraftError(`the disk is full: no room for the model in ${what}. Nothing was left behind. Free some space, `
        + 'set GRAFT_CACHE_DIR to a folder on another disk, or open a copy you have: hub.load(\'./folder\').')
    case 'EACCES': case 'EPERM': case 'EROFS':
      return new GraftError(
        `cannot write to ${what}: ${code}. Set GRAFT_CACHE_DIR to a folder you may write to, ` +
          'or open a copy you have: hub.load(\'./folder\').',
      )
    case 'ENOTDIR': case 'EISDIR': case 'ENAMETOOLONG':
      return new GraftError(
        `cannot use ${what}: ${(error as Error).message}. Set GRAFT_CACHE_DIR to a folder, ` +
          'or open a copy you have: hub.load(\'./folder\').',
      )
    default:
      return error
  }
}
