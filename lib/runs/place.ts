import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** How much the run log may hold. What is oldest goes first; runs that are under way never go. */
export const limits = { runs: 500, bytes: 2 * 2 ** 30 }

/**
 * Where runs are kept: `GRAFT_RUNS`, else `$XDG_STATE_HOME/graft/runs`, else `~/.local/state/graft/runs`; one folder a run, found
 * again from any notebook and after any restart. `GRAFT_RUNS=off` keeps none: null.
 */
export function runsFolder(): string | null {
  const wish = process.env.GRAFT_RUNS
  if (wish === 'off') return null
  return wish || join(process.env.XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'graft', 'runs')
}

/** The folder of one run, whether it is there or not. */
export const folderOf = (folder: string, id: string): string => join(folder, id)

/** The file of a model's layers and frozen weights, which all runs with the same ones share. */
export const modelFile = (folder: string, key: string): string => join(folder, 'models', `${key}.keras`)

/**
 * Writes a file beside its place and renames it: at every moment it is the whole old one or the whole new one, also through a
 * kill.
 */
export function writeWhole(file: string, content: string | Uint8Array): void {
  const beside = `${file}.${process.pid}.part`
  try {
    writeFileSync(beside, content)
    renameSync(beside, file)
  } catch (error) {
    rmSync(beside, { force: true })
    throw error
  }
}

/** The ids of the runs that are there, the oldest first. */
export function idsIn(folder: string): string[] {
  if (!existsSync(folder)) return []
  const found = readdirSync(folder).flatMap(id => {
    const at = statSync(join(folder, id, 'run.json'), { throwIfNoEntry: false })
    return at ? [{ id, begun: begunAt(join(folder, id, 'run.json')) }] : []
  })
  return found.sort((a, b) => a.begun < b.begun ? -1 : a.begun > b.begun ? 1 : a.id < b.id ? -1 : 1).map(({ id }) => id)
}

// The date stands near the beginning of the record; the history behind it may be long.
function begunAt(file: string): string {
  try {
    return /"started":"([^"]+)"/.exec(readFileSync(file, 'utf8').slice(0, 2000))?.[1] ?? ''
  } catch {
    return ''
  }
}

/** All bytes under a folder. */
export function bytesIn(folder: string): number {
  if (!existsSync(folder)) return 0
  return readdirSync(folder, { withFileTypes: true, recursive: true }).reduce((sum, entry) => entry.isFile()
    ? sum + (statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0) : sum, 0)
}

/** Makes the folder of a new run. */
export function makeFolder(folder: string, id: string): string {
  const made = folderOf(folder, id)
  mkdirSync(made, { recursive: true })
  return made
}
