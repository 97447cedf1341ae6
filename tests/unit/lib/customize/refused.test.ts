import assert from 'node:assert/strict'
import { test } from 'node:test'
import { customize, hub, tap, tf } from '../../../../lib/index.ts'

const base = () => tf.sequential({ layers: [
  tf.layers.conv2d({ filters: 2, kernelSize: 3, inputShape: [8, 8, 3], name: 'conv' }),
  tf.layers.globalAveragePooling2d({ name: 'pool' }),
] })

for (const [title, call, expected] of [
  ['no options', () => customize.extract(base(), undefined as never),
    /customize\.extract: options must be an object.*; received undefined/],
  ['an unknown option', () => customize.extract(base(), { clases: 2 } as never),
    /unknown option 'clases'\. Did you mean 'classes'\?/],
  ['a misspelt activation', () => customize.extract(base(), { classes: 2, activation: 'sofmax' as never }),
    /activation must be 'softmax' or 'sigmoid'/],
  ['a name that is taken', () => customize.extract(base(), { classes: 2, name: 'conv' }),
    /name: 'conv' is a layer of .* already/],
  ['class names that are numbers', () => customize.extract(base(), { classes: [0, 1] as never }),
    /received 0 among them\. Take classes\.map\(String\)/],
  ['more classes than a head can have', () => customize.extract(base(), { classes: 1e9 }),
    /a whole number up to a million; received 1000000000/],
  ['a dropout that is text', () => customize.extract(base(), { classes: 2, dropout: '0.2' as never }), /dropout must be a part/],
  ['no place to tap', () => tap(base(), null as never), /tap: expected a layer's name or index.*received null/],
  ['a window larger than the map', () => tf.layers.conv2d({ filters: 2, kernelSize: 9 }).apply(tap(base(), 'conv')),
    /window larger than what it gets: \[batch, 6, 6, 2\] would become \[batch, -2, -2, 2\]\. Take padding: 'same'/],
  ['scratch of what is no model', () => customize.scratch(5 as never), /model/],
  ['an unknown option of hub.load', () => hub.load('models/x', { frsh: true } as never),
    /unknown option 'frsh'\. Did you mean 'fresh'\?/],
] as const) {
  test(`${title} is refused in one sentence`, async () => {
    await assert.rejects(async () => await call(), { name: 'GraftError', message: expected })
  })
}

test('a refused fine-tuning leaves the base as it was', () => {
  const model = base()
  assert.throws(() => customize.fineTune(model, { classes: 2, unfreeze: 99, show: false }), /layers with weights/)
  assert.deepEqual(model.layers.map(layer => layer.trainable), [true, true])
})

test('one layer may stand for a list of one', () => {
  const model = customize.modify(base(), { add: tf.layers.conv2d({ filters: 3, kernelSize: 3, name: 'grafted' }), classes: 2,
    show: false })
  assert.ok(model.getLayer('grafted'))
})
