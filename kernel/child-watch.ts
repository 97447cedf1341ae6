import childProcess from 'node:child_process'
import { syncBuiltinESMExports } from 'node:module'
import type { Interrupts } from './cell/interrupt.ts'
import type { Output } from './cell/output.ts'

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
