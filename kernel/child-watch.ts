import childProcess from 'node:child_process'
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import type { Interrupts } from './cell/interrupt.ts'
import type { Output } from './cell/output.ts'
import { descriptors } from './messages.ts'

/** Standard output and error, and the pipes to the kernel, never close, whatever a cell closes by its number. */
export function keepDescriptorsOpen(): void {
  const module = fs as unknown as Record<string, (descriptor: number, ...rest: unknown[]) => unknown>
  const { close, closeSync } = module
  module.closeSync = descriptor => descriptor <= lastDescriptor ? undefined : closeSync(descriptor)
  module.close = (descriptor, done) => descriptor <= lastDescriptor ? process.nextTick(done as () => void ?? (() => {}), null) : close(descriptor, done)
  syncBuiltinESMExports()
}

const lastDescriptor = Math.max(2, ...Object.values(descriptors))

/**
 * Child processes that write to our standard output come after what was printed before they started, and an interrupt reaches those that
 * the main thread waits for.
 */
export function watchChildProcesses(output: Output, interrupts: Interrupts): void {
  const module = childProcess as unknown as Record<string, (...args: unknown[]) => unknown>
  for (const name of ['spawn', 'fork', 'exec', 'execFile', 'spawnSync', 'execSync', 'execFileSync']) {
    const original = module[name], sync = name.endsWith('Sync')
    const watched = function (this: unknown, ...args: unknown[]) {
      output.flush()
      return sync ? interrupts.whileSyncChild(() => original.apply(this, args)) : original.apply(this, args)
    }
    module[name] = Object.defineProperties(watched, Object.getOwnPropertyDescriptors(original))
  }
  syncBuiltinESMExports()
}
