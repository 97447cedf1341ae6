// What a class takes of one machine: node bench/class/run.ts [KERNELS]. Kernels that have run a cell and then idle, beside as many of ipykernel.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { KernelClient } from '../../cli/client.ts'
import { pythonOf, venv } from '../../install/place.js'
import { treeOf } from './memory.ts'

const count = Number(process.argv[2] ?? 30), folder = mkdtempSync(join(tmpdir(), 'graft-class-'))
/** Longer than the language server stays without a question. */
const silence = 130_000

/** All kernels' memory, in MB a kernel, and in which processes it is. */
function each(): string {
  const taken = treeOf(process.pid).slice(1), sum = (part: RegExp) => taken.filter(({ command }) => part.test(command)).reduce((all, one) => all + one.megabytes, 0) / count
  return `${sum(/./).toFixed(0)} MB each (cells ${sum(/--child/).toFixed(0)}, sockets ${sum(/main\.js (?!--child)/).toFixed(0)}, language server ${sum(/^tsc/).toFixed(0)})`
}

const begun = Date.now(), kernels: KernelClient[] = []
for (let i = 0; i < count; i++) kernels.push(await KernelClient.start(folder))
console.log(`${count} kernels answer after ${((Date.now() - begun) / 1000).toFixed(0)} s`)
for (const kernel of kernels) await kernel.execute('const a: number = 20\na + 1', () => {})
console.log(`each has run a cell: ${each()}`)
await wait(silence)
console.log(`idle: ${each()}`)
const asked = Date.now()
await kernels[0].execute('const b: number = a + 1', () => {})
console.log(`the next cell of one of them: ${Date.now() - asked} ms, types checked`)
for (const kernel of kernels) await kernel.close()

if (existsSync(pythonOf(venv))) {
  const peers = Array.from({ length: count }, () => spawn(pythonOf(venv), ['-m', 'ipykernel_launcher'], { cwd: folder, stdio: 'ignore', env: { ...process.env, JUPYTER_RUNTIME_DIR: folder } }))
  await wait(count * 2000)
  console.log(`ipykernel, idle: ${(treeOf(process.pid).slice(1).reduce((all, one) => all + one.megabytes, 0) / count).toFixed(0)} MB each`)
  for (const peer of peers) peer.kill()
}
rmSync(folder, { recursive: true, force: true })
