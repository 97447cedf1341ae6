import { createHash, randomBytes } from 'node:crypto'
import { homedir } from 'node:os'
import type { LayersModel } from '@tensorflow/tfjs'
import { cardOf } from '../card.ts'
import { ImageData } from '../data/images.ts'
import type { ImageSet } from '../data/set.ts'
import { host } from '../host.ts'
import { limits } from '../runs/place.ts'
import { RunLog } from '../runs/log.ts'
import type { Standing } from '../runs/record.ts'
import type { Entry } from '../runs/tensors-file.ts'
import type { Parts, Settled } from './begin.ts'
import type { TrainingData } from './checks.ts'
import type { Run } from './run.ts'
import type { TrainOptions } from './train.ts'

/** Keeps a run in the run log, with what it takes to go on in another process. */
export class Keeper {
  readonly #log: RunLog | null
  readonly #model: LayersModel
  readonly #run: Run

  private constructor(log: RunLog | null, model: LayersModel, run: Run) {
    this.#log = log
    this.#model = model
    this.#run = run
  }

  /** `frozen`: the fingerprint of the frozen weights. `standing`: where a run that goes on stood. */
  static begin(model: LayersModel, parts: Parts, options: Settled & { data: TrainingData }, run: Run, frozen: string,
    standing: Standing | null = null): Keeper {
    if (options.log === false) return new Keeper(null, model, run)
    const { settings, lacking } = settingsOf(options, run)
    const { log, fresh } = RunLog.begin(run, {
      settings, lacking, data: options.data instanceof ImageData ? options.data.recipe : null,
      images: digestOf(parts), frozen, model: keyOf(model, frozen),
    }, standing)
    if (fresh && log && options.show !== false) {
      const place = log.folder.replace(/[/\\][^/\\]*$/, '').replace(homedir(), '~')
      host().display({ 'text/plain': `Runs are kept in ${place} (${limits.bytes / 2 ** 30} GB at most, the oldest go ` +
        `first): runs lists them, train.resume(id) goes on with one that was cut off. GRAFT_RUNS=off keeps none.` })
    }
    return new Keeper(log, model, run)
  }

  /** Keeps a finished epoch. The model itself is written once: its layers and frozen weights, which all like runs share. */
  async epoch(standing: Standing, checkpoint: () => Promise<Entry[]>): Promise<void> {
    const log = this.#log
    if (!log) return
    if (!log.hasModel()) await this.#keepModel(log)
    log.epoch(standing, await checkpoint())
  }

  async #keepModel(log: RunLog): Promise<void> {
    try {
      const { save } = await import('../save/index.ts')
      await save(this.#model, log.modelFile())
    } catch (error) {
      const words = 'The model itself is not in the run log'
      if (this.#run.notes.some(note => note.startsWith(words))) return
      this.#run.notes.push(`${words}: ${(error as Error).message} train.resume('${this.#run.id}', { model, data }) needs it ` +
        `then.`)
    }
  }

  /** Keeps how it ended. */
  end(): void {
    this.#log?.end()
  }
}

/** Options as JSON can say them; which it cannot. Those that belong to the cell, and not to the run, are left out. */
function settingsOf(
  options: Settled & { data: TrainingData }, run: Run,
): { settings: Record<string, unknown>, lacking: string[] } {
  const { show: _, data: __, log: ___, title: ____, ...all } = options
  const settings: Record<string, unknown> = {}, lacking: string[] = []
  const asked: TrainOptions = { ...all, learningRate: run.learningRate, optimizer: options.optimizer ?? run.optimizer as never,
    loss: options.loss ?? run.loss }
  for (const [name, value] of Object.entries(asked)) {
    if (value === undefined) continue
    if (isPlain(value)) settings[name] = value
    else lacking.push(name)
  }
  // What the model was compiled with by hand has a name of TensorFlow.js, not one of ours.
  if (!(options.optimizer === undefined && /^[A-Z]/.test(run.optimizer))) return { settings, lacking }
  delete settings.optimizer
  return { settings, lacking: [...lacking, 'optimizer'] }
}

const isPlain = (value: unknown): boolean => typeof value !== 'function' && (typeof value !== 'object' || value === null ||
  ([Object.prototype, Array.prototype].includes(Object.getPrototypeOf(value)) && Object.values(value).every(isPlain)))

/** A hash over what the images are, in order: equal ones give equal losses. */
export function digestOf({ train, validation }: Parts): string {
  const hash = createHash('sha256')
  // In pieces: one text of all ids would be longer than a text may be, from some millions of images on.
  const join = (values: ArrayLike<string | number>, separator: string) => {
    for (let at = 0; at < values.length; at += 10_000)
      hash.update((at ? separator : '') + Array.prototype.slice.call(values, at, at + 10_000).join(separator))
  }
  const add = (set: ImageSet | null) => {
    join(set?.ids ?? ['undefined'], '\n')
    hash.update('\n')
    join(set?.labels ?? ['undefined'], ',')
    hash.update(`\n${set?.augmentation?.key ?? ''}\n`)
  }
  add(train)
  add(validation)
  return hash.digest('hex').slice(0, 32)
}

/** A hash over the model's layers, what they are made of, and the frozen weights. Names of variables are no part of it. */
function keyOf(model: LayersModel, frozen: string): string {
  const hash = createHash('sha256').update(`${JSON.stringify(cardOf(model) ?? null)}\n${frozen}\n`)
  try {
    hash.update(JSON.stringify(model.toJSON(null, false)))
  } catch {
    // A layer of the user's own that has no configuration: such a model is in no file either.
    hash.update(randomBytes(16))
  }
  return hash.digest('hex').slice(0, 32)
}
