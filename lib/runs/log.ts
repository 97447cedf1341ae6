import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { GraftError } from '../error.ts'
import type { Run } from '../train/run.ts'
import { csvOf } from './csv.ts'
import { eventsHeader, eventOf } from './events.ts'
import { folderOf, makeFolder, modelFile, runsFolder, writeWhole } from './place.ts'
import { trainer } from './process.ts'
import { prune } from './prune.ts'
import type { Circumstances, RunRecord, Standing } from './record.ts'
import { scalarsOf } from './scalars.ts'
import { decodeTensors, encodeTensors, type Entry } from './tensors-file.ts'

const checkpointName = (epoch: number) => `epoch-${epoch}.safetensors`

/**
 * Keeps a run on disk while it goes on, in a folder of its own: `run.json` (what was asked, what came out), a checkpoint of the
 * last and of the best epoch, `history.csv`, and events for TensorBoard. A disk that fails ends no training: the run says so and
 * goes on without.
 */
export class RunLog {
  readonly folder: string
  readonly #runs: string
  readonly #run: Run
  readonly #circumstances: Circumstances
  #standing: Standing | null
  #failed = false

  private constructor(runs: string, folder: string, run: Run, circumstances: Circumstances, standing: Standing | null) {
    this.#runs = runs
    this.folder = folder
    this.#run = run
    this.#circumstances = circumstances
    this.#standing = standing
  }

  /** Begins the record of a run, or goes on with one; null where none is to be kept. `fresh`: it is the first in its folder. */
  static begin(run: Run, circumstances: Circumstances, standing: Standing | null = null): { log: RunLog | null, fresh: boolean } {
    const runs = runsFolder()
    if (!runs) return { log: null, fresh: false }
    const fresh = !existsSync(runs)
    try {
      const log = new RunLog(runs, makeFolder(runs, run.id), run, circumstances, standing)
      log.#record()
      // TensorBoard reads on in the files there are; a run that goes on gets new ones for what is to come.
      for (const part of ['train', ...(run.images.validation ? ['validation'] : [])]) log.#events(part, [])
      prune(runs, run.id)
      return { log, fresh }
    } catch (error) {
      run.notes.push(`The run is not on disk: ${(error as Error).message}.`)
      return { log: null, fresh: false }
    }
  }

  /** Whether the model's layers and frozen weights are on disk, so that the run can go on in another process. */
  hasModel(): boolean {
    return existsSync(modelFile(this.#runs, this.#circumstances.model))
  }

  /** Where they belong. */
  modelFile(): string {
    mkdirSync(join(this.#runs, 'models'), { recursive: true })
    return modelFile(this.#runs, this.#circumstances.model)
  }

  /** Keeps a finished epoch: first its checkpoint, then, in one step, the record that names it. */
  epoch(standing: Standing, entries: Entry[]): void {
    this.#attempt(() => {
      writeWhole(join(this.folder, checkpointName(standing.last)), encodeTensors(entries))
      this.#standing = standing
      this.#record()
      for (const [part, scalars] of scalarsOf(this.#run, standing.last)) this.#events(part, scalars.map(eventOf))
      writeWhole(join(this.folder, 'history.csv'), csvOf(this.#run))
      const kept = [standing.last, standing.best].map(checkpointName)
      for (const name of readdirSync(this.folder)) {
        if (/^epoch-\d+\.safetensors$/.test(name) && !kept.includes(name)) rmSync(join(this.folder, name))
      }
    })
  }

  /** Keeps how the run ended. */
  end(): void {
    this.#attempt(() => this.#record())
  }

  #record(): void {
    const record: RunRecord = {
      version: 1, run: this.#run.toJSON() as RunRecord['run'], trainer: trainer(), circumstances: this.#circumstances,
      standing: this.#standing,
    }
    writeWhole(join(this.folder, 'run.json'), `${JSON.stringify(record)}\n`)
  }

  #events(part: string, events: Uint8Array[]): void {
    const folder = join(this.folder, part), file = join(folder, this.#eventsName)
    mkdirSync(folder, { recursive: true })
    appendFileSync(file, Buffer.concat(existsSync(file) ? events : [eventsHeader(Date.now() / 1000), ...events]))
  }

  readonly #eventsName = `events.out.tfevents.${Math.floor(Date.now() / 1000)}.${hostname()}.${process.pid}`

  #attempt(work: () => void): void {
    if (this.#failed) return
    try {
      work()
    } catch (error) {
      this.#failed = true
      this.#run.notes.push(`From epoch ${this.#run.history.loss.length} on the run is not on disk: ${(error as Error).message}.`)
    }
  }
}

/** The checkpoint of an epoch of a run. @throws GraftError where it is not there, or damaged */
export function readCheckpoint(id: string, epoch: number): Entry[] {
  const file = join(folderOf(runsFolder()!, id), checkpointName(epoch))
  let bytes: Buffer
  try {
    bytes = readFileSync(file)
  } catch {
    throw new GraftError(`the checkpoint of epoch ${epoch} of the run '${id}' is gone: old ones are removed when the run ` +
      `log is full.`)
  }
  return decodeTensors(bytes).entries
}
