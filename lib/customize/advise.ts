import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs'
import { seedFrom } from '../data/random.ts'
import type { ImageSet } from '../data/set.ts'
import { GraftError } from '../error.ts'
import { host } from '../host.ts'
import { checkOptions } from '../options.ts'
import { Advice } from '../show/advice.ts'
import { plural } from '../show/format.ts'
import { progressBar } from '../show/progress.ts'
import { tf } from '../tf.ts'
import { checkInput, partsOf, type TrainingData } from '../train/checks.ts'
import { distance } from './distance.ts'
import { extract } from './extract.ts'
import { featuresFor } from './features.ts'
import { fineTune } from './fine-tune.ts'
import { forecast, refined, type Forecast } from './forecast.ts'
import { setTrainable } from './freeze.ts'
import { featuresOf } from './head.ts'
import { checkModel, holdsWeights, leaves } from './layers.ts'
import { modify } from './modify.ts'
import { probe, sample } from './probe.ts'
import { recommend, type Findings, type Method, type Recommendation, type Tried } from './recommend.ts'
import { operate } from './surgery.ts'
import { tap } from './tap.ts'
import { ratesOf, tryOut } from './trial.ts'

export interface AdviseOptions {
  /** For how many epochs the time is forecast. Default 10. */
  epochs?: number
  /** Images that the probes and the trials look at. Default 400. */
  images?: number
  /**
   * How long trying the methods may take, in seconds; where it would take longer, probes alone decide. Default 120; 0: no
   * trials.
   */
  seconds?: number
}

/** Images for the distance: its mean over them is steady enough (letters from their own set: 0.02 with 32 images). */
const forDistance = 32

/**
 * Which of the three methods suits these images, from measurements: images per class, how well a linear classifier tells the
 * classes apart by the trunk's last and by earlier features, how far the images are from those the trunk was trained on, what
 * each method takes in time and memory here, and how well each does when it is tried on two thirds of up to 400 images and judged
 * by the rest, in turns. The answer shows itself, with its reasons. The model given stays as it is.
 *
 * Source: small data or a distant domain → feature extraction or little fine-tuning, for a large model soon knows few images
 * by heart; more and related data → more fine-tuning. Yosinski et al., "How transferable are features in deep neural
 * networks?" (2014); the Keras guides.
 *
 * @param data what `train` takes
 * @throws GraftError for images of another size or range than the model's, fewer than two images per class
 * @example
 * const advice = await advise(base, digits)
 * const model = customize[advice.method](base, { classes: digits.classes, ...advice.options })
 */
export async function advise(base: LayersModel, data: TrainingData, options: AdviseOptions = {}): Promise<Advice> {
  checkOptions<AdviseOptions>('advise', options, { epochs: 'count', images: 'count', seconds: 'not negative' })
  const { epochs = 10, images = 400, seconds = 120 } = options, signal = host().signal
  checkModel(base)
  const parts = partsOf(data), { train } = parts, batch = 'batch' in data ? data.batch : 32
  checkInput(base, train)
  const fewest = Math.min(...train.counts)
  if (fewest < 2) {
    throw new GraftError(`advise: '${train.classes[train.counts.indexOf(fewest)]}' has ${plural(fewest, 'image')} to train on. Expected two or more of each ` +
      'class: one to learn, one to judge by.')
  }
  const copy = twin(base)
  try {
    setTrainable(copy, '*', false)
    const findings = await look(copy, train, images, signal), forecasts = {} as Record<Method, Forecast>
    for (const method of Object.keys(methods) as Method[]) {
      signal.throwIfAborted()
      forecasts[method] = await forecastOf(method, copy, parts, {}, batch, epochs)
    }
    findings.trials = await trials(copy, train, findings, forecasts, { epochs, images, seconds, batch })
    const answer = recommend(findings)
    if (answer.options.at) forecasts[answer.method] = await forecastOf(answer.method, copy, parts, answer.options, batch, epochs)
    for (const method of Object.keys(methods) as Method[]) {
      const tried = findings.trials?.find(one => one.method === method && one.options.at === (method === answer.method
        ? answer.options.at : undefined))
      if (tried) forecasts[method] = refined(forecasts[method], tried, parts, batch, epochs)
    }
    return new Advice(base.name, findings, forecasts, epochs, answer)
  } finally {
    for (const weight of copy.weights) weight.dispose()
  }
}

