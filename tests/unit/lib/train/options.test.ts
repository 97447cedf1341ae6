import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { extract } from '../../../../lib/customize/extract.ts'
import { unfreeze } from '../../../../lib/customize/freeze.ts'
import { load } from '../../../../lib/save/index.ts'
import { tf } from '../../../../lib/tf.ts'
import { Best } from '../../../../lib/train/best.ts'
import { forgetFeatures } from '../../../../lib/train/features.ts'
import { factorOf, type Schedule } from '../../../../lib/train/schedules.ts'
import { train, type TrainOptions } from '../../../../lib/train/train.ts'
import { folderOf } from '../data/folders.ts'
import { colours, recordingHost, trunk, weightsOf } from './fixtures.ts'

recordingHost()
const data = await colours(48, 12, 0.25)
const made = () => extract(trunk(), { classes: data.classes })
const quiet: TrainOptions = { show: false, learningRate: 0.05 }

const curves: [Schedule, number[]][] = [
  ['constant', [1, 1, 1, 1, 1]],
  ['linear', [1, 0.75, 0.5, 0.25, 0]],
  ['cosine', [1, 0.8535534, 0.5, 0.1464466, 0]],
  ['oneCycle', [0.04, 1, 0.7500025, 0.2500075, 0.00001]],
  [done => 1 - done * done, [1, 0.9375, 0.75, 0.4375, 0]],
]
for (const [schedule, values] of curves) {
  test(`schedule ${schedule}: its factor at the start, the quarters and the end`, () => {
    const factor = factorOf(schedule, { steps: 100, perEpoch: 10, warmup: 0 })
    ;[0, 25, 50, 75, 100].forEach((step, i) => assert.ok(Math.abs(factor(step) - values[i]) < 1e-6, `${step}: ${factor(step)}`))
  })
}

test('a warm-up grows from 0 to 1, then the schedule begins', () => {
  const factor = factorOf('linear', { steps: 12, perEpoch: 3, warmup: 4 })
  assert.deepEqual([0, 1, 2, 3, 4, 8].map(factor), [0, 0.25, 0.5, 0.75, 1, 0.5])
})

test('early stopping ends the run and brings the best weights back', async () => {
  const model = made(), snapshots: number[][][] = []
  const before = weightsOf(model)
  // A rate that is far too high: the first epochs are the best.
  const run = await train(model, data, { show: false, epochs: 50, learningRate: 3, optimizer: 'momentum', earlyStopping: 3 })
  assert.equal(run.stopped, 'ended early')
  assert.equal(run.history.loss.length, run.bestEpoch! + 3)
  assert.match(run.notes.join(), new RegExp(`The weights are those of epoch ${run.bestEpoch}, the best`))
  snapshots.push(weightsOf(model))
  const { x, y } = await data.validation.tensors()
  const [loss] = (model.evaluate(x, y) as tf.Scalar[]).map(scalar => scalar.dataSync()[0])
  assert.ok(Math.abs(loss - Math.min(...run.history.valLoss)) < 1e-4)
  assert.notDeepEqual(snapshots[0], before)
  tf.dispose([x, y])
})

test('early stopping counts epochs without a gain of minDelta, of any measure', () => {
  const watch = (wish: ConstructorParameters<typeof Best>[0], values: number[], name: string) => {
    const best = new Best(wish, true, ['loss', 'valLoss', 'accuracy', 'valAccuracy']), history = { loss: [], [name]: [] as number[] }
    for (const [i, value] of values.entries()) {
      history[name].push(value)
      if (best.add(history, new Map())) return [best.epoch, i + 1]
    }
    return [best.epoch, null]
  }
  assert.deepEqual(watch(2, [3, 2, 2.5, 2.1, 1], 'valLoss'), [2, 4])
  assert.deepEqual(watch({ patience: 2, minDelta: 0.5 }, [3, 2.9, 2.8, 2.7], 'valLoss'), [1, 3])
  assert.deepEqual(watch({ patience: 1, monitor: 'valAccuracy' }, [0.5, 0.7, 0.6], 'valAccuracy'), [2, 3])
  assert.deepEqual(watch(undefined, [1, 2, 3, 4], 'valLoss'), [1, null])
})

test("keep: 'best' brings the best weights back after a stop too", async () => {
  const model = made()
  let steps = 0
  const schedule = () => { if (++steps === 20) training.stop(); return 1 }
  const training = train(model, data, { show: false, epochs: 500, learningRate: 3, optimizer: 'momentum', keep: 'best', schedule })
  const run = await training
  assert.equal(run.stopped, 'stopped')
  assert.match(run.notes.join(), new RegExp(`those of epoch ${run.bestEpoch}`))
})

