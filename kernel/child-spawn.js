// In plain JavaScript, because nothing may hold up the start of the child: it is the longest part of a kernel's.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/**
 * A process for the user's code that was started, and what its marks on standard output and error are known by.
 * @typedef {{ process: import('node:child_process').ChildProcess, nonce: string }} Spawned
 */

/**
 * Starts a process for the user's code.
 * @returns {Spawned}
 */
export function spawnChild() {
  const nonce = `${process.pid}-${Math.random().toString(36).slice(2)}${Math.random().toString(36).slice(2)}`
  const args = [...process.execArgv, fileURLToPath(new URL('./main.js', import.meta.url)), '--child']
  const env = { ...process.env, GRAFT_NONCE: nonce }
  return { nonce, process: spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe'], env, windowsHide: true }) }
}
