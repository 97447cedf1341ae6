import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { setCard } from '../../../../lib/card.ts'
import { advise } from '../../../../lib/customize/advise.ts'
import { refined } from '../../../../lib/customize/forecast.ts'
import { probe, sample } from '../../../../lib/customize/probe.ts'
import { recommend, type Findings, type Method, type Tried } from '../../../../lib/customize/recommend.ts'
import { randomFrom } from '../../../../lib/data/random.ts'
import { runs } from '../../../../lib/runs/runs.ts'
import { displaySymbol } from '../../../../lib/host.ts'
import { tf } from '../../../../lib/tf.ts'
import { colours, recordingHost, trunk, weightsOf } from '../train/fixtures.ts'

recordingHost()

test('the probe: noise is at chance, what tells classes apart is found, nothing leaks from an image to its own judge', () => {
  const random = randomFrom('probe'), labels = Array.from({ length: 120 }, (_, i) => i % 4)
  const noise = labels.map(() => Float32Array.from({ length: 200 }, () => random() - 0.5))
  assert.ok(Math.abs(probe(noise, labels).accuracy - 0.25) < 0.15)
  const told = noise.map((row, i) => row.map((value, d) => d % 4 === labels[i] ? value + 0.5 : value))
  assert.ok(probe(told, labels).accuracy > 0.95)
  const few = labels.slice(0, 8)
  assert.ok(probe(noise.slice(0, 8), few).accuracy < 0.75)
})

test('a sample has as many of each class as there are', () => {
  const labels = [0, 0, 0, 0, 0, 0, 1, 1, 2, 2]
  assert.deepEqual(sample(labels, 6).map(i => labels[i]).sort(), [0, 0, 1, 1, 2, 2])
  assert.equal(new Set(sample(labels, 100)).size, 10)
})

const of = (accuracy: number, images = 200) => ({ accuracy, images, error: Math.sqrt(accuracy * (1 - accuracy) / images) })
const findings = (last: number, half: number, earlier: [number, number][] = [], distance: number | null = null): Findings => ({
  images: 200, classes: 10, perClass: 20, probe: of(last), half: of(half, 100), distance, trials: null,
  earlier: earlier.map(([stride, accuracy]) => ({ stride, probe: of(accuracy) })),
})
const cases: [string, Findings, string, RegExp][] = [
  ['nothing left to gain', findings(0.99, 0.99), 'extract', /nothing is left/],
  ['more images help', findings(0.8, 0.6), 'extract', /more images still help \(half of them: 60 ± 5 %, all: 80 ± 3 %\)/],
  ['the features are used up', findings(0.8, 0.79), 'fineTune', /no longer help/],
  ['earlier layers are better', findings(0.675, 0.6, [[8, 0.775], [16, 0.706]], 0.44), 'modify', /stride 8 tell.*at stride 16/],
  ['earlier layers are better by chance', findings(0.675, 0.4, [[8, 0.69]]), 'extract', /more images/],
]
for (const [name, found, method, reason] of cases) {
  test(`advice where ${name}: ${method}`, () => {
    const answer = recommend(found)
    assert.equal(answer.method, method)
    assert.match(answer.reasons.at(-1)!, reason)
  })
}

const tried = (method: Method, accuracy: number, options = {}): Tried => ({ method, options, accuracy, images: 67, learned: 133,
  seen: 200, epoch: 0.5, besides: 1, forwards: 0 })
