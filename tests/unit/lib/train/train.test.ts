import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { cardOf, setCard } from '../../../../lib/card.ts'
import { extract } from '../../../../lib/customize/extract.ts'
import { freeze, unfreeze } from '../../../../lib/customize/freeze.ts'
import { displaySymbol } from '../../../../lib/host.ts'
import { tf } from '../../../../lib/tf.ts'
import { forgetFeatures } from '../../../../lib/train/features.ts'
import { train, type TrainOptions } from '../../../../lib/train/train.ts'
import { colours, recordingHost, trunk, weightsOf } from './fixtures.ts'

const screen = recordingHost()
const data = await colours(48, 12, 0.25)
const classes = data.classes
const quiet = { show: false, learningRate: 0.05 }

test('a new head on a frozen trunk learns, and each epoch is measured', async () => {
  const model = extract(trunk(), { classes })
  const run = await train(model, data, { ...quiet, epochs: 12 })
  for (const values of Object.values(run.history)) assert.equal(values.length, 12)
  assert.deepEqual(Object.keys(run.history), ['loss', 'valLoss', 'accuracy', 'valAccuracy'])
  assert.ok(run.history.valAccuracy.at(-1)! > 0.9, inspect(run))
  assert.deepEqual([run.stopped, run.finished, run.images, run.weights],
    [null, true, { train: 36, validation: 12 }, { trainable: 27, total: 355 }])
  assert.ok(run.bestEpoch! >= 1 && run.bestEpoch! <= 12)
})

test('the trunk runs once per image: 10 epochs over 128 images are 128 forwards, and none in the next run', async () => {
  forgetFeatures()
  const many = await colours(128)
  const base = trunk()
  const first = await train(extract(base, { classes }), many, { ...quiet, epochs: 10 })
  const second = await train(extract(base, { classes }), many, { ...quiet, epochs: 3 })
  assert.deepEqual([first.trunkForwards, second.trunkForwards], [128, 0])
})

test('features instead of the whole model change nothing: model.fit gives the same losses', async () => {
  const base = trunk(), model = extract(base, { classes }), twin = extract(base, { classes })
  twin.compile({ optimizer: tf.train.sgd(0.1), loss: 'categoricalCrossentropy', metrics: ['accuracy'] })
  const { x, y } = await data.train.tensors()
  const { history } = await twin.fit(x, y, { epochs: 4, batchSize: 16, shuffle: false, verbose: 0 })
  const run = await train(model, data.train, { optimizer: tf.train.sgd(0.1), epochs: 4, batch: 16, shuffle: false, show: false })
  run.history.loss.forEach((loss, i) => assert.ok(Math.abs(loss - (history.loss[i] as number)) < 1e-5))
  run.history.accuracy.forEach((accuracy, i) => assert.ok(Math.abs(accuracy - (history.acc[i] as number)) < 1e-6))
  tf.dispose([x, y])
})

test('model.evaluate and model.fit work on a trained model, and measure the same', async () => {
  const model = extract(trunk(), { classes })
  const run = await train(model, data, { ...quiet, epochs: 2 })
  const { x, y } = await data.validation.tensors()
  const [loss, accuracy] = (model.evaluate(x, y) as tf.Scalar[]).map(scalar => scalar.dataSync()[0])
  assert.ok(Math.abs(loss - run.history.valLoss[1]) < 1e-5 && Math.abs(accuracy - run.history.valAccuracy[1]) < 1e-6)
  const { history } = await model.fit(x, y, { epochs: 2, verbose: 0 })
  assert.ok((history.loss[1] as number) < loss)
  tf.dispose([x, y])
})

test('one seed gives one history, bit for bit, dropout and the feature cache included; another seed another one', async () => {
  const history = async (seed: number) => (await train(extract(trunk(), { classes, dropout: 0.3 }), data,
    { ...quiet, epochs: 3, seed })).history
  forgetFeatures()
  const first = await history(1)
  assert.deepEqual(await history(1), first)
  forgetFeatures()
  assert.deepEqual(await history(1), first)
  assert.notDeepEqual((await history(2)).loss, first.loss)
})

test('the masks of a dropout with a seed differ from step to step', async () => {
  const { trainStep } = await import('../../../../lib/train/step.ts')
  const model = tf.sequential({ layers: [tf.layers.dropout({ rate: 0.5, seed: 5, inputShape: [64] }),
    tf.layers.dense({ units: 1, kernelInitializer: 'ones' })] })
  const x = tf.ones([1, 64]), y = tf.zeros([1, 1])
  const output = (seed: number) => trainStep({ whole: model, rest: model }, { loss: (_, p) => p.mean(-1), metrics: {} },
    tf.train.sgd(0), [x], y, seed)
  const losses = new Set<number>()
  for (let seed = 1; seed <= 8; seed++) losses.add((await output(seed))[0])
  assert.ok(losses.size > 3)
  assert.deepEqual(await output(3), await output(3))
  assert.equal((model.layers[0] as unknown as { seed: number }).seed, 5)
})

