import { existsSync } from 'node:fs'
import type { LayersModel } from '@tensorflow/tfjs'
import { ImageData, images } from '../data/images.ts'
import { GraftError, inWords } from '../error.ts'
import { readCheckpoint } from '../runs/log.ts'
import { modelFile, runsFolder } from '../runs/place.ts'
import { isUnderWay, readRecord, type RunRecord } from '../runs/record.ts'
import { partsOf, type TrainingData } from './checks.ts'
import { digestOf } from './keeper.ts'
import { liveRun } from './live.ts'
import type { Resumption } from './loop.ts'
import { fingerprint } from './proof.ts'
import { Run } from './run.ts'
import type { TrainOptions } from './train.ts'

export interface ResumeOptions extends TrainOptions {
  /** Default: the model itself in the process of the run, in another one the model from the run log. */
  model?: LayersModel
  /** Default: the data itself in the process of the run, in another one what `data.images` makes of the same source. */
  data?: TrainingData
}

/** Finds everything that a run needs to go on, and proves that it is the same as before. */
export async function prepareResumption(what: Run | string, options: ResumeOptions): Promise<{
  model: LayersModel, data: TrainingData, settings: TrainOptions, from: Resumption
}> {
  const id = what instanceof Run ? what.id : what
  if (typeof id !== 'string') throw new GraftError(`train.resume(run): expected a run or its id; received ${inWords(what)}.`)
  const here = liveRun(id), record = here && !here.run.finished ? null : readRecord(id)
  if (!record || (!here && isUnderWay(record))) {
    const place = record ? ` in process ${record.trainer.pid} of ${record.trainer.host}` : ''
    throw new GraftError(`the run '${id}' is still under way${place}. ` +
      `await runs.attach('${id}') shows it.`)
  }
  const { circumstances, standing } = record
  if (!standing) throw new GraftError(`the run '${id}' ended in its first epoch: there is nothing to go on from. Train anew.`)
  const { model: givenModel, data: givenData, ...changes } = options
  const settings: TrainOptions = {
    ...circumstances.settings, learningRate: record.run.learningRate,
    ...here && chosen(here.options, circumstances.lacking), ...changes,
  }
  // The optimizer that the model was compiled with by hand.
  const own = here?.model.deref()?.optimizer
  if (own && circumstances.lacking.includes('optimizer')) settings.optimizer ??= own
  const missing = circumstances.lacking.filter(name => !Object.hasOwn(settings, name))
  if (missing.length) {
    throw new GraftError(`the run '${id}' was given ${missing.join(' and ')} as code or objects, which no file holds. Give ` +
      `${missing.length === 1 ? 'it' : 'them'} again: train.resume('${id}', { ` +
        `${missing.map(name => `${name}: …`).join(', ')} }).`)
  }
  const epochs = settings.epochs ?? record.run.epochs
  if (standing.last >= epochs) {
    throw new GraftError(`the run '${id}' has no epoch left of its ${epochs}. train.resume('${id}', { epochs: ` +
      `${epochs + 10} }) goes further.`)
  }
  const model = givenModel ?? here?.model.deref() ?? await modelOf(record)
  const data = givenData ?? here?.data.deref() ?? await dataOf(record, model)
  if (digestOf(partsOf(data)) !== circumstances.images) {
    throw new GraftError(`the images are not those of the run '${id}': other files, another split, order or augmentation. ` +
      'Put them back, or begin a new run: train(model, data).')
  }
  if ((await fingerprint(model)).hash !== circumstances.frozen) {
    throw new GraftError(`the frozen part of the model is not the one of the run '${id}': another trunk, or other layers ` +
      `are frozen. Leave { model } away to have it from the run log.`)
  }
  const last = readCheckpoint(id, standing.last)
  const best = standing.best === standing.last ? last : readCheckpoint(id, standing.best)
  return { model, data, settings, from: { run: runToGoOn(record, here?.run), standing, last, best } }
}

/** The run of the record, as its last whole epoch left it. In the process of the run it is the very object. */
function runToGoOn(record: RunRecord, here?: Run): Run {
  const run = here ?? Run.from(record.run), { last } = record.standing!
  for (const values of [...Object.values(run.history), run.rates, run.times]) values.splice(last)
  const ended = /^The weights are those of epoch|^Its process ended/
  run.notes.splice(0, Infinity, ...run.notes.filter(note => !ended.test(note)))
  run.batchLosses = []
  run.forecast = null
  return run
}

/** Options that no file holds, from the process they were given in. */
const chosen = (options: object, names: string[]) =>
  Object.fromEntries(Object.entries(options).filter(([name]) => names.includes(name)))

async function modelOf({ run, circumstances }: RunRecord): Promise<LayersModel> {
  const file = modelFile(runsFolder()!, circumstances.model)
  if (!existsSync(file)) {
    throw new GraftError(`the model of the run '${run.id}' is not in the run log. Build it as then and give it: ` +
      `train.resume('${run.id}', { model, data }).`)
  }
  const { load } = await import('../save/index.ts')
  return load(file)
}

/** The images of a run, read again from where they came from. */
export async function dataOf({ run, circumstances: { data } }: RunRecord, model: LayersModel): Promise<ImageData> {
  if (!data) {
    throw new GraftError(`the images of the run '${run.id}' did not come from files alone. Make them as then and give them: ` +
      `train.resume('${run.id}', { data }).`)
  }
  return images(data.source, { ...data.options, size: model.inputs[0].shape[3] === 1 ? model : data.options.size as number })
}
