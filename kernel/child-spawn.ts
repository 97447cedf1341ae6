import { spawn, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'

/** A process for the user's code that was started, and what its marks on standard output and error are known by. */
export interface Spawned { process: ChildProcess, nonce: string }

/** Starts a process for the user's code. */
export function spawnChild(): Spawned {
  const nonce = randomUUID(), args = [...process.execArgv, fileURLToPath(new URL('./main.js', import.meta.url)), '--child']
  return {
    nonce, process: spawn(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe'], env: { ...process.env, GRAFT_NONCE: nonce }, windowsHide: true,
    }),
  }
}
