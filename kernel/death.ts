import { brokenCode } from './vital.ts'
import type { Described } from './cell/traceback.ts'

/** What is known of a child that died. */
export interface Death {
  code: number | null
  signal: NodeJS.Signals | null
  wasReady: boolean
  /** The code that `process.exit` was called with, where it was. */
  exitCode: number | null
  /** What it wrote last to standard error. */
  errors: string
  /** Whether the user asked for it, by interrupting twice. */
  asked: boolean
}

const consequence = 'Its variables are gone; a new process has started. Run the cells again from the top.'

/** Explains why the process with the user's code is gone, and what follows. */
export function deathOf(death: Death): Described {
  const ename = 'ProcessEnded', evalue = `${cause(death)} ${death.wasReady ? consequence : ''}`.trim()
  return { ename, evalue, traceback: [`${ename}: ${evalue}`] }
}

function cause({ code, signal, wasReady, exitCode, errors, asked }: Death): string {
  if (!wasReady) return `The process for the notebook's code could not start (${signal ?? `exit code ${code}`}): ${errors.trim() || 'it said nothing'}`
  if (asked && signal === 'SIGKILL') return 'The interrupt could not reach the code, so its process was ended.'
  if (/heap out of memory|Array buffer allocation failed|ERR_WORKER_OUT_OF_MEMORY/.test(errors)) {
    return 'JavaScript ran out of memory (NODE_OPTIONS=--max-old-space-size=8192 in the kernel\'s environment gives it 8 GB).'
  }
  if (code === brokenCode) {
    return 'The kernel\'s own part of the notebook\'s process failed, most likely because a cell replaced something that all JavaScript needs, ' +
      `such as Array.prototype.map: ${errors.trim().split('\n').at(-1)}.`
  }
  if (exitCode !== null) return `process.exit(${exitCode}) ended the process of the notebook.`
  if (signal === 'SIGSEGV' || signal === 'SIGBUS') return `Native code crashed the process of the notebook (${signal}).`
  if (signal === 'SIGKILL') return 'The process of the notebook was killed (SIGKILL), most likely because the machine ran out of memory.'
  return `The process of the notebook ended unexpectedly (${signal ?? `exit code ${code}`}).`
}
