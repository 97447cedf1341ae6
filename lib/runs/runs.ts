import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { inspect } from 'node:util'
import type { LayersModel } from '@tensorflow/tfjs'
import { checkModel } from '../customize/layers.ts'
import { GraftError, inWords } from '../error.ts'
import { displaySymbol, host, type MimeBundle } from '../host.ts'
import { comparisonBundle, runsBundle } from '../show/runs.ts'
import { weightsIn } from '../train/checkpoint.ts'
import { liveRun, liveRuns, newestRun } from '../train/live.ts'
import { Reporter, reporterOf } from '../train/report.ts'
import { Run } from '../train/run.ts'
import { restore } from '../train/snapshot.ts'
import { csvOf } from './csv.ts'
import { eventOf, eventsHeader } from './events.ts'
import { readCheckpoint } from './log.ts'
import { folderOf, idsIn, runsFolder } from './place.ts'
import { dropModels } from './prune.ts'
import { isUnderWay, readRecord, runFrom, type RunRecord } from './record.ts'
import { scalarsOf } from './scalars.ts'

/** How often the run of another process is looked at, in milliseconds. */
const between = 500

/** A run that is meant: itself, or its id. */
type Which = Run | string

const idOf = (which: Which): string => {
  const id = which instanceof Run ? which.id : which
  if (typeof id === 'string') return id
  throw new GraftError(`expected a run or its id; received ${inWords(which)}.${(which as unknown) instanceof Promise
    ? ' Await it first, or take training.run.' : ''}`)
}

/** Several runs beside each other: {@link Runs.compare} makes it. It shows itself as a table and as curves. */
export class Comparison {
  readonly runs: Run[]
  /** What was asked of each, where it is not the same for all. */
  readonly differences: Record<string, string>[]

  constructor(runs: Run[], settings: Record<string, unknown>[]) {
    this.runs = runs
    const words = settings.map(all => Object.fromEntries(Object.entries(all).map(([name, value]) =>
      [name, typeof value === 'string' ? value : JSON.stringify(value)])))
    const names = [...new Set(words.flatMap(Object.keys))].filter(name => new Set(words.map(all => all[name])).size > 1)
    this.differences = words.map(all => Object.fromEntries(names.map(name => [name, all[name] ?? 'default'])))
  }

  /** The run with the lowest validation loss (without a validation set: training loss) in its best epoch. */
  get best(): Run {
    const value = ({ history }: Run) => Math.min(...history.valLoss ?? history.loss)
    return this.runs.reduce((best, run) => value(run) < value(best) ? run : best)
  }

  [displaySymbol](): MimeBundle {
    return comparisonBundle(this.runs, this.differences)
  }

  [inspect.custom](): string {
    return String(runsBundle(this.runs, `${this.runs.length} runs`, this.differences)['text/plain'])
  }
}

/**
 * The training runs of this and earlier sessions. `train` keeps each one on disk epoch by epoch, so that it is found again after
 * the browser was closed, the kernel restarted or the power cut. It shows itself as a table of the last runs.
 *
 * Runs lie in `~/.local/state/graft/runs` (`GRAFT_RUNS` names another place, or `off`), 2 GB at most: beyond that the oldest lose
 * their checkpoints. `tensorboard --logdir` on {@link folder} shows them all.
 *
 * @example
 * runs                      // a table
 * runs.last()               // the newest, also one whose cell was interrupted
 */
export class Runs {
  /** Where the runs are kept; null where none are. */
  get folder(): string | null {
    return runsFolder()
  }

  /** All runs, the oldest first. Those whose record is damaged, and those with `log: false`, are left out. */
  list(): Run[] {
    const kept = recordsOf(runsFolder()).map(record => liveRun(record.run.id)?.run ?? runFrom(record))
    const known = new Set(kept.map(run => run.id))
    return [...kept, ...liveRuns().filter(run => !known.has(run.id))]
  }

  /**
   * The run that was begun last: in this process, else in any.
   *
   * @throws GraftError where there is none
   */
  last(): Run {
    const run = newestRun() ?? this.list().at(-1)
    if (run) return run
    throw new GraftError('there are no runs yet: train(model, data) makes one.')
  }

  /** A run by its id. @throws GraftError for an unknown id, with the closest one */
  get(id: string): Run {
    return liveRun(idOf(id))?.run ?? runFrom(readRecord(idOf(id)))
  }

  /**
   * Shows a run here, live if it is still under way (in this process, or in another one on the same disk), and waits for its end.
   * An interrupt ends the watching, not the run.
   *
   * @throws GraftError for an unknown id
   * @example
   * await runs.attach('5f3a9c10')
   */
  async attach(which: Which): Promise<Run> {
    const id = idOf(which), here = liveRun(id), { signal } = host()
    if (here) {
      const pause = (time: number) => wait(time, undefined, { signal }).catch(() => signal.throwIfAborted())
      while (!here.run.finished && !reporterOf(here.run)) await pause(10)
      reporterOf(here.run)?.attach()
      while (!here.run.finished) await pause(between)
      return here.run
    }
    let record = readRecord(id)
    const run = runFrom(record), reporter = new Reporter(run, true, 0)
    while (isUnderWay(record)) {
      await wait(between, undefined, { signal }).catch(() => signal.throwIfAborted())
      record = readRecord(id)
      Object.assign(run, runFrom(record))
      reporter.draw()
    }
    reporter.end()
    return run
  }

