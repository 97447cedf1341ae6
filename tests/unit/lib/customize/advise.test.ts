import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { setCard } from '../../../../lib/card.ts'
import { advise } from '../../../../lib/customize/advise.ts'
import { probe, sample } from '../../../../lib/customize/probe.ts'
import { recommend, type Findings } from '../../../../lib/customize/recommend.ts'
import { randomFrom } from '../../../../lib/data/random.ts'
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
  images: 200, classes: 10, perClass: 20, probe: of(last), half: of(half, 100), distance,
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

test('it measures, forecasts for each method, shows itself and leaves the model as it was', async () => {
  const base = trunk(), data = await colours(48, 12, 0.25)
  setCard(base, { size: [12, 12], range: [0, 1] })
  base.getLayer('conv').trainable = false
  const flags = base.layers.map(layer => layer.trainable), before = weightsOf(base)
  const advice = await advise(base, data, { epochs: 3 })
  assert.deepEqual([base.layers.map(layer => layer.trainable), weightsOf(base)], [flags, before])
  assert.equal(advice.findings.images, 36)
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
