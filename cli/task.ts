import { parseArgs, type ParseArgsConfig } from 'node:util'
import { GraftError } from '../lib/error.ts'

/** The words of a command, checked; what `parseArgs` finds wrong becomes one sentence. */
export function optionsOf<T extends NonNullable<ParseArgsConfig['options']>>(args: string[], options: T, usage: string) {
  try {
    return parseArgs({ args, options, allowPositionals: true })
  } catch (error) {
    throw new GraftError(`${(error as Error).message}\n\n${usage}`)
  }
}

/**
 * Which job of an array this process is: what the command says, else what Slurm says. Null where neither does.
 *
 * @throws GraftError for what is no job of `count`
 */
export function taskOf(given: string | undefined, count: number, name: string): number | null {
  const text = given ?? process.env.SLURM_ARRAY_TASK_ID
  if (text === undefined) return null
  const task = Number(text)
  if (Number.isInteger(task) && task >= 0 && task < count) return task
  const what = given === undefined ? 'SLURM_ARRAY_TASK_ID' : `--${name}`
  throw new GraftError(`${what} must be a number from 0 to ${count - 1}; received ${text}.`)
}
