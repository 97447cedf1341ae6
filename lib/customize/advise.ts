import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs'
import type { ImageSet } from '../data/set.ts'
import { GraftError } from '../error.ts'
import { host } from '../host.ts'
import { Advice } from '../show/advice.ts'
import { plural } from '../show/format.ts'
import { tf } from '../tf.ts'
import { checkInput, partsOf, type TrainingData } from '../train/checks.ts'
import { distance } from './distance.ts'
import { extract } from './extract.ts'
import { featuresFor } from './features.ts'
import { fineTune } from './fine-tune.ts'
import { forecast, type Forecast } from './forecast.ts'
import { setTrainable } from './freeze.ts'
import { featuresOf } from './head.ts'
import { checkModel, holdsWeights, leaves } from './layers.ts'
import { modify } from './modify.ts'
import { probe, sample } from './probe.ts'
import { recommend, type Findings, type Method, type Recommendation } from './recommend.ts'
import { operate } from './surgery.ts'
import { tap } from './tap.ts'

export interface AdviseOptions {
  /** For how many epochs the time is forecast. Default 10. */
  epochs?: number
  /** Images that the probe looks at. Default 400. */
  images?: number
}

/** Images for the distance: its mean over them is steady enough (letters from their own set: 0.02 with 32 images). */
const forDistance = 32

/**
 * Which of the three methods suits these images, from measurements: images per class, how well a linear classifier tells the
 * classes apart by the trunk's last and by earlier features, how far the images are from those the trunk was trained on, and
 * what each method takes in time and memory here. The answer shows itself, with its reasons. The model given stays as it is.
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
export async function advise(base: LayersModel, data: TrainingData, { epochs = 10,
  images = 400 }: AdviseOptions = {}): Promise<Advice> {
  const signal = host().signal
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
    const findings = await look(copy, train, images, signal), answer = recommend(findings)
    const forecasts = {} as Record<Method, Forecast>
    for (const method of Object.keys(methods) as Method[]) {
      signal.throwIfAborted()
      forecasts[method] = await forecastOf(method, copy, parts, answer, batch, epochs)
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
    distance: await distance(trunk, set, sample(set.labels, forDistance), signal),
  }
}

/** Earlier features that are looked at: a half and a quarter of the depth of most networks, whose last maps have stride 32. */
const strides = [8, 16]

async function forecastOf(method: Method, trunk: LayersModel, parts: ReturnType<typeof partsOf>, answer: Recommendation,
  batch: number,
  epochs: number): Promise<Forecast> {
  const base = twin(trunk), model = methods[method](base, parts.train, method === answer.method ? answer.options : {})
  try {
    return await forecast(model, parts, batch, epochs)
  } finally {
    for (const weight of new Set([...base.weights, ...model.weights])) weight.dispose()
  }
}

/** A copy, so that nothing that is tried here reaches the model given. */
const twin = (model: LayersModel) => operate(model, (_, inputs, usual) => usual(inputs))

/** The methods as one would first try them. */
const methods: Record<Method, (base: LayersModel, set: ImageSet, options: Recommendation['options']) => LayersModel> = {
  extract: (base, { classes }) => extract(base, { classes: classes.length, show: false }),
  fineTune: (base, { classes }) => fineTune(base, { classes: classes.length, show: false, unfreeze: Math.min(5,
    learners(base)) }),
  modify: (base, { classes }, options) => modify(base, { classes: classes.length, show: false,
    add: [tf.layers.conv2d({ filters: 64, kernelSize: 3, padding: 'same', activation: 'relu' })], ...options }),
}

/** How many layers of a base fine-tuning can open. */
const learners = (base: LayersModel) =>
  leaves(base).filter(layer => holdsWeights(layer) && layer.getClassName() !== 'BatchNormalization').length
