import { readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { bytesIn, folderOf, idsIn, limits } from './place.ts'
import { isUnderWay, readRecord, type RunRecord } from './record.ts'

/** Down to which share of the most there may be the runs go: the next ones then need not look again. */
const left = 0.9

/**
 * Keeps the run log within its limits. Of the oldest runs first the checkpoints go, then models that no run with a checkpoint
 * needs, and beyond the number of runs a tenth of the runs themselves. What is under way stays whole.
 */
export function prune(runs: string, current: string): void {
  let held = bytesIn(runs)
  const crowded = namesIn(runs).length > limits.runs
  // Only then is every record worth reading.
  if (held <= limits.bytes && !crowded) return
  const idle = idsIn(runs).filter(id => id !== current && !underWay(runs, id))
  const excess = crowded ? Math.max(0, idle.length + 1 - Math.floor(left * limits.runs)) : 0
  for (const id of idle.splice(0, excess)) rmSync(folderOf(runs, id), { recursive: true, force: true })
  for (const id of idle) {
    if (held <= limits.bytes) break
    held -= dropCheckpoints(folderOf(runs, id))
  }
  dropModels(runs)
}

/** Removes the models that no run can go on with. */
export function dropModels(runs: string): void {
  const needed = new Set(idsIn(runs).map(id => recordOf(runs, id)).filter(record => record && (isUnderWay(record) ||
    hasCheckpoint(folderOf(runs, record.run.id)))).map(record => record!.circumstances.model))
  const folder = join(runs, 'models')
  for (const name of namesIn(folder)) {
    const [, key] = /^(\w+)\.keras$/.exec(name) ?? []
    if (key && !needed.has(key)) rmSync(join(folder, name), { force: true })
  }
}

const hasCheckpoint = (folder: string) => namesIn(folder).some(isCheckpoint)
const isCheckpoint = (name: string) => name.endsWith('.safetensors')

function dropCheckpoints(folder: string): number {
  let freed = 0
  for (const name of namesIn(folder).filter(isCheckpoint)) {
    freed += statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0
    rmSync(join(folder, name), { force: true })
  }
  return freed
}

const underWay = (runs: string, id: string): boolean => {
  const record = recordOf(runs, id)
  return record !== null && isUnderWay(record)
}

function recordOf(runs: string, id: string): RunRecord | null {
  try {
    return readRecord(id, runs)
  } catch {
    return null
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