test('frozen weights and statistics are proved unchanged; trained ones change', async () => {
  const base = trunk(), model = extract(base, { classes })
  const before = weightsOf(base), head = weightsOf(model).at(-2)
  const run = await train(model, data, { ...quiet, epochs: 3 })
  assert.deepEqual(weightsOf(base), before)
  assert.notDeepEqual(weightsOf(model).at(-2), head)
  assert.equal(run.frozen!.unchanged, true)
  assert.deepEqual([run.frozen!.layers, run.frozen!.weights], [3, 328])
  assert.match(inspect(run), /3 frozen layers \(328 weights\) unchanged, bit for bit: sha256 [0-9a-f]{12}/)
})

test('with part of the trunk open, only that part and the head change', async () => {
  const base = trunk(), model = extract(base, { classes })
  unfreeze(model, 'depthwise')
  const [conv, , , , , depthwise] = weightsOf(base)
  const run = await train(model, data, { show: false, epochs: 2, learningRate: { trunk: 1e-3, head: 1e-2 } })
  assert.deepEqual(weightsOf(base)[0], conv)
  assert.notDeepEqual(weightsOf(base)[5], depthwise)
  assert.equal(run.frozen!.unchanged, true)
  assert.equal(run.trunkForwards, 48)
})

test('learning rates by group: a rate a thousand times lower moves weights a thousand times less', async () => {
  const moved = async (learningRate: TrainOptions['learningRate']) => {
    const base = trunk(), model = extract(base, { classes })
    unfreeze(model, 'conv')
    const before = weightsOf(base)[0]
    await train(model, data.train, { optimizer: 'sgd', learningRate, epochs: 1, batch: 36, show: false })
    return Math.hypot(...weightsOf(base)[0].map((value, i) => value - before[i]))
  }
  const ratio = await moved({ trunk: 1e-1, head: 1e-3 }) / await moved({ trunk: 1e-4, head: 1e-3 })
  assert.ok(Math.abs(ratio - 1000) < 50, `${ratio}`)
  const named = await moved({ trunk: 1e-1, head: 1e-3, 'con*': 1e-4 })
  assert.ok(Math.abs(await moved({ trunk: 1e-4, head: 1e-3 }) / named - 1) < 0.01)
})

test('stop() ends the run after the step it is in and keeps what there is', async () => {
  const model = extract(trunk(), { classes })
  const training = train(model, data, { ...quiet, epochs: 1000 })
  let turns = 0
  await new Promise<void>(resolve => {
    const look = () => { if (++turns === 40) { training.stop(); resolve() } else setImmediate(look) }
    setImmediate(look)
  })
  const run = await training
  assert.equal(run.stopped, 'stopped')
  assert.ok(run.history.loss.length < 50 && run.finished)
  assert.match(inspect(run), /stopped after \d+ of 1000 epochs/)
})

test('an interrupt of the cell ends the run and keeps what there is', async () => {
  const model = extract(trunk(), { classes })
  const training = train(model, data, { ...quiet, epochs: 1000 })
  setTimeout(() => screen.interrupt(), 50)
  const run = await training
  assert.equal(run.stopped, 'interrupted')
  assert.equal(run.frozen!.unchanged, true)
})

test('a run that was stopped while the trunk still ran has counted what ran', async () => {
  forgetFeatures()
  const training = train(extract(trunk(), { classes }), data, { ...quiet })
  training.stop()
  const run = await training
  assert.deepEqual([run.trunkForwards, run.history.loss.length, run.stopped], [0, 0, 'stopped'])
})

test('no tensor is left behind', async () => {
  const model = extract(trunk(), { classes, dropout: 0.2 })
  await train(model, data, { ...quiet, epochs: 1 })
  const before = tf.memory().numTensors
  await train(model, data, { ...quiet, epochs: 3 })
  assert.equal(tf.memory().numTensors, before)
  await train(model, data, { show: false, epochs: 1 })
  assert.equal(tf.memory().numTensors, before)
})