const atStride = { at: { stride: 16 } }
for (const [name, accuracies, method, options] of [
  ['the best', [0.8, 0.9, 0.85], 'fineTune', {}], ['the simplest of equals', [0.9, 0.9, 0.9], 'extract', {}],
    ['what no one would notice', [0.9, 0.904, 0.9], 'extract', {}],
  ['another cut', [0.6, 0.65, 0.66, 0.8], 'modify', atStride], ['the simpler of two better ones', [0.7, 0.9, 0.902], 'fineTune',
    {}],
] as [string, number[], Method, object][]) {
  test(`of trials: ${name}`, () => {
    const trials = accuracies.map((accuracy, i) => tried((['extract', 'fineTune', 'modify', 'modify'] as const)[i], accuracy,
      i === 3 ? atStride : {}))
    const answer = recommend({ ...findings(0.8, 0.6), trials })
    assert.deepEqual([answer.method, answer.options], [method, options])
    assert.match(answer.reasons[0],
      /^Tried on 133 images and judged by others, 67 in all \(± \d+\): extract \d+ %, fineTune \d+ %, modify \d+ %/)
  })
}

test('a trial mends a forecast: a smaller last step counts as what it is, features that are kept count nothing', async () => {
  const costs = { starting: 9, forward: 0.5, unseen: 90, step: 0.01, image: 0.001, judging: 0.1 }, { train } = await colours(96)
  const parts = { train: train.pick([...Array(64).keys()]), validation: train.pick([...Array(32).keys()]) }
  // Two steps, of 32 and of 8 images, took twice of what was foretold; so will two of 32.
  const trial = { images: 20, accuracy: 1, learned: 40, seen: 60, epoch: 2 * 0.06, besides: 7, forwards: 4 }
  const { seconds } = refined({ seconds: 0, bytes: 0, weights: 0, costs }, trial, parts, 32, 10)
  assert.ok(Math.abs(seconds - (7 - 4 * 0.5 + 36 * 0.5 + 10 * (2 * (2 * 0.01 + 64 * 0.001) + 0.1))) < 1e-9, String(seconds))
})

test('where trials would take too long, probes decide', async () => {
  const advice = await advise(trunk(), await colours(48), { epochs: 2, seconds: 0 })
  assert.equal(advice.findings.trials, null)
  await assert.rejects(advise(trunk(), await colours(48), { second: 1 } as never),
    /unknown option 'second'\. Did you mean 'seconds'/)
})

test('it measures, forecasts for each method, shows itself and leaves the model as it was', async () => {
  const base = trunk(), data = await colours(48, 12, 0.25)
  setCard(base, { size: [12, 12], range: [0, 1] })
  base.getLayer('conv').trainable = false
  const flags = base.layers.map(layer => layer.trainable), before = weightsOf(base)
  const listed = runs.list().length, advice = await advise(base, data, { epochs: 3 })
  assert.equal(runs.list().length, listed, 'its trials are no runs of the user')
  assert.deepEqual([base.layers.map(layer => layer.trainable), weightsOf(base)], [flags, before])
  assert.equal(advice.findings.images, 36)
  assert.deepEqual(advice.findings.trials?.slice(0, 3).map(({ method, images, learned }) => [method, images, learned]),
    [['extract', 36, 24], ['fineTune', 36, 24], ['modify', 36, 24]])
  for (const { seconds, bytes, weights } of Object.values(advice.forecast)) assert.ok(seconds > 0 && bytes > 0 && weights > 0)
  assert.ok(advice.forecast.fineTune.weights > advice.forecast.extract.weights)
  assert.match(inspect(advice), /^customize\.\w+\(base, .*\n.*36 images of 3 classes.*→ +(extract|fineTune|modify)/s)
  const html = String(advice[displaySymbol]()['text/html'])
  assert.match(html, /Time, 3 epochs.*advised/s)
  assert.doesNotMatch(html, /<style|<script|class=/)
  await advise(base, data, { epochs: 3 })
  const tensors = tf.memory().numTensors
  await advise(base, data, { epochs: 3 })
  assert.ok(tf.memory().numTensors <= tensors, 'a second call leaves nothing behind')
})

test('refused: one image of a class, another size', async () => {
  const data = await colours(4)
  await assert.rejects(advise(trunk(), data), /'green' has 1 image to train on\. Expected two or more/)
  await assert.rejects(advise(trunk(20), await colours(12)), /the model takes images of 20×20×3, the data has 12×12×3/)
})
