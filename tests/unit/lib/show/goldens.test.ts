import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setCard } from '../../../../lib/card.ts'
import { tensors } from '../../../../lib/data/tensors.ts'
import { engine } from '../../../../lib/engine/index.ts'
import { host, installHost, displaySymbol, type MimeBundle } from '../../../../lib/host.ts'
import { Advice } from '../../../../lib/show/advice.ts'
import { augmentationBundle } from '../../../../lib/show/augmentation.ts'
import { diff } from '../../../../lib/show/diff.ts'
import { imageDataBundle, imageSetBundle } from '../../../../lib/show/images.ts'
import { worstBundle } from '../../../../lib/show/prediction.ts'
import { bundleOf, show } from '../../../../lib/show/index.ts'
import { comparisonBundle, runsBundle } from '../../../../lib/show/runs.ts'
import { compare, summary, verify } from '../../../../lib/files/index.ts'
import { save } from '../../../../lib/save/index.ts'
import { tensorBundle } from '../../../../lib/show/tensor.ts'
import { tf } from '../../../../lib/tf.ts'
import { RateTest } from '../../../../lib/train/find-rate.ts'
import { Run } from '../../../../lib/train/run.ts'
import { golden } from '../../../golden.ts'
import { finishedRun, predictions, scheduledRun, trained, trunk } from './samples.ts'

// Displays whose parts have tests elsewhere: here is how the whole looks.

/** Eight images of two classes: one dark and one bright in turn, each with a spot. */
const images = () => {
  const pixels = Float32Array.from({ length: 8 * 8 * 8 * 3 }, (_, i) => {
    const image = Math.floor(i / 192), x = Math.floor(i / 3) % 8
    return x === image ? 0.5 : (image % 2) * 0.8
  })
  return tensors(tf.tensor4d(pixels, [8, 8, 8, 3]), [0, 1, 0, 1, 0, 1, 0, 1], { classes: ['dark', 'bright'], validation: 0.25 })
}

const probe = (accuracy: number) => ({ accuracy, right: [] }) as never

function advice(): Advice {
  const forecast = (seconds: number, weights: number) => ({ seconds, bytes: weights * 400, weights, costs: { starting: 0, forward: 0, unseen: 0, step: 0, image: 0, judging: 0 } })
  const findings = {
    images: 160, classes: 10, perClass: 16, probe: probe(0.95), half: probe(0.9), earlier: [{ stride: 8, probe: probe(0.7) }], trials: null, distance: null,
  }
  const answer = { method: 'extract' as const, options: {}, reasons: ["The trunk's features tell the classes apart."] }
  return new Advice('thin_mobilenet', findings, { extract: forecast(0.3, 10_250), fineTune: forecast(3, 203_226), modify: forecast(66, 590_538) }, 10, answer)
}

/** A run of the given learning rate; the history is the sample's, scaled. */
function run(id: string, learningRate: number, title?: string): Run {
  const { history, images, seconds, engine } = finishedRun()
  const made = new Run(id, {
    started: '2020-02-03T04:05:06Z', title, epochs: 10, batch: 16, seed: 1, optimizer: 'adam', learningRate, loss: 'categoricalCrossentropy',
    engine: engine!, images: images!, weights: { trainable: 10, total: 20 },
  })
  for (const [name, values] of Object.entries(history)) made.history[name] = values!.map(value => value * (1 - learningRate))
  return Object.assign(made, { seconds, finished: true })
}

/** A model whose last layer was cut and that has another one, of the same layers otherwise; some are frozen since. */
function surgery() {
  const base = trunk(1), model = tf.model({
    inputs: base.inputs, outputs: tf.layers.flatten({ name: 'flat' }).apply(base.layers.at(-2)!.output) as never, name: 'operated',
  })
  setCard(model, { size: [32, 32], range: [0, 1] })
  model.getLayer('Conv1').trainable = false
  return diff(base, model)
}

const shown = async (value: unknown) => await (value as Record<symbol, () => MimeBundle | Promise<MimeBundle>>)[displaySymbol]()

/** What `show` displays. */
async function displayed(work: () => unknown): Promise<MimeBundle> {
  const before = host(), all: MimeBundle[] = []
  installHost({ ...before, display: bundle => void all.push(bundle) })
  try {
    await work()
  } finally {
    installHost(before)
  }
  return all.at(-1)!
}

