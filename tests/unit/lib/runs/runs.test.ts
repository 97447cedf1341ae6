import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { inspect } from 'node:util'
import { extract } from '../../../../lib/customize/extract.ts'
import { unfreeze } from '../../../../lib/customize/freeze.ts'
import { images } from '../../../../lib/data/images.ts'
import { displaySymbol } from '../../../../lib/host.ts'
import { limits } from '../../../../lib/runs/place.ts'
import { readRecord } from '../../../../lib/runs/record.ts'
import { runs } from '../../../../lib/runs/runs.ts'
import { decodeTensors, encodeTensors } from '../../../../lib/runs/tensors-file.ts'
import { tf } from '../../../../lib/tf.ts'
import type { TrainingData } from '../../../../lib/train/checks.ts'
import { train, type TrainOptions } from '../../../../lib/train/train.ts'
import { classFolders, folderOf } from '../data/folders.ts'
import { colours, recordingHost, trunk, weightsOf } from '../train/fixtures.ts'

const folder = mkdtempSync(join(tmpdir(), 'graft-runs-'))
process.env.GRAFT_RUNS = join(folder, 'runs')
after(() => rmSync(folder, { recursive: true, force: true }))

const screen = recordingHost()
const data = await colours(48, 12, 0.25), plain = data
const made = () => extract(trunk(), { classes: data.classes, dropout: 0.2 })
const quiet: TrainOptions = { show: false, learningRate: 0.05 }

test('the place is said once, when it is made', async () => {
  const said = () => screen.shown.filter(({ bundle }) => /Runs are kept in/.test(String(bundle['text/plain']))).length
  await train(made(), data, { epochs: 1 })
  assert.equal(said(), 1)
  await train(made(), data, { epochs: 1 })
  assert.equal(said(), 1)
})

test('a run on disk is the run in memory: record, table of the history, two checkpoints at most', async () => {
  const run = await train(made(), data, { ...quiet, epochs: 5 })
  const at = join(runs.folder!, run.id)
  const again = readRecord(run.id).run
  assert.deepEqual(again, JSON.parse(JSON.stringify(run)))
  const names = readdirSync(at).toSorted()
  assert.ok(names.filter(name => name.endsWith('.safetensors')).length <= 2 && names.includes('epoch-5.safetensors'), names.join())
  const [head, ...rows] = readFileSync(join(at, 'history.csv'), 'utf8').trim().split('\n')
  assert.equal(head, 'epoch,accuracy,learning_rate,loss,val_accuracy,val_loss')
  assert.deepEqual(rows.map(row => Number(row.split(',')[3])), run.history.loss)
  assert.equal(runs.last(), run)
  assert.equal(runs.get(run.id), run)
})

/** The same run in one go, and cut off by a stop in epoch `cut` + 1 and resumed. */
async function twice(cut: number, options: TrainOptions, prepare = (model: tf.LayersModel) => model, data: TrainingData = plain) {
  const whole = await train(prepare(made()), data, { ...quiet, ...options })
  const model = prepare(made())
  const training = train(model, data, { ...quiet, ...options })
  let steps = 0
  // Three batches an epoch: the stop lands within the next one.
  const watch = setInterval(() => {
    if (training.run.history.loss.length >= cut && training.run.batchLosses.length && !steps++) training.stop()
  }, 0)
  const first = await training
  clearInterval(watch)
  assert.ok(first.history.loss.length < options.epochs!, 'stopped too late')
  const second = await train.resume(first, { show: false })
  return { whole, second, model }
}

const exact: [string, TrainOptions, ((model: tf.LayersModel) => tf.LayersModel)?][] = [
  ['adam, with dropout', { epochs: 30 }],
  ['momentum and a cosine', { epochs: 30, optimizer: 'momentum', schedule: 'cosine', warmup: 2 }],
  ['an optimizer of TensorFlow.js', { epochs: 30, optimizer: undefined }, model => {
    model.compile({ optimizer: tf.train.adam(0.05), loss: 'categoricalCrossentropy' })
    return model
  }],
  ['running means, accumulated and clipped gradients', { epochs: 30, optimizer: { name: 'adamw', emaMomentum: 0.9, accumulate: 2, clipNorm: 1 } }],
  ['augmented images with mixed labels', { epochs: 12 }],
  ['a plateau, early stopping and class weights', { epochs: 30, schedule: { plateau: 2, factor: 0.5 }, earlyStopping: 25,
    classWeights: { red: 2 } }],
  ['gradual unfreezing', { epochs: 30, frozenEpochs: 2, learningRate: { trunk: 1e-3, head: 0.05 } }, model => {
    unfreeze(model, 'depthwise')
    return model
  }],
]
for (const [name, options, prepare] of exact) {
  test(`a run that was stopped and resumed has the history of one that was not, bit for bit: ${name}`, async () => {
    const { learningRate = quiet.learningRate } = options
    const given = name.startsWith('an optimizer') ? { learningRate: undefined } : { learningRate }
    const { whole, second } = await twice(3, { ...options, ...given }, prepare,
      name.startsWith('augmented') ? { train: data.train.augment({ rotate: 0.1, mixUp: 0.4 }), validation: data.validation } : data)
    assert.deepEqual(second.history, whole.history)
    assert.deepEqual(second.rates, whole.rates)
    assert.equal(second.finished, true)
  })
}

