import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { isAlive } from '../alive.ts'

/** The process that a run is trained in. A number alone would not do: they come again, in containers after every restart. */
export interface Trainer { host: string, pid: number, born: string }

/** When a process began, in the system's own count; where the system does not say (it is not Linux), nothing. */
function bornAt(pid: number): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    // The name, in brackets, may hold spaces: the fields are counted behind it.
    return `${boot} ${readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\)/s, '').trim().split(' ')[19]}`
  } catch {
    return ''
  }
}

/** This process. */
export const trainer = (): Trainer => ({ host: hostname(), pid: process.pid, born: bornAt(process.pid) })

/** Whether it still runs. Of another machine, which shares the folder, nothing is known: it is taken to run. */
export const runsStill = ({ host, pid, born }: Trainer): boolean =>
  host !== hostname() || (isAlive(pid) && bornAt(pid) === born)
