import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { didYouMean, GraftError } from '../error.ts'
import { Run, type RunStart } from '../train/run.ts'
import { folderOf, idsIn, runsFolder } from './place.ts'
import { runsStill, type Trainer } from './process.ts'

/** What a data set was made by, so that it can be made again. */
export interface Recipe { source: string | Record<string, string[]>, options: Record<string, unknown> }

/** What a run needs to go on: what was asked, and what it was asked of. */
export interface Circumstances {
  /** The options that JSON can say. */
  settings: Record<string, unknown>
  /** The names of the others. */
  lacking: string[]
  /** Where the images came from, if that can be said. */
  data: Recipe | null
  /** A hash over what the images are and their classes, in order. */
  images: string
  /** A hash over the frozen weights. */
  frozen: string
  /** A hash over the model's layers and frozen weights, by which its file is named. */
  model: string
}

/** Where a run stood when its last epoch ended. */
export interface Standing {
  /** The last and the best epoch, counted from 1; their checkpoints are kept. */
  last: number
  best: number
  /** Of early stopping, of the lowering of the rate, and so on. */
  state: Record<string, (number | null)[]>
}

/** `run.json`: all that is kept of a run beside its checkpoints. */
export interface RunRecord {
  version: 1
  run: RunStart & { id: string, started: string, finished: boolean }
  trainer: Trainer
  circumstances: Circumstances
  standing: Standing | null
}

/** The record of a run. @throws GraftError where there is none, or it cannot be read */
export function readRecord(id: string, folder = runsFolder()): RunRecord {
  if (!folder) throw new GraftError('no runs are kept: GRAFT_RUNS is off.')
  const file = join(folderOf(folder, id), 'run.json')
  if (!/^[\w-]+$/.test(id) || !existsSync(file)) {
    const ids = idsIn(folder)
    throw new GraftError(`unknown run: '${id}'.${didYouMean(id, ids)} ${ids.length
      ? `The last ones are ${ids.slice(-5).toReversed().join(', ')}; runs lists them.` : `There are none in ${folder}.`}`)
  }
  try {
    const record = JSON.parse(readFileSync(file, 'utf8')) as RunRecord
    if (record.version === 1) return record
    throw new Error(`it is of version ${record.version}`)
  } catch (error) {
    throw new GraftError(`the record of the run '${id}' cannot be read: ${(error as Error).message}. runs.delete('${id}') ` +
      `removes it.`)
  }
}

/** Whether the process that trained it still does. */
export const isUnderWay = ({ run, trainer }: RunRecord): boolean => !run.finished && runsStill(trainer)

/** The run of a record. One whose process ended before it did is finished, too. */
export function runFrom(record: RunRecord): Run {
  const run = Run.from(record.run)
  if (run.finished || isUnderWay(record)) return run
  run.finished = true
  run.stopped = 'lost'
  run.notes.push(record.standing
    ? `Its process ended in epoch ${record.standing.last + 1}. await train.resume('${run.id}') goes on after epoch ` +
      `${record.standing.last}.`
    : 'Its process ended in the first epoch; nothing of it was kept.')
  return run
}
