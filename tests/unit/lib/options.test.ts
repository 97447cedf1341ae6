import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { extract } from '../../../lib/customize/extract.ts'
import * as data from '../../../lib/data/index.ts'
import { inWords } from '../../../lib/error.ts'
import { load, save } from '../../../lib/save/index.ts'
import { tf } from '../../../lib/tf.ts'
import { predict } from '../../../lib/train/predict.ts'
import { train, type TrainOptions } from '../../../lib/train/train.ts'
import { folderOf } from './data/folders.ts'
import { colours, recordingHost, trunk } from './train/fixtures.ts'

recordingHost()
const set = await colours(12, 12, 0.25)
const made = () => extract(trunk(), { classes: set.classes, show: false })
const model = made()
const x = tf.zeros([4, 8, 8, 3]) as tf.Tensor4D
const y = [0, 1, 0, 1]
const it = (value: unknown) => value as never

const refused: [string, () => Promise<unknown>, RegExp][] = [
  ['a typing error in an option of train', () => train(model, set, it({ epoch: 10 })),
    /unknown option 'epoch'\. Did you mean 'epochs'/],
  ['options of train that are null', () => train(model, set, it(null)), /train: options must be an object .* received null/],
  ['epochs as text', () => train(model, set, it({ epochs: '10' })), /epochs must be a whole number above 0; received '10'/],
  ['a learning rate as text', () => train(model, set, it({ learningRate: '1e-3' })), /learningRate must be .*; received '1e-3'/],
  ['an optimizer that is none', () => train(model, set, it({ optimizer: {} })), /unknown optimizer: {}/],
  ['a loss that is a number', () => train(model, set, it({ loss: 5 })), /unknown loss: 5/],
  ['a metric instead of a list', () => train(model, set, it({ metrics: 'accuracy' })),
    /metrics must be a list; received 'accuracy'/],
  ['a metric that is a number', () => train(model, set, it({ metrics: [5] })), /unknown metric: 5/],
  ['a wrong word for keep', () => train(model, set, it({ keep: 'bst' })), /keep must be 'best' or 'last'; received 'bst'/],
  ['a negative warm-up', () => train(model, set, { warmup: -1 }), /warmup must be a number, 0 or more; received -1/],
  ['class weights that are a number', () => train(model, set, it({ classWeights: 5 })), /classWeights must be 'balanced' or/],
  ['a whole data set as validation', () => train(model, it({ train: set.train, validation: set })),
    /validation to be a part .* an ImageData/],
  ['a data set that was not awaited', () => train(model, it(Promise.resolve(set))), /received a Promise\. Await it first/],
  ['no folder of images', () => data.images(it(undefined)), /expected a folder .*; received undefined/],
  ['a class with a file instead of files', () => data.images(it({ a: 'x.png' })),
    /\{ class: \[files\] \}; received \{ a: 'x\.png' \}/],
  ['a typing error in an option of data.images', () => data.images('x', it({ validaton: 0.2 })), /Did you mean 'validation'/],
  ['a range that is none', () => data.images('x', { range: [1, 1] }), /range must be .*; received \[ 1, 1 \]/],
  ['a size no memory holds', () => data.images('x', { size: 1e6 }), /size must be .*at most 16384; received/],
  ['a batch of none', () => data.images('x', { batch: 0 }), /batch must be a whole number above 0/],
  ['a label of a thousand million', () => data.tensors(x, [0, 1, 1e9, 0]),
    /the label 1000000000 of image 2 is none of the classes/],
  ['labels that are no numbers', () => data.tensors(x, it(['a', 'b', 'a', 'b'])), /the label 'a' of image 0/],
  ['no labels', () => data.tensors(x, it(undefined)), /y must be a tensor or a list of numbers; received undefined/],
  ['no images in a tensor', () => data.tensors(tf.zeros([0, 8, 8, 3]), []), /x holds no images/],
  ['class names as one text', () => data.tensors(x, y, it({ classes: 'ab' })), /classes must be a list; received 'ab'/],
  ['examples that are no list', () => data.from(it(5)), /expected a list or a generator .*; received 5/],
  ['a tensor to predict', () => predict(model, it(x)), /expected a file, a folder.*; received a Tensor/],
  ['a promise of a file to predict', () => predict(model, it(Promise.resolve('a.png'))), /received a Promise/],
  ['a file: address of another machine', () => predict(model, 'file://elsewhere/a.png'), /is no file of this machine/],
  ['a device, which never ends', () => predict(model, '/dev/zero'), /no regular file|no such file/],
  ['saving to an address', () => save(model, 'https://example.org/a.h5'), /it is an address/],
  ['saving to a name that ends in a slash', () => save(model, 'a.h5/'), /it names a folder/],
  ['saving to ~, which would become a folder of that name', () => save(model, '~/a.h5'), /~ is known to shells only/],
  ['a typing error in an option of save', () => save(model, 'a.h5', it({ overwrit: false })), /Did you mean 'overwrite'/],
  ['weights to be read into a number', () => load('a.weights.h5', it({ into: 5 })), /expected a model .*received 5/],
  ['loading a file: address', () => load('file:///a.h5'), /it is an address/],
]
for (const [name, work, message] of refused) {
  test(`refused in one clear sentence: ${name}`, async () => {
    await assert.rejects(work(), (error: Error) => {
      assert.equal(error.name, 'GraftError')
      assert.match(error.message, message)
      return true
    })
  })
}

test('saving below a folder that takes no folders ends',
  { skip: process.platform !== 'linux' && 'only Linux has /proc' }, async () => {
  await assert.rejects(save(model, '/proc/nothing/here/a.h5'), /cannot save to \/proc\/nothing\/here\/a\.h5/)
})

test('a file where a folder should be is named itself', async () => {
  using at = folderOf({ notes: '' })
  await assert.rejects(save(model, join(at.folder, 'notes/a.h5')), /\/notes is a file, not a folder/)
})

const quiet: TrainOptions = { show: false, epochs: 1 }

test('a loss function that fails is forgotten with its run', async () => {
  const model = made()
  await assert.rejects(train(model, set, { ...quiet, loss: it(() => 5) }), /the loss function must give a tensor .* it gave 5/)
  await assert.rejects(train(model, set, { ...quiet, loss: () => { throw new Error('mine') } }), /mine/)
  assert.equal((await train(model, set, quiet)).history.loss.length, 1)
})

test('a run of numbers that are none does not spoil the next', async () => {
  const model = made()
  assert.equal((await train(model, set, { ...quiet, loss: (_, prediction) => prediction.mul(NaN).sum(-1) })).stopped, 'not a number')
  model.loss = 'categoricalCrossentropy'
  const run = await train(model, set, quiet)
  assert.equal(run.stopped, null)
  assert.equal(run.history.loss.length, 1)
})

test('values in a few words', () => {
  const cases = [
    ['a', "'a'"], [NaN, 'NaN'], [null, 'null'], [Promise.resolve(), 'a Promise'], [model, 'a LayersModel'],
    [{ a: { b: 1 } }, '{ a: [Object] }'], [new URL(`file://${tmpdir()}`), 'a URL'],
    [Object.create(null), '[Object: null prototype] {}'],
  ]
  for (const [value, words] of cases) {
    assert.equal(inWords(value), words)
  }
  assert.equal(inWords('x'.repeat(500)).length, 101)
})