/** What there is to know of the images, seen through the frozen trunk. */
async function look(trunk: LayersModel, set: ImageSet, images: number, signal: AbortSignal): Promise<Findings> {
  const chosen = sample(set.labels, images), labels = chosen.map(i => set.labels[i]), half = sample(labels,
    Math.ceil(chosen.length / 2))
  const { features } = featuresOf(trunk)
  const taps = strides.flatMap(stride => {
    try {
      return [{ stride, tensor: tap(trunk, { stride }) }]
    } catch {
      return [] // Not every network has a map of every stride.
    }
  })
  const rowsAt = (tensor: SymbolicTensor) => featuresFor(tf.model({ inputs: trunk.inputs, outputs: tensor }), set, chosen, signal)
  const rows = await rowsAt(features[0]), earlier: Findings['earlier'] = []
  for (const { stride, tensor } of taps) earlier.push({ stride, probe: probe(await rowsAt(tensor), labels) })
  return {
    images: set.length, classes: set.classes.length, perClass: Math.min(...set.counts), earlier,
    probe: probe(rows, labels), half: probe(half.map(i => rows[i]), half.map(i => labels[i])),
    distance: await distance(trunk, set, sample(set.labels, forDistance), signal), trials: null,
  }
}

/** Earlier features that are looked at: a half and a quarter of the depth of most networks, whose last maps have stride 32. */
const strides = [8, 16]

async function forecastOf(method: Method, trunk: LayersModel, parts: ReturnType<typeof partsOf>,
  options: Recommendation['options'],
  batch: number, epochs: number): Promise<Forecast> {
  const { model, done } = fresh(method, trunk, parts.train, options)
  try {
    return await forecast(model, parts, batch, epochs)
  } finally {
    done()
  }
}

/** The method's model on a trunk of its own, whose weights `done` frees again. */
function fresh(method: Method, trunk: LayersModel, set: ImageSet, options: Recommendation['options']): { model: LayersModel,
  done: () => void } {
  const base = twin(trunk), model = methods[method](base, set, options)
  return { model, done: () => { for (const weight of new Set([...base.weights, ...model.weights])) weight.dispose() } }
}

/**
 * Tries the methods, and a cut further down where features from there tell the classes apart as well; null where that takes
 * too long.
 */
async function trials(trunk: LayersModel, set: ImageSet, { probe: last, earlier }: Findings, forecasts: Record<Method, Forecast>,
  { epochs, images, seconds, batch }: { epochs: number, images: number, seconds: number,
    batch: number }): Promise<Tried[] | null> {
  const chosen = sample(set.labels, images), deeper = earlier.filter(({ probe }) => probe.accuracy >= last.accuracy - last.error).slice(-1)
  const candidates: Pick<Tried, 'method' | 'options'>[] = [{ method: 'extract', options: {} }, { method: 'fineTune',
    options: { unfreeze: Math.min(5, learners(trunk)) } },
    { method: 'modify', options: {} }, ...deeper.map(({ stride }) => ({ method: 'modify' as const,
      options: { at: { stride } } }))]
  const expected = candidates.reduce((sum, { method }) => sum + forecasts[method].seconds * chosen.length / set.length, 0)
  if (!(expected <= seconds) || Math.min(...set.counts) < 3) return null
  // In three turns each image is judged once; of few images twice is surer. Half of the time is kept for what was foretold wrongly.
  const turns = [chosen.length < 150 ? 6 : 3, 3, 2].find(n => n * expected <= seconds / 2) ?? 1
  const bar = progressBar({ label: 'Trying the methods', total: candidates.length }), tried: Tried[] = []
  try {
    for (const { method, options } of candidates) {
      const trial = await tryOut(set, chosen, () => fresh(method, trunk, set, options),
        { turns, epochs, batch, learningRate: ratesOf[method], tick: part => bar.tick(part) })
      tried.push({ method, options, ...trial })
    }
    bar.done()
    return tried
  } finally {
    bar.stop()
  }
}

/** A copy, so that nothing that is tried here reaches the model given. */
const twin = (model: LayersModel) => operate(model, (_, inputs, usual) => usual(inputs))

/** The methods as one would first try them. */
const methods: Record<Method, (base: LayersModel, set: ImageSet, options: Recommendation['options']) => LayersModel> = {
  extract: (base, { classes }) => extract(base, { classes: classes.length, show: false }),
  fineTune: (base, { classes }, options) => fineTune(base, { classes: classes.length, show: false, unfreeze: Math.min(5,
    learners(base)), ...options }),
  modify: (base, { classes }, options) => modify(base, { classes: classes.length, show: false,
    add: [convolution()], ...options }),
}

/** What is built on: its first weights are the same each time, so that the same images get the same advice. */
const convolution = () => tf.layers.conv2d({
  filters: 64, kernelSize: 3, padding: 'same', activation: 'relu',
  kernelInitializer: tf.initializers.glorotUniform({ seed: seedFrom('advise') }),
})

/** How many layers of a base fine-tuning can open. */
const learners = (base: LayersModel) =>
  leaves(base).filter(layer => holdsWeights(layer) && layer.getClassName() !== 'BatchNormalization').length