const root = new URL('../../../../', import.meta.url).pathname
const folder = mkdtempSync(join(tmpdir(), 'graft-goldens-'))
after(() => rmSync(folder, { recursive: true, force: true }))

/** The path of a new file of a small model whose last layer's weights are given. */
async function saved(name: string, kernel: number[], bias = [0, 0]): Promise<string> {
  const model = tf.sequential({
    name: 'small',
    layers: [
      tf.layers.dense({ units: 3, inputShape: [2], kernelInitializer: 'ones', name: 'trunk' }), tf.layers.dense({ units: 2, name: 'head' }),
    ],
  })
  model.layers[1].setWeights([tf.tensor2d(kernel, [3, 2]), tf.tensor1d(bias)])
  const path = join(folder, name)
  await save(model, path)
  return path
}

/** Without what differs from one machine or moment to the next: folders and checksums. */
function placeless(bundle: MimeBundle): MimeBundle {
  const strip = (words: unknown) => String(words).replaceAll(`${folder}/`, '').replaceAll(root, '')
    .replace(/\b[0-9a-f]{64}\b/g, '…')
  return Object.fromEntries(Object.entries(bundle).map(([mime, words]) => [mime, strip(words)]))
}

/** What `engine` tells on a certain machine. */
const someEngine = () => Object.assign(engine(), {
  name: 'WASM SIMD', threads: 1, reason: 'the fastest that is here', frozen: 'ONNX Runtime 1.2.3, 2 threads',
  exceptions: ["'operated' predicts in WASM SIMD, as it has the layer Asinh"],
  faster: 'TensorFlow is not installed; node install.js --engine tensorflow installs it',
})

const file = 'notebooks/models/mobilenet_v2_letters_feature_vector/assets.extra/letters_head.h5'

const displays: Record<string, () => MimeBundle | Promise<MimeBundle>> = {
  advice: () => shown(advice()),
  diff: () => shown(surgery()),
  'data-set': async () => imageDataBundle(await images()),
  'part-of-a-data-set': async () => imageSetBundle((await images()).train),
  augmentation: async () => augmentationBundle((await images()).train.augment({ flip: true, rotate: 0.1 }), { count: 2, variants: 3 }),
  worst: () => worstBundle(predictions(), { count: 4 }),
  'rate-test': () => shown(new RateTest([1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1], [2.3, 2.28, 1.9, 0.8, 0.4, 3])),
  runs: () => runsBundle([run('aaaa1111', 0.01, 'slow'), run('bbbb2222', 0.1)], '2 runs, the newest first'),
  comparison: () => comparisonBundle([run('aaaa1111', 0.01), run('bbbb2222', 0.1)], [{ learningRate: '0.01' }, { learningRate: '0.1' }]),
  'training-by-show': () => displayed(() => show.training(scheduledRun())),
  'layers-found': () => displayed(() => show.layers(trained(), { search: 'block_6' })),
  picture: () => bundleOf(tf.linspace(0, 1, 48).reshape([4, 4, 3])),
  tensor: () => tensorBundle(tf.linspace(0, 1, 6).reshape([2, 3])),
  file: async () => placeless(await shown(await summary(root + file))),
  'file-compared': async () => placeless(await shown(
    await compare(await saved('before.keras', [1, 2, 3, 4, 5, 6]), await saved('after.h5', [1, 2, 3, 4, 5, 6.5], [0.25, 0])),
  )),
  'file-in-order': async () => placeless(await shown(await verify(await saved('whole.keras', [1, 2, 3, 4, 5, 6])))),
  'file-not-in-order': async () => placeless(await shown(await verify(await saved('wild.h5', [1, NaN, 3, 4, Infinity, 6])))),
  receipt: async () => placeless(await shown(await save(trunk(1), join(folder, 'thin.h5')))),
  engine: () => shown(someEngine()),
}

for (const [name, make] of Object.entries(displays)) {
  test(`how it looks: ${name}`, async () => {
    const bundle = await make()
    for (const [mime, ending] of [['text/html', 'html'], ['image/svg+xml', 'svg'], ['text/plain', 'txt']]) {
      if (typeof bundle[mime] === 'string') golden(`show/${name}.${ending}`, bundle[mime])
    }
  })
}
