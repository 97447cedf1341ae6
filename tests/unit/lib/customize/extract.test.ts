import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cardOf, setCard } from '../../../../lib/card.ts'
import { extract } from '../../../../lib/customize/extract.ts'
import { tf } from '../../../../lib/tf.ts'
import { trunk, weightsOf } from '../train/fixtures.ts'

test('a Dense softmax on the features; the trunk is frozen and shared, its weights the same', () => {
  const base = trunk(), before = weightsOf(base)
  const model = extract(base, { classes: ['cat', 'dog'] })
  assert.deepEqual(model.outputs[0].shape, [null, 2])
  assert.deepEqual(model.layers.slice(0, -1), base.layers)
  assert.equal(model.layers.at(-1)!.name, 'predictions')
  assert.deepEqual(model.trainableWeights.map(weight => weight.shape), [[8, 2], [2]])
  assert.deepEqual(weightsOf(base), before)
  const sums = tf.tidy(() => (model.predict(tf.randomUniform([3, 12, 12, 3])) as tf.Tensor).sum(-1).arraySync() as number[])
  assert.ok(sums.every(sum => Math.abs(sum - 1) < 1e-6))
})

test('the card names the classes and the trunk, and keeps what the base said', () => {
  const base = trunk()
  setCard(base, { handle: 'some/handle/1', size: [12, 12], range: [-1, 1] })
  assert.deepEqual(cardOf(extract(base, { classes: ['cat', 'dog'] })), {
    handle: 'some/handle/1', size: [12, 12], range: [-1, 1], classes: ['cat', 'dog'], trunk: base.layers.map(layer => layer.name),
  })
  assert.equal(cardOf(extract(trunk(), { classes: 3 }))!.classes, undefined)
})

test('a feature map is averaged; dropout, a name and another activation are taken', () => {
  const base = trunk(), map = base.getLayer('depthwise').output as tf.SymbolicTensor
  const model = extract(tf.model({ inputs: base.inputs, outputs: map }),
    { classes: 4, dropout: 0.25, name: 'head', activation: 'sigmoid' })
  assert.deepEqual(model.layers.slice(-3).map(layer => layer.getClassName()), ['GlobalAveragePooling2D', 'Dropout', 'Dense'])
  assert.deepEqual([model.layers.at(-1)!.name, model.layers.at(-1)!.getConfig().activation,
    model.layers.at(-2)!.getConfig().rate], ['head', 'sigmoid', 0.25])
})

test('one seed gives one head, another seed another one; two heads may stand on one base', () => {
  const base = trunk(), head = (seed?: number) => weightsOf(extract(base, { classes: 3, seed })).at(-2)
  assert.deepEqual(head(), head())
  assert.deepEqual(head(0), head(0))
  assert.notDeepEqual(head(1), head(2))
})

const refusals: [string, object, RegExp][] = [
  ['no classes', {}, /classes must be names or a number/],
  ['one class', { classes: ['a'] }, /expected two or more, received \[a\]/],
  ['one softmax output', { classes: 1 }, /one output of a softmax is always 1.*sigmoid/],
  ['a class twice', { classes: ['a', 'b', 'a'] }, /'a' is there twice/],
  ['half a class', { classes: 2.5 }, /whole number; received 2\.5/],
  ['too much dropout', { classes: 2, dropout: 1 }, /dropout must be a part from 0 to below 1/],
]
for (const [name, options, message] of refusals) {
  test(`refused: ${name}`, () => {
    assert.throws(() => extract(trunk(), options as never),
      (error: Error) => error.name === 'GraftError' && message.test(error.message) || assert.fail(error.message))
  })
}

test('refused: a sequence, and what is no model', () => {
  const input = tf.input({ shape: [4, 5] })
  assert.throws(() => extract(tf.model({ inputs: input, outputs: input }), { classes: 2 }),
    /gives \[batch, 4, 5\]\. A head takes/)
  assert.throws(() => extract('mobilenet' as never, { classes: 2 }), /expected a model.*received 'mobilenet'.*hub\.load/)
})
