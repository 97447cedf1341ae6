import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import type { LayersModel } from '@tensorflow/tfjs'
import { leaves } from '../../customize/layers.ts'
import type { ImageSet } from '../../data/set.ts'
import { GraftError } from '../../error.ts'
import { host } from '../../host.ts'
import { readRecord } from '../../runs/record.ts'
import type { Settled } from '../../train/begin.ts'
import { partsOf } from '../../train/checks.ts'
import { liveRun } from '../../train/live.ts'
import { goalsOf } from '../../train/prepare.ts'
import { groupsOf } from '../../train/rates.ts'
import { dataOf } from '../../train/resume.ts'
import { Run, runOf } from '../../train/run.ts'
import { factorOf } from '../../train/schedules.ts'
import { writeAtomically } from '../atomic.ts'
import { snake } from '../keras/layers.ts'

/** What the script is told, as JSON beside it. */
interface Facts {
  model: string
  /** A Python module beside the model that must be imported first. */
  imports: string | null
  run: string
  seed: number
  batch: number
  shuffle: boolean
  /** Epochs that are done, and all that were asked for. */
  done: number
  epochs: number
  loss: string
  labelSmoothing: number
  /** By class. */
  classWeights: number[] | null
  /** The learning rate of every layer that learns. Keras's optimizer has one: the script gives each weight its part of it. */
  rates: Record<string, number>
  /** The factor of the rates at each step that is left; empty where it is always 1. */
  factors: number[]
  classes: string[]
  size: number[]
  channels: number
  range: readonly number[]
  /** The folder that all files below lie in. */
  root: string
  train: Images
  validation: Images | null
}

interface Images { files: string[], labels: number[] }

/** The files of a hand-over, and what of the run is not in them. */
export interface HandedOver { script: string, facts: string, notes: string[] }

/**
 * Writes, beside a `.keras` file, the Python script that goes on with the run that trained the model, and what it must know: the
 * images of each part in their order, the seed of that order, the learning rates by layer, where the run stands.
 *
 * @throws GraftError where the model has no run, or its images were not files
 */
export async function handOver(model: LayersModel, path: string, imports?: string): Promise<HandedOver> {
  const { settings, parts, run } = await circumstancesOf(model, path), { train, validation } = parts
  const stem = basename(path).replace(/\.keras$/i, ''), folder = dirname(resolve(path))
  const { plain, weights } = goalsOf(model, train, settings)
  const root = commonFolder([...train.files, ...validation?.files ?? []]), notes: string[] = []
  if (train.augmentation) notes.push('augmentation')
  for (const name of ['frozenEpochs', 'earlyStopping', 'watch', 'metrics'] as const) if (settings[name]) notes.push(name)
  const { schedule = 'constant' } = settings
  if (typeof schedule === 'object' && 'plateau' in schedule) notes.push('the plateau of the schedule')
  const done = run.history.loss.length, facts: Facts = {
    model: basename(path), imports: imports ?? null, run: run.id, seed: run.seed, batch: run.batch,
    shuffle: settings.shuffle !== false, done, epochs: run.epochs,
    loss: snake(plain.name), labelSmoothing: settings.labelSmoothing ?? 0, classWeights: weights,
    rates: ratesByLayer(model, run), factors: factorsOf(settings, run, train.length),
    classes: train.classes, size: [...train.size], channels: train.channels, range: train.range,
    root, train: imagesOf(train, root), validation: validation && imagesOf(validation, root),
  }
  const json = join(folder, `${stem}.run.json`), script = join(folder, `${stem}.py`), { signal } = host()
  const text = await readFile(new URL('./continue.py', import.meta.url), 'utf8')
  for (const [file, content] of [[json, JSON.stringify(facts)], [script, text.replaceAll('{stem}', stem)]])
    await writeAtomically(file, [new Uint8Array(Buffer.from(content))], { signal })
  return { script, facts: json, notes }
}

/** The run that trained the model last, and what it was given. */
async function circumstancesOf(model: LayersModel, path: string) {
  const known = runOf(model) as Run | undefined
  const cannot = (why: string, way: string) =>
    new GraftError(`python: there is no script to write beside ${path}: ${why}. ${way}`)
  if (!known?.id) throw cannot('no run of train made this model', 'await train(model, data) first, or save without it.')
  const here = liveRun(known.id), record = here ? null : readRecord(known.id)
  const run = here?.run ?? Run.from(record!.run), settings = (here?.options ?? record!.circumstances.settings) as Settled
  const parts = partsOf(here?.data.deref() ?? await dataOf(record ?? readRecord(known.id), model))
  if (!existsSync(parts.train.files[0])) throw cannot('its images did not come from files', 'Give data.images a folder of them.')
  return { run, settings, parts }
}

const imagesOf = ({ files, labels }: ImageSet, root: string): Images =>
  ({ files: files.map(file => relative(root, resolve(file)).split(sep).join('/')), labels: [...labels] })

/** The deepest folder that holds all files. */
function commonFolder(files: string[]): string {
  let common = dirname(resolve(files[0])).split(sep)
  for (const file of files) {
    const parts = resolve(file).split(sep), differs = common.findIndex((part, i) => parts[i] !== part)
    if (differs >= 0) common = common.slice(0, differs)
  }
  return common.join(sep) || sep
}

function ratesByLayer(model: LayersModel, run: Run): Record<string, number> {
  const learning = new Set(leaves(model).filter(layer => layer.trainable && layer.trainableWeights.length))
  return Object.fromEntries(groupsOf(model, run.learningRate).filter(({ layer }) => learning.has(layer))
    .map(({ layer, rate }) => [layer.name, rate]))
}

function factorsOf({ schedule = 'constant', warmup = 0 }: Settled, run: Run, images: number): number[] {
  if (schedule === 'constant' && !warmup) return []
  const perEpoch = Math.ceil(images / run.batch), steps = run.epochs * perEpoch
  const factor = factorOf(schedule, { steps, perEpoch, warmup: Math.round(warmup * perEpoch) })
  return Array.from({ length: steps }, (_, step) => factor(step)).slice(run.history.loss.length * perEpoch)
}
