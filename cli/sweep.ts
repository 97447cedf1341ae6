import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { inspect } from 'node:util'
import { GraftError } from '../lib/error.ts'
import { writeWhole } from '../lib/runs/place.ts'
import { runNotebook } from './run.ts'
import { optionsOf, taskOf } from './task.ts'

const usage = `graft sweep NOTEBOOK -p name=value,value … -o FOLDER             all combinations, one after the other
graft sweep NOTEBOOK -p name=value,value … -o FOLDER --task N    one of them: a job of an array (default: SLURM_ARRAY_TASK_ID)
graft sweep NOTEBOOK -p name=value,value … -o FOLDER --status    what became of them`

/** One combination of values: a job. */
interface Job { task: number, parameters: string[] }

/** What became of a job, as its file in the folder tells. */
interface Outcome { task: number, parameters: string[], status: 'done' | 'failed', error?: string, host: string, seconds: number }

/**
 * Executes a notebook once with each combination of values, all here or one job of an array; the jobs of other processes and
 * machines may write to the same folder at the same time. Each executed notebook, what became of it, and the runs of `train` are
 * kept there. A job that fails is named, and the others go on.
 *
 * @returns the exit code: 0 where every job is done (of `--task`: this one), 1 where one failed or, for `--status`, is missing
 */
export async function sweepNotebook(args: string[]): Promise<number> {
  const { values, positionals } = optionsOf(args, {
    p: { type: 'string', multiple: true, short: 'p' }, o: { type: 'string', short: 'o' }, task: { type: 'string' },
    status: { type: 'boolean' },
  }, usage)
  const [notebook, ...more] = positionals, folder = values.o
  if (!notebook || more.length || !folder || !values.p?.length)
    throw new GraftError(`expected a notebook, values and a folder.\n\n${usage}`)
  const jobs = combinations(values.p).map((parameters, task): Job => ({ task, parameters }))
  if (values.status) return await report(jobs, folder)
  const task = taskOf(values.task, jobs.length, 'task'), chosen = task === null ? jobs : [jobs[task]]
  mkdirSync(folder, { recursive: true })
  // The runs of all jobs lie in one place, where runs.compare() finds them.
  process.env.GRAFT_RUNS ??= resolve(folder, 'runs')
  let failed = 0
  for (const job of chosen) if (!await done(notebook, job, folder, jobs.length)) failed++
  if (task === null) return await report(jobs, folder)
  return failed ? 1 : 0
}

/** Runs a job and keeps what became of it. */
async function done(notebook: string, { task, parameters }: Job, folder: string, count: number): Promise<boolean> {
  const words = parameters.join(', '), name = nameOf(task), start = Date.now()
  console.log(`Job ${task} of ${count}: ${words}`)
  process.env.GRAFT_RUN_TITLE = words
  let error: string | undefined
  const out = join(folder, `${name}.ipynb`)
  const code = await runNotebook(notebook, { out, parameters, onFailure: text => { error = text } })
    .catch((problem: unknown) => {
      if (!(problem instanceof GraftError)) throw problem
      error = problem.message
      return 2
    })
  const outcome: Outcome = {
    task, parameters, status: code === 0 ? 'done' : 'failed', ...error !== undefined && { error }, host: hostname(),
    seconds: (Date.now() - start) / 1000,
  }
  writeWhole(join(folder, `${name}.json`), JSON.stringify(outcome))
  return code === 0
}

const nameOf = (task: number): string => `job-${String(task).padStart(4, '0')}`

/** Says what became of every job, with the runs beside each other. */
async function report(jobs: Job[], folder: string): Promise<number> {
  const outcomes = jobs.map(job => outcomeOf(job, folder))
  const failed = outcomes.filter(each => each !== undefined).filter(({ status }) => status === 'failed')
  const missing = jobs.filter((_, i) => !outcomes[i])
  process.env.GRAFT_RUNS ??= resolve(folder, 'runs')
  const { runs } = await import('../lib/runs/index.ts')
  const all = runs.list()
  if (all.length) console.log(inspect(runs.compare(...all)))
  const place = relative('.', process.env.GRAFT_RUNS)
  console.log(`\n${outcomes.filter(each => each?.status === 'done').length} of ${jobs.length} jobs are done.` +
    (all.length ? ` process.env.GRAFT_RUNS = '${place}'; runs.compare(...runs.list()) shows their runs.` : ''))
  for (const { task, parameters, host, error = '' } of failed)
    console.log(`Job ${task} failed (${parameters.join(', ')}, on ${host}): ${error.split('\n')[0]}`)
  for (const { task, parameters } of missing) console.log(`Job ${task} has not ended (${parameters.join(', ')}).`)
  return failed.length || missing.length ? 1 : 0
}

/** What became of a job; nothing where its file is missing, or is of another sweep. */
function outcomeOf({ task, parameters }: Job, folder: string): Outcome | undefined {
  const file = join(folder, `${nameOf(task)}.json`)
  const outcome = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) as Outcome : undefined
  return outcome?.parameters.join() === parameters.join() ? outcome : undefined
}

/** Every combination of one value each, the last name's values next to each other; each as `name=value`. */
function combinations(given: string[]): string[][] {
  return given.map(pair => {
    const [, name, values] = /^([^=]+)=([^]*)$/.exec(pair) ?? []
    if (!name) throw new GraftError(`-p expects name=value,value; received '${pair}'.`)
    return split(values).map(value => `${name}=${value}`)
  }).reduce<string[][]>((all, values) => all.flatMap(some => values.map(value => [...some, value])), [[]])
}

/** Cut at the commas that stand in no brackets, braces or quotes. */
function split(text: string): string[] {
  const parts = ['']
  let depth = 0, quoted = false
  for (const char of text) {
    if (char === '"') quoted = !quoted
    else if (!quoted && '[{('.includes(char)) depth++
    else if (!quoted && ']})'.includes(char)) depth--
    if (char === ',' && depth === 0 && !quoted) parts.push('')
    else parts[parts.length - 1] += char
  }
  return parts
}