test('frozenEpochs: the trunk waits while the head learns, then learns too', async () => {
  forgetFeatures()
  const base = trunk(), model = extract(base, { classes: data.classes })
  unfreeze(model, 'conv')
  const conv = weightsOf(base)[0]
  const first = train(model, data, { ...quiet, epochs: 4, frozenEpochs: 3 })
  const run = await first
  assert.notDeepEqual(weightsOf(base)[0], conv)
  assert.deepEqual([run.trunkForwards, run.frozen!.unchanged], [48, true])
  assert.equal(base.getLayer('conv').trainable, true)
  assert.deepEqual(run.unfrozen, { epoch: 4, layers: 1 })
  assert.ok(run.moved.conv > 0 && run.moved.conv < run.moved.predictions, JSON.stringify(run.moved))

  const other = trunk(), stoppedModel = extract(other, { classes: data.classes })
  unfreeze(stoppedModel, 'conv')
  let steps = 0
  const schedule = () => { if (++steps === 8) training.stop(); return 1 }
  const training = train(stoppedModel, data, { ...quiet, epochs: 1000, frozenEpochs: 999, schedule })
  await training
  assert.deepEqual(weightsOf(other)[0], conv)
  assert.equal(other.getLayer('conv').trainable, true)
})

test('balanced class weights give a rare class as much say as a common one', async () => {
  const rare = data.train.pick([...data.train.labels.keys()].filter(i => data.train.labels[i] !== 2 || i < 4))
  const recall = async (classWeights?: 'balanced') => {
    const model = made()
    await train(model, rare, { ...quiet, epochs: 4, learningRate: 0.02, classWeights })
    const { x, y } = await data.validation.tensors()
    const mean = tf.tidy(() => (model.predict(x) as tf.Tensor2D).slice([0, 2], [-1, 1]).mean().dataSync()[0])
    tf.dispose([x, y])
    return mean
  }
  assert.ok(await recall('balanced') > await recall() * 1.2)
})

test('a checkpoint holds the model of the best epoch', async () => {
  using at = folderOf({})
  const model = made(), file = join(at.folder, 'best.h5')
  const run = await train(model, data, { ...quiet, epochs: 3, keep: 'best', checkpoint: file })
  assert.deepEqual(run.notes, [`The weights are those of epoch ${run.bestEpoch}, the best.`])
  assert.deepEqual(weightsOf(await load(file)), weightsOf(model))
})

test('a checkpoint that cannot be written is noted and ends nothing', async () => {
  using at = folderOf({ file: '' })
  const run = await train(made(), data, { ...quiet, epochs: 2, checkpoint: join(at.folder, 'file/best.h5') })
  assert.equal(run.history.loss.length, 2)
  assert.match(run.notes[0], /Epoch 1 is not on disk: .*file/)
})

const refusals: [string, TrainOptions, RegExp][] = [
  ['an unknown schedule', { schedule: 'cosin' as never }, /unknown schedule: 'cosin'\. Did you mean 'cosine'/],
  ["a schedule for a foreign optimizer", { optimizer: tf.train.sgd(0.1), schedule: 'cosine' },
    /a schedule needs an optimizer of the library's own/],
  ['no patience', { earlyStopping: 0 }, /earlyStopping\.patience must be a whole number above 0/],
  ['an unmeasured measure', { earlyStopping: { patience: 2, monitor: 'auc' } },
    /'auc' is not measured here\. Expected loss, valLoss, accuracy, valAccuracy/],
  ['frozenEpochs with nothing open', { frozenEpochs: 2 }, /nothing of the trunk is open\. unfreeze/],
  ['frozenEpochs without an epoch left', { frozenEpochs: 3 }, /frozenEpochs must be a whole number below epochs \(3\)/],
  ['a weight for no class', { classWeights: { rd: 2 } }, /'rd' is no class\. Expected some of red, green, blue/],
  ['too much smoothing', { labelSmoothing: 1 }, /labelSmoothing must be a part from 0 to below 1/],
]
for (const [name, options, message] of refusals) {
  test(`refused before any work: ${name}`, async () => {
    await assert.rejects(train(made(), data, { show: false, epochs: 3, ...options }), (error: Error) => {
      assert.equal(error.name, 'GraftError')
      assert.match(error.message, message)
      return true
    })
  })
}