test('in a new process model and images come from the log and the files; more epochs lead further', async () => {
  using at = folderOf(await classFolders({ a: 12, b: 12, c: 12 }))
  const photos = await images(at.folder, { size: 12, validation: 0.25, range: [0, 1] })
  const options = { ...quiet, epochs: 3 }
  const run = await train(extract(trunk(), { classes: photos.classes }), photos, options)
  const script = join(folder, 'resume.mjs')
  writeFileSync(script, `
    const { train, runs } = await import(${JSON.stringify(new URL('../../../../lib/index.ts', import.meta.url).href)})
    const run = await train.resume('${run.id}', { epochs: 6, show: false })
    console.log(JSON.stringify({ history: run.history, last: runs.last().id }))`)
  const { history, last } = JSON.parse(execFileSync(process.execPath, [script]).toString().trim().split('\n').at(-1)!)
  const whole = await train(extract(trunk(), { classes: photos.classes }), photos, { ...options, epochs: 6 })
  assert.deepEqual(history, whole.history)
  assert.equal(last, run.id)
})

test('runs.restore brings the weights of the best and of the last epoch back, and refuses another model', async () => {
  const model = made()
  const run = await train(model, data, { ...quiet, epochs: 4, learningRate: 0.5, optimizer: 'momentum' })
  const last = weightsOf(model)
  const judge = async () => {
    const { x, y } = await data.validation.tensors()
    const [loss] = model.evaluate(x, y) as tf.Scalar[]
    return loss.dataSync()[0]
  }
  runs.restore(model, run, 'best')
  assert.ok(Math.abs(await judge() - Math.min(...run.history.valLoss)) < 1e-4)
  runs.restore(model, run.id, 'last')
  assert.deepEqual(weightsOf(model), last)
  assert.throws(() => runs.restore(extract(trunk(), { classes: 7 }), run), /another model's/)
  assert.throws(() => runs.restore(model, run, 'worst' as never), /expected 'best' or 'last'; received 'worst'/)
})

test('a run whose process ended says so, and is offered to go on', async () => {
  const run = await train(made(), data, { ...quiet, epochs: 2 })
  const file = join(runs.folder!, 'dead0001', 'run.json')
  mkdirSync(join(file, '..'))
  const record = { ...readRecord(run.id), trainer: { ...readRecord(run.id).trainer, pid: 2 ** 22 + 1 } }
  writeFileSync(file, JSON.stringify({ ...record, run: { ...record.run, id: 'dead0001', finished: false } }))
  const dead = runs.get('dead0001')
  assert.deepEqual([dead.finished, dead.stopped], [true, 'lost'])
  assert.match(inspect(dead), /ended with its process after 2 of 2 epochs[^]*train\.resume\('dead0001'\) goes on after epoch 2/)
  assert.match(inspect(runs), /dead0001 .*lost/)
  runs.delete('dead0001')
  assert.throws(() => runs.get('dead0001'), /unknown run: 'dead0001'/)
})

test('a damaged record is left out of the list, and said when asked for', () => {
  mkdirSync(join(runs.folder!, 'bad00001'))
  writeFileSync(join(runs.folder!, 'bad00001', 'run.json'), '{"version":1,')
  assert.ok(!runs.list().some(run => run.id === 'bad00001'))
  assert.throws(() => runs.get('bad00001'), /record of the run 'bad00001' cannot be read/)
})

test('what differs between runs stands beside what came out', async () => {
  const a = await train(made(), data, { ...quiet, epochs: 2, title: 'slow', learningRate: 1e-4 })
  const b = await train(made(), data, { ...quiet, epochs: 2, title: 'fast' })
  const both = runs.compare(a, b.id)
  assert.deepEqual(both.differences, [{ learningRate: '0.0001' }, { learningRate: '0.05' }])
  assert.equal(both.best, b)
  assert.match(inspect(both), /learningRate[^]*slow \(\w+\)[^]*0\.0001[^]*fast/)
  const html = String(both[displaySymbol]()['text/html'])
  assert.match(html, /<img [^>]*data:image\/png;base64[^]*slow/)
  assert.match(String(runs[displaySymbol]()['text/html']), /fast/)
})

test('export writes a record, a table and events', async () => {
  const run = await train(made(), data, { ...quiet, epochs: 2 })
  const files = runs.export(run, join(folder, 'out'))
  assert.deepEqual(files.map(file => file.slice(join(folder, 'out').length + 1).replace(/events.*/, 'events')),
    ['run.json', 'history.csv', 'train/events', 'validation/events'])
  assert.throws(() => runs.export(run, files[0]), /is a file\. Give a folder/)
})

test('attach shows a run that is under way in this cell, and waits for it', async () => {
  const training = train(made(), data, { ...quiet, epochs: 400 })
  screen.shown.length = 0
  const attached = runs.attach(training.run)
  while (!screen.shown.length) await new Promise(setImmediate)
  assert.match(String(screen.shown[0].bundle['text/plain']), /Training: 400 epochs|Epoch \d+ of 400/)
  training.stop()
  assert.equal(await attached, await training)
  assert.match(String(screen.shown.at(-1)!.bundle['text/plain']), /stopped after/)
})

test('beyond its limits the log forgets the oldest: checkpoints first, then runs; a model goes with the last run that needs it', async () => {
  const before = { ...limits }, first = await train(made(), data, { ...quiet, epochs: 1 })
  try {
    limits.bytes = 0
    const next = await train(extract(trunk(14), { classes: data.classes }), await colours(24, 14), { ...quiet, epochs: 1 })
    assert.deepEqual(readdirSync(join(runs.folder!, first.id)).filter(name => name.endsWith('.safetensors')), [])
    assert.throws(() => runs.restore(made(), first), /checkpoint of epoch 1 of the run '\w+' is gone/)
    limits.runs = 1
    await train(made(), data, { ...quiet, epochs: 1 })
    assert.equal(existsSync(join(runs.folder!, next.id)), false)
    assert.equal(readdirSync(join(runs.folder!, 'models')).length, 1)
  } finally {
    Object.assign(limits, before)
  }
})

test('a disk that fails ends no training', async () => {
  const usual = process.env.GRAFT_RUNS
  process.env.GRAFT_RUNS = join(folder, 'a-file', 'runs')
  writeFileSync(join(folder, 'a-file'), '')
  const run = await train(made(), data, { ...quiet, epochs: 2 })
  process.env.GRAFT_RUNS = usual
  assert.equal(run.history.loss.length, 2)
  assert.match(run.notes.join(), /The run is not on disk: /)
})

test('GRAFT_RUNS=off and log: false keep nothing', async () => {
  const usual = process.env.GRAFT_RUNS, count = readdirSync(usual!).length
  const listed = runs.list().length, unlisted = await train(made(), data, { ...quiet, epochs: 1, log: false })
  assert.equal(runs.list().length, listed)
  assert.notEqual(runs.last(), unlisted)
  assert.equal(runs.get(unlisted.id), unlisted)
  process.env.GRAFT_RUNS = 'off'
  const run = await train(made(), data, { ...quiet, epochs: 1 })
  assert.equal(runs.folder, null)
  assert.equal(runs.last(), run)
  await assert.rejects(train.resume(run), /no runs are kept: GRAFT_RUNS is off/)
  process.env.GRAFT_RUNS = usual
  assert.equal(readdirSync(usual!).length, count)
})

const other = await colours(24, 12)
const refusals: [string, () => Promise<unknown>, RegExp][] = [
  ['an unknown id', () => train.resume('nothing1'), /unknown run: 'nothing1'\. The last ones are \w+/],
  ['no run', () => train.resume({} as never), /expected a run or its id; received \{\}/],
  ['a promise', () => train.resume(Promise.resolve() as never), /expected a run or its id; received a Promise/],
  ['no epoch left', async () => train.resume(await train(made(), data, { ...quiet, epochs: 1 })),
    /has no epoch left of its 1\. train\.resume\('\w+', \{ epochs: 11 \}\) goes further/],
  ['other images', async () => train.resume(await train(made(), data, { ...quiet, epochs: 1 }), { epochs: 2, data: other }),
    /the images are not those of the run/],
  ['another trunk', async () => train.resume(await train(made(), data, { ...quiet, epochs: 1 }),
    { epochs: 2, model: extract(trunk(12, 9), { classes: data.classes, dropout: 0.2 }) }), /the frozen part of the model is not the one/],
  ['a run under way', async () => {
    const training = train(made(), data, { ...quiet, epochs: 1000 })
    try {
      await train.resume(training.run.id)
    } finally {
      training.stop()
      await training
    }
  }, /is still under way\. await runs\.attach/],
]
for (const [name, work, message] of refusals) {
  test(`resume refuses ${name}`, () => assert.rejects(work, (error: Error) => {
    assert.equal(error.name, 'GraftError')
    assert.match(error.message, message)
    return true
  }))
}

test('tensors survive their file; a cut one is refused', () => {
  const entries = [{ name: 'a/b', shape: [2, 2], values: Float32Array.of(1, -2, NaN, 4e9) }, { name: 'none', shape: [0], values: new Float32Array() }]
  const bytes = encodeTensors(entries, { by: 'graft' })
  assert.deepEqual(decodeTensors(bytes), { entries, metadata: { by: 'graft' } })
  for (const length of [0, 7, 12, bytes.length - 1]) assert.throws(() => decodeTensors(bytes.subarray(0, length)), /no whole safetensors file/)
})
