import { readFileSync } from 'node:fs'
import { cpus, freemem, hostname, totalmem } from 'node:os'
import { descendants } from './descendants.ts'

/** How many ticks of a process's time make a second: what Linux tells programs, whatever it counts in itself. */
const ticks = 100

/** What a process has used. */
interface Process { pid: number, seconds: number, bytes: number }

/**
 * What the kernel and the machine use, as `usage_reply` carries it: jupyter-resource-usage shows it beside the notebook. Of the kernel's processes
 * it is processor time in percent of one core since the last question, and memory in bytes, shared parts divided among those that share them. Off Linux
 * only the kernel's own process is counted.
 *
 * @example
 * const usage = new Usage()
 * usage.answer()   // { pid: 4711, kernel_cpu: 3.1, kernel_memory: 123456789, cpu_count: 8, … }
 */
export class Usage {
  #processes = new Map<number, number>()
  #asked = performance.timeOrigin
  #host: { busy: number, total: number } | null = null

  answer(): object {
    const processes = read(), now = Date.now(), elapsed = Math.max(0.001, (now - this.#asked) / 1000)
    const seconds = processes.reduce((sum, each) => sum + each.seconds - (this.#processes.get(each.pid) ?? 0), 0)
    this.#processes = new Map(processes.map(each => [each.pid, each.seconds]))
    this.#asked = now
    const host = hostTimes(), before = this.#host
    this.#host = host
    return {
      hostname: hostname(), pid: process.pid, cpu_count: cpus().length,
      kernel_cpu: round(100 * seconds / elapsed), kernel_memory: processes.reduce((sum, { bytes }) => sum + bytes, 0),
      // The first question has nothing to compare with.
      ...before && host.total > before.total && { host_cpu_percent: round(100 * (host.busy - before.busy) / (host.total - before.total)) },
      host_virtual_memory: hostMemory(),
    }
  }
}

const round = (value: number) => Math.round(Math.max(0, value) * 10) / 10

function read(): Process[] {
  const found = [process.pid, ...descendants(process.pid)].flatMap(pid => readProcess(pid) ?? [])
  if (found.length) return found
  const { user, system } = process.cpuUsage()
  return [{ pid: process.pid, seconds: (user + system) / 1e6, bytes: process.memoryUsage.rss() }]
}

function readProcess(pid: number): Process | null {
  try {
    // The name of a process, in parentheses, may hold anything; user and system time are the 12th and 13th field behind it.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ')
    const [, kilobytes] = /^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')) ?? []
    return { pid, seconds: (Number(fields[11]) + Number(fields[12])) / ticks, bytes: Number(kilobytes ?? 0) * 1024 }
  } catch {
    return null
  }
}

function hostTimes() {
  const times = cpus().map(cpu => cpu.times), total = times.reduce((sum, { user, nice, sys, idle, irq }) => sum + user + nice + sys + idle + irq, 0)
  return { total, busy: total - times.reduce((sum, { idle }) => sum + idle, 0) }
}

/** Memory of the machine in bytes, under psutil's names. */
function hostMemory(): object {
  const told = new Map<string, number>()
  try {
    for (const [, name, kilobytes] of readFileSync('/proc/meminfo', 'utf8').matchAll(/^(\w+):\s+(\d+) kB/gm)) told.set(name, Number(kilobytes) * 1024)
  } catch {
    // Other systems have no such file; Node knows the two numbers that matter.
  }
  const total = totalmem(), available = told.get('MemAvailable') ?? freemem()
  const free = told.get('MemFree') ?? freemem(), cached = (told.get('Cached') ?? 0) + (told.get('SReclaimable') ?? 0)
  return {
    total, available, percent: round(100 * (total - available) / total), used: total - available, free,
    active: told.get('Active') ?? 0, inactive: told.get('Inactive') ?? 0, buffers: told.get('Buffers') ?? 0, cached, shared: told.get('Shmem') ?? 0,
  }
}
