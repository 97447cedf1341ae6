import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { extract } from '../../../../lib/customize/extract.ts'
import { unfreeze } from '../../../../lib/customize/freeze.ts'
import { displaySymbol } from '../../../../lib/host.ts'
import { runs } from '../../../../lib/runs/runs.ts'
import { tf } from '../../../../lib/tf.ts'
import { RateTest } from '../../../../lib/train/find-rate.ts'
import { ratesOf } from '../../../../lib/train/rates.ts'
import { train } from '../../../../lib/train/train.ts'
import { colours, recordingHost, trunk, weightsOf } from './fixtures.ts'

process.env.GRAFT_RUNS = 'off'
const screen = recordingHost()
const data = await colours(48, 12, 0.25)
const base = trunk()
const made = (dropout?: number) => extract(base, { classes: data.classes, show: false, dropout })

test('the learning rate test suggests a rate that learns, and leaves the model as it was', async () => {
  const model = made(), before = weightsOf(model), tensors = tf.memory().numTensors
  const found = await train.findLearningRate(model, data)
  assert.deepEqual(weightsOf(model), before)
  assert.equal(tf.memory().numTensors, tensors)
  assert.equal(model.optimizer, undefined)
  assert.ok(found.rates.length > 20 && Math.abs(found.rates[0] - 1e-6) < 1e-12)
  const loss = async (learningRate: number) => (await train(made(), data, { learningRate, epochs: 5, show: false })).history.loss.at(-1)!
  assert.ok(await loss(found.suggestion) < 0.9 * await loss(1e-4), inspect(found))
  const again = await train.findLearningRate(made(), data)
  assert.deepEqual(again.losses, found.losses)
  assert.match(inspect(found), /^Learning rate test: \de-\d is suggested|^Learning rate test: [\d.]+e[-+]\d is suggested/)
  const bundle = await found[displaySymbol]()
  assert.ok('image/png' in bundle)
  assert.match(String(bundle['text/plain']), /is suggested, where the loss falls fastest/)
})

test('the suggestion is the steepest point of the curve before its lowest', () => {
  const rates = Array.from({ length: 61 }, (_, i) => 10 ** (-6 + i / 10))
  const curve = rates.map(rate => 2 - 1.5 / (1 + (3e-3 / rate) ** 2) + (rate > 0.1 ? 20 * rate : 0))
  const { suggestion } = new RateTest(rates, curve)
  assert.ok(suggestion > 1.5e-3 && suggestion < 1.5e-2, String(suggestion))
})

test('an interrupt ends the test with what it has; one that learns nothing of a frozen model is refused', async () => {
  const testing = train.findLearningRate(made(), data, { steps: 100_000 })
  for (let turns = 0; turns < 3000; turns++) await new Promise(setImmediate)
  screen.interrupt()
  assert.ok((await testing).rates.length > 0)
  const model = made()
  await assert.rejects(train.findLearningRate(model, data, { from: 1, to: 0.1 }), /from must be below to/)
  await assert.rejects(train.findLearningRate(model, data, { step: 3 } as never), /unknown option 'step'\. Did you mean 'steps'/)
  const training = train(model, data, { epochs: 100, show: false })
  await assert.rejects(train.findLearningRate(model, data), /is being trained already/)
  training.stop()
  await training
})

test('a sweep over a model tries every combination from the same weights, and keeps the best', async () => {
  const model = made(), before = weightsOf(model)
  const sweep = await train.sweep(model, data, { learningRate: [1e-5, 0.05], batch: [8, 16] }, { epochs: 4 })
  assert.equal(sweep.trials.length, 4)
  assert.deepEqual(new Set(sweep.trials.map(({ values }) => JSON.stringify(values))).size, 4)
  assert.equal(sweep.best.values.learningRate, 0.05)
  assert.equal(sweep.model, model)
  const same = made()
  assert.deepEqual(weightsOf(same), before)
  const alone = await train(same, data, { ...sweep.best.values, epochs: 4, show: false, keep: 'best' })
  assert.deepEqual(alone.history, sweep.best.run.history)
  assert.deepEqual(weightsOf(model), weightsOf(same))
  assert.match(inspect(sweep), /4 of 4 trials, the best first\nrun +learningRate +batch .*\n─+\n\w+ +0\.05 /)
  assert.match(String(sweep[displaySymbol]()['text/html']), /<img/)
})

