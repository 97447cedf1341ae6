import { closeSync, openSync } from 'node:fs'
import { koffi } from './tensorflow/foreign.ts'

/**
 * Runs `work` with the process's standard error turned away: while they start, TensorFlow and Dawn write about processors and
 * graphics cards there and heed no setting of a log level. What goes wrong comes as a status.
 */
export function quietly<T>(work: () => T): T {
  if (process.platform === 'win32') return work()
  const c = koffi.load(null), dup = c.func('int dup(int)'), dup2 = c.func('int dup2(int, int)')
  const before = dup(2) as number, nowhere = openSync('/dev/null', 'w')
  try {
    dup2(nowhere, 2)
    return work()
  } finally {
    dup2(before, 2)
    closeSync(nowhere)
    closeSync(before)
  }
}
