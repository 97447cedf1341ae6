import { readdirSync, readFileSync } from 'node:fs'

/** What a process tree takes of the machine's memory, process by process. */
export interface Taken { pid: number, command: string, megabytes: number }

/**
 * The proportional memory (Linux: `Pss` of smaps_rollup) of a process and all below it: pages that several processes share, as Node's
 * own code, count in parts, so that the sum over all is what the machine holds.
 */
export function treeOf(pid: number): Taken[] {
  const below = new Map<number, number[]>()
  for (const name of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
    try {
      const parent = Number(/^PPid:\s*(\d+)$/m.exec(readFileSync(`/proc/${name}/status`, 'utf8'))?.[1])
      below.set(parent, [...below.get(parent) ?? [], Number(name)])
    } catch {}
  }
  const all = [pid]
  for (const one of all) all.push(...below.get(one) ?? [])
  return all.flatMap(pid => {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, 3).map(part => part.split('/').at(-1)).join(' ')
      return [{ pid, command, megabytes: Number(/^Pss:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]) / 1000 }]
    } catch {
      // It has ended since it was listed.
      return []
    }
  })
}