test('a sweep over a function makes a model for each trial, and frees those that lost', async () => {
  await train.sweep(() => made(), data, { learningRate: [0.05] }, { epochs: 1 })
  const before = tf.memory().numTensors
  const sweep = await train.sweep(({ dropout }) => made(dropout), data,
    { dropout: [0, 0.3, 0.9], learningRate: { from: 1e-3, to: 1e-1, log: true } }, { epochs: 2, count: 5, seed: 3 })
  assert.equal(sweep.trials.length, 5)
  for (const { values } of sweep.trials) assert.ok((values.learningRate as number) >= 1e-3 && (values.learningRate as number) <= 1e-1)
  assert.deepEqual(new Set(sweep.trials.map(({ values }) => values.dropout)), new Set([0, 0.3, 0.9]))
  // One head with its optimizer's memory stays: kernel and bias, twice that in Adam.
  assert.ok(tf.memory().numTensors - before <= 8, `${tf.memory().numTensors - before} tensors more`)
  assert.equal((await train(sweep.model, data, { epochs: 1, show: false })).history.loss.length, 1)
})

test('an interrupted sweep gives the trials that are done', async () => {
  const sweeping = train.sweep(made(), data, { seed: Array.from({ length: 500 }, (_, i) => i + 1) }, { epochs: 2 })
  while (!/^seed (3|4|5)$/.test(runs.last().title ?? '')) await new Promise(setImmediate)
  screen.interrupt()
  const sweep = await sweeping
  assert.ok(sweep.trials.length > 0 && sweep.trials.length < 500)
  assert.equal(sweep.wanted, 500)
})

const refusals: [string, () => Promise<unknown>, RegExp][] = [
  ['no choices', () => train.sweep(made(), data, {}), /expected values to try, e\.g\. \{ learningRate/],
  ['no model', () => train.sweep({} as never, data, { batch: [1] }), /expected a model, or a function that makes one; received \{\}/],
  ['what train does not know', () => train.sweep(made(), data, { dropout: [0, 1] }), /'dropout' is no option of train\. Give a function/],
  ['an empty list', () => train.sweep(made(), data, { batch: [] }), /no values to try of 'batch'/],
  ['a range without a count', () => train.sweep(made(), data, { learningRate: { from: 1, to: 2 } }), /is a range: say how many trials/],
  ['a range upside down', () => train.sweep(made(), data, { learningRate: { from: 2, to: 1 } }, { count: 2 }), /with from below to/],
  ['a function that gives no model', () => train.sweep(() => 3 as never, data, { batch: [8] }), /must give a model; it gave 3/],
]
for (const [name, work, message] of refusals) {
  test(`a sweep refuses ${name}`, () => assert.rejects(work, (error: Error) => {
    assert.equal(error.name, 'GraftError')
    assert.match(error.message, message)
    return true
  }))
}

test('layer-wise decay: each block of the trunk has a part of the rate of the one above', () => {
  const model = made()
  unfreeze(model, '*')
  const rate = ratesOf(model, { trunk: 1e-2, head: 1, decay: 0.5 })
  const names = model.layers.filter(layer => layer.weights.length).map(layer => [layer.name, layer.weights[0].name])
  const found = Object.fromEntries(names.map(([layer, weight]) => [layer, rate(weight)]))
  assert.equal(found.predictions, 1)
  const trunks = Object.entries(found).filter(([name]) => name !== 'predictions').map(([, value]) => value)
  assert.ok(trunks.every((value, i) => !i || value >= trunks[i - 1]) && trunks.at(-1) === 1e-2, JSON.stringify(found))
  assert.throws(() => ratesOf(model, { head: 1, decay: 0.5 }), /decay must be a part up to 1[^]*beside a rate for 'trunk'/)
  assert.throws(() => ratesOf(model, { trunk: 1, head: 1, decay: 2 }), /decay must be a part up to 1/)
})
