import assert from 'node:assert/strict'
import { test } from 'node:test'
import { extract } from '../../../../lib/customize/extract.ts'
import { unfreeze } from '../../../../lib/customize/freeze.ts'
import { runs } from '../../../../lib/runs/runs.ts'
import { Run } from '../../../../lib/train/run.ts'
import { train, type TrainOptions } from '../../../../lib/train/train.ts'
import { forgetting, overfitting } from '../../../../lib/train/warnings.ts'
import { colours, recordingHost, trunk, weightsOf } from './fixtures.ts'

process.env.GRAFT_RUNS = 'off'
const screen = recordingHost()
const data = await colours(48, 12, 0.25)
const made = () => extract(trunk(), { classes: data.classes, show: false })
const quiet: TrainOptions = { show: false, learningRate: 0.05 }
const turns = async (count: number) => { for (let i = 0; i < count; i++) await new Promise(setImmediate) }

test('the run is there as soon as train returns, and can be seen while it goes on', async () => {
  const training = train(made(), data, { ...quiet, epochs: 5 })
  assert.equal(runs.last(), training.run)
  assert.deepEqual([training.run.finished, training.run.epochs], [false, 5])
  assert.equal(await training, training.run)
  const refused = train(made(), undefined as never)
  assert.throws(() => refused.run, /has not begun yet, or was refused/)
  await assert.rejects(refused, /expected the answer of data\.images/)
})

test('a paused run rests between two steps, and goes on as if it had not', async () => {
  const whole = await train(made(), data, { ...quiet, epochs: 6 })
  const training = train(made(), data, { ...quiet, epochs: 6 }), { run } = training
  while (!run.batchLosses.length) await turns(1)
  training.pause()
  await turns(20)
  const seen = [run.history.loss.length, run.batchLosses.length]
  await turns(200)
  assert.deepEqual([run.history.loss.length, run.batchLosses.length], seen)
  assert.equal(training.paused, true)
  training.resume()
  assert.deepEqual((await training).history, whole.history)
})

test('a paused run can be stopped, and interrupted', async () => {
  for (const [end, reason] of [[(t: { stop(): void }) => t.stop(), 'stopped'], [() => screen.interrupt(), 'interrupted']] as const) {
    const training = train(made(), data, { ...quiet, epochs: 1000 })
    training.pause()
    await turns(20)
    end(training)
    assert.equal((await training).stopped, reason)
  }
})

test('a learning rate set from outside counts from the next step on, and is noted; what is none is refused', async () => {
  const model = made(), training = train(model, data, { ...quiet, epochs: 200, optimizer: 'sgd' })
  assert.equal(training.learningRate, 0.05)
  assert.throws(() => { training.learningRate = -1 }, /learningRate must be a number above 0; received -1/)
  assert.throws(() => { training.learningRate = { trunk: 1 } }, /no rate for 1 trainable layers/)
  while (training.run.history.loss.length < 2) await turns(1)
  training.learningRate = { head: 1e-20, trunk: 1e-20 }
  // The step that was under way still has the old rate.
  const { run: { history } } = training, epochs = history.loss.length
  while (history.loss.length < epochs + 1) await turns(1)
  const still = weightsOf(model)
  while (history.loss.length < epochs + 3) await turns(1)
  assert.deepEqual(weightsOf(model), still)
  training.stop()
  const run = await training
  assert.match(run.notes.join(), /Epoch \d+: the learning rate was set from 0\.05 to \{"head":1e-20,"trunk":1e-20\}/)
})

test('a run whose cell was interrupted is the last one of runs, with its history', async () => {
  void train(made(), data, { ...quiet, epochs: 1000 })
  while (runs.last().history.loss.length < 2) await turns(1)
  screen.interrupt()
  while (!runs.last().finished) await turns(1)
  assert.equal(runs.last().stopped, 'interrupted')
  assert.ok(runs.last().history.loss.length >= 2)
})

test('what the whole takes is told before the first step, and again after the second', async () => {
  const training = train(made(), data, { ...quiet, epochs: 4 })
  const told: { steps: number, epochs: number, forecast: Run['forecast'] }[] = []
  let forecast: Run['forecast'] = null
  Object.defineProperty(training.run, 'forecast', {
    get: () => forecast,
    set(value: Run['forecast']) {
      forecast = value
      told.push({ steps: training.run.batchLosses.length, epochs: training.run.history.loss.length, forecast: value })
    },
  })
  await training
  assert.deepEqual(told.map(({ steps, epochs }) => [steps, epochs]), [[0, 0], [2, 0]])
  for (const { forecast } of told) {
    assert.ok(forecast!.seconds > 0 && forecast!.seconds < 600 && forecast!.bytes > 1000, JSON.stringify(forecast))
  }
})

const judged = (loss: number[], valLoss: number[]) => Object.assign(new Run('x', { images: {}, weights: {} } as never), { history: { loss, valLoss } })
const gaps: [string, number[], number[], RegExp | null][] = [
  ['a growing gap', [1, 0.8, 0.6, 0.4, 0.2], [1, 0.9, 1, 1.1, 1.2], /Overfitting since epoch 2[^]*earlyStopping: 3[^]*augment/],
  ['a gap that does not grow', [1, 0.8, 0.6, 0.4, 0.2], [1.5, 1.3, 1.1, 0.9, 0.7], null],
  ['too few epochs', [1, 0.8, 0.6], [1, 1.1, 1.2], null],
  ['both losses rise', [0.2, 0.4, 0.6, 0.8, 1], [0.3, 0.5, 0.7, 0.9, 1.1], null],
]
for (const [name, loss, valLoss, words] of gaps) {
  test(`overfitting is told: ${name}`, () => {
    const run = judged(loss, valLoss), said = overfitting(run)
    if (!words) return assert.equal(said, null)
    assert.match(said!, words)
    run.notes.push(said!)
    assert.equal(overfitting(run), null)
  })
}

test('an older task is watched from before the first epoch, and its loss is told', async () => {
  const base = trunk(), old = extract(base, { classes: data.classes, show: false })
  await train(old, data, { ...quiet, epochs: 12 })
  // Other labels for the same images: the trunk learns, with a high rate, to see something else.
  const model = extract(base, { classes: ['a', 'b', 'c'], show: false })
  unfreeze(model, 'conv*')
  const { x } = await data.train.tensors()
  const { tensors } = await import('../../../../lib/data/tensors.ts')
  const other = await tensors(x, Array.from(data.train.labels, (_, i) => i % 3), { classes: ['a', 'b', 'c'], batch: 16 })
  x.dispose()
  screen.shown.length = 0
  const run = await train(model, other, { epochs: 6, learningRate: { trunk: 0.5, head: 0.05 }, watch: { colours: { model: old, data } } })
  assert.equal(run.history.coloursAccuracy.length, 6)
  assert.ok(run.watched.colours > 0.8)
  assert.match(run.notes.join(), /Forgetting 'colours': its accuracy fell from [\d.]+ % to [\d.]+ % by epoch \d[^]*catastrophic/)
  assert.ok(screen.shown.some(({ bundle }) => /Forgetting 'colours'/.test(String(bundle['text/plain']))))
  assert.equal(forgetting(run, 'colours', 0.9, 0.2), null)
})

test('watch refuses what is no older task', async () => {
  const model = made()
  await assert.rejects(train(model, data, { ...quiet, watch: { x: { model } as never } }), /watch\.x must be \{ model, data \}/)
  await assert.rejects(train(model, data, { ...quiet, watch: { 'a b': { model, data } } }), /'a b' is no name for a task/)
})