  /**
   * Runs beside each other: what differs in their options, what came out, and their curves. Default: the last six.
   *
   * @example
   * runs.compare('5f3a9c10', 'c02d11ee')
   */
  compare(...which: Which[]): Comparison {
    const chosen = which.length ? which.map(one => this.get(idOf(one))) : this.list().slice(-6)
    if (!chosen.length) throw new GraftError('there are no runs to compare yet: train(model, data) makes one.')
    return new Comparison(chosen, chosen.map(run => settingsOf(run)))
  }

  /**
   * Puts the weights of a run's best or last epoch into the model, also those of an earlier session.
   *
   * @throws GraftError where the model is another one, or the checkpoint is gone
   * @example
   * runs.restore(model, runs.last(), 'best')
   */
  restore(model: LayersModel, which: Which, epoch: 'best' | 'last' = 'best'): void {
    checkModel(model)
    if (epoch !== 'best' && epoch !== 'last') throw new GraftError(`runs.restore: expected 'best' or 'last'; received ` +
      `${inWords(epoch)}.`)
    const id = idOf(which), { standing } = readRecord(id)
    if (!standing) throw new GraftError(`the run '${id}' ended in its first epoch: there are no weights of it.`)
    restore(weightsIn(readCheckpoint(id, standing[epoch]), model))
  }

  /**
   * Writes a run into a folder of yours: `run.json`, `history.csv` (as Keras's CSVLogger) and events for TensorBoard in `train/`
   * and `validation/`. Returns the files.
   *
   * @example
   * runs.export(runs.last(), 'logs/first')   // then: tensorboard --logdir logs
   */
  export(which: Which, folder: string): string[] {
    if (typeof folder !== 'string' || !folder) throw new GraftError(`runs.export(run, folder): expected a folder; received ` +
      `${inWords(folder)}.`)
    if (existsSync(folder) && !statSync(folder).isDirectory()) throw new GraftError(`runs.export: '${folder}' is a file. ` +
      `Give a folder.`)
    const run = which instanceof Run ? which : this.get(which), files: Record<string, string | Uint8Array> = {
      'run.json': `${JSON.stringify(run, null, 2)}\n`, 'history.csv': csvOf(run),
    }
    const begun = Date.parse(run.started) / 1000, events: Record<string, Uint8Array[]> = {}
    for (let epoch = 1; epoch <= run.history.loss.length; epoch++) {
      for (const [part, scalars] of scalarsOf(run, epoch)) (events[part] ??= [eventsHeader(begun)]).push(...scalars.map(eventOf))
    }
    for (const [part, bytes] of Object.entries(events)) {
      files[join(part, `events.out.tfevents.${Math.floor(begun)}.${run.id}`)] = Buffer.concat(bytes)
    }
    return Object.entries(files).map(([name, content]) => {
      mkdirSync(join(folder, name, '..'), { recursive: true })
      writeFileSync(join(folder, name), content)
      return join(folder, name)
    })
  }

  /**
   * Removes runs from the log, with their checkpoints. @throws GraftError for an unknown id or a run under way; none is
   * removed then
   */
  delete(...which: Which[]): void {
    const records = which.map(one => readRecord(idOf(one)))
    for (const record of records) {
      if (liveRun(record.run.id)?.run.finished === false || (!liveRun(record.run.id) && isUnderWay(record))) {
        throw new GraftError(`the run '${record.run.id}' is under way. Stop it first.`)
      }
    }
    const folder = runsFolder()!
    for (const { run } of records) rmSync(folderOf(folder, run.id), { recursive: true, force: true })
    dropModels(folder)
  }

  [displaySymbol](): MimeBundle {
    const all = this.list().toReversed(), shown = all.slice(0, 20)
    return runsBundle(shown, all.length > shown.length ? `The last ${shown.length} of ${all.length} runs` : all.length
      ? `${all.length} ${all.length === 1 ? 'run' : 'runs'}, the newest first` : 'No runs yet: train(model, data) makes one.')
  }

  [inspect.custom](): string {
    return String(this[displaySymbol]()['text/plain'])
  }
}

export const runs = new Runs()

function recordsOf(folder: string | null): RunRecord[] {
  return folder ? idsIn(folder).flatMap(id => {
    try {
      return [readRecord(id, folder)]
    } catch {
      return []
    }
  }) : []
}

/** What was asked of a run, for a comparison. */
function settingsOf(run: Run): Record<string, unknown> {
  const { learningRate, optimizer, loss, batch, epochs, seed } = run
  try {
    return { ...readRecord(run.id).circumstances.settings, learningRate, epochs }
  } catch {
    return { learningRate, optimizer, loss, batch, epochs, seed }
  }
}