test('a loss that is not a number ends the run, says so and brings the last good weights back', async () => {
  const model = extract(trunk(), { classes })
  const before = weightsOf(model)
  const run = await train(model, data, { show: false, epochs: 5, learningRate: 1e39, optimizer: 'sgd' })
  assert.equal(run.stopped, 'not a number')
  assert.match(run.notes[0], /loss is not a number in epoch 1: the weights of the last good epoch are back\. Try a lower/)
  assert.deepEqual(weightsOf(model), before)
})

test('the plot is shown once and updated in place; the last one holds a PNG; a run is plain data', async () => {
  const model = extract(trunk(), { classes })
  screen.shown.length = 0
  const run = await train(model, data, { learningRate: 0.05, epochs: 3 })
  const [first, ...rest] = screen.shown
  assert.equal(first.update, false)
  assert.ok(rest.length >= 1 && rest.every(one => one.update && one.id === first.id))
  assert.ok('image/svg+xml' in first.bundle && 'image/png' in rest.at(-1)!.bundle)
  assert.match(String(rest.at(-1)!.bundle['text/plain']), /3 epochs/)
  const copy = JSON.parse(JSON.stringify(run))
  assert.deepEqual([copy.history, copy.bestEpoch, copy.id], [run.history, run.bestEpoch, run.id])
  assert.match(inspect(await run[displaySymbol]()), /^\{\s*'text\/plain': .*Run /, 'the cell has the plot: the run in words')
  screen.nextCell()
  assert.match(String((await run[displaySymbol]())['text/plain']), /val accuracy/)
})

const made = () => extract(trunk(), { classes })
const refusals: [string, () => [tf.LayersModel, unknown, TrainOptions?], RegExp][] = [
  ['everything frozen', () => { const model = made(); freeze(model); return [model, data] },
    /nothing to train: every layer is frozen\. unfreeze/],
  ['another number of classes', () => [extract(trunk(), { classes: 7 }), data],
    /tells 7 classes apart, the data has 3 \(red, green, blue\)/],
  ['other names of classes', () => [extract(trunk(), { classes: ['a', 'b', 'c'] }), data],
    /classes are a, b, c, the data's red, green, blue/],
  ['another size', () => [extract(trunk(20), { classes }), data],
    /takes images of 20×20×3, the data has 12×12×3\. .*size: model/],
  ['another pixel range', () => { const model = made(); setCard(model, { ...cardOf(model)!, range: [-1, 1] }); return [model,
    data] }, /from -1 to 1, the data has 0 to 1/],
  ['no head', () => [tf.model({ inputs: trunk().inputs, outputs: [] as never }), data], /expected a model with one output/],
  ['no images', () => [made(), data.train.pick([])], /no images to train on/],
  ['no data', () => [made(), undefined], /expected the answer of data\.images/],
  ['something else', () => [made(), { x: 1 }], /received \{ x: 1 \}/],
  ['no epochs', () => [made(), data, { epochs: 0 }], /epochs must be a whole number above 0; received 0/],
  ['half a batch', () => [made(), data, { batch: 1.5 }], /batch must be a whole number above 0/],
  ['a negative rate', () => [made(), data, { learningRate: -1 }], /learningRate must be a number above 0; received -1/],
  ['a rate for no layer', () => [made(), data, { learningRate: { head: 1, predictons: 1 } }],
    /unknown layer: 'predictons'\. Did you mean 'predictions'/],
  ['no rate for the head', () => [made(), data, { learningRate: { trunk: 1 } }],
    /no rate for 1 trainable layers, e\.g\. 'predictions'.*'head'/],
  ['an unknown optimizer', () => [made(), data, { optimizer: 'adm' as never }], /unknown optimizer: 'adm'\. Did you mean 'adam'/],
  ['an unknown loss', () => [made(), data, { loss: 'crossentropy' }], /unknown loss: 'crossentropy'/],
  ['an unknown metric', () => [made(), data, { metrics: ['acuracy'] }], /unknown metric: 'acuracy'\. Did you mean 'accuracy'/],
]
for (const [name, given, message] of refusals) {
  test(`refused before any work: ${name}`, async () => {
    const [model, what, options] = given()
    await assert.rejects(train(model, what as never, { show: false, ...options }), (error: Error) => {
      assert.equal(error.name, 'GraftError')
      assert.match(error.message, message)
      return true
    })
  })
}

test('a model is trained by one run at a time', async () => {
  const model = made()
  const first = train(model, data, { ...quiet, epochs: 2 })
  await assert.rejects(train(model, data, quiet), /is being trained already/)
  assert.equal((await first).history.loss.length, 2)
  assert.equal((await train(model, data, { ...quiet, epochs: 1 })).history.loss.length, 1)
})
