import { readdirSync, readFileSync } from 'node:fs'

/** The processes that a process started, and those they started, where the system tells (Linux); else none. */
export function descendants(pid: number): number[] {
  try {
    const children = readdirSync(`/proc/${pid}/task`).flatMap(task =>
      readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number))
    return children.flatMap(child => [child, ...descendants(child)])
  } catch {
    return []
  }
}
