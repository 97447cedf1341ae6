import { join, sep } from 'node:path'

/** The folder that holds Graft's own package.json. */
export const graftRoot = join(import.meta.dirname, '..', '..')

const ownParts = ['kernel', 'lib'].map(part => join(graftRoot, part) + sep)

/** A file of the user's, not of a package and not Graft's own; these may change while the kernel runs. */
export function isLocal(path: string): boolean {
  return !path.includes(`${sep}node_modules${sep}`) && !ownParts.some(part => path.startsWith(part))
}
