import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cardOf, setCard, titleOf } from '../../../lib/card.ts'
import { extract } from '../../../lib/customize/extract.ts'
import { tap } from '../../../lib/customize/tap.ts'
import { tf } from '../../../lib/tf.ts'
import { trunk } from './train/fixtures.ts'

type T = tf.SymbolicTensor
const card = { handle: 'some/handle/1', folder: '/models/1', size: [12, 12] as [number, number], range: [0, 1] as [number,
  number] }

function base(): tf.LayersModel {
  const model = trunk()
  setCard(model, card)
  return model
}
const dense = (x: T, units = 2) => tf.layers.dense({ units, activation: 'softmax' }).apply(x) as T
const rescaling = (scale: number, offset = 0) => tf.layers.rescaling({ scale, offset } as never)

test('a model that tf.model builds on a layer of the base has its card; what came from there is the trunk', () => {
  const model = base(), x = tf.layers.globalAveragePooling2d({}).apply(tap(model, 'last feature map')) as T
  assert.deepEqual(cardOf(tf.model({ inputs: model.inputs, outputs: dense(x) })),
    { ...card, trunk: ['image', 'conv', 'conv_bn', 'conv_relu', 'depthwise'] })
})

test('a model around the base has its card, its layers are the trunk, nested too', () => {
  const model = base(), input = tf.input({ shape: [12, 12, 3] })
  const names = ['trunk', 'image', 'conv', 'conv_bn', 'conv_relu', 'depthwise', 'pool']
  assert.deepEqual(cardOf(tf.model({ inputs: input, outputs: dense(model.apply(input) as T) })), { ...card, trunk: names })
  assert.deepEqual(cardOf(tf.sequential({ layers: [base(), tf.layers.dense({ units: 2 })] })), { ...card, trunk: names })
})

test('what rescales the image before the trunk is undone; the size is that of the new input', () => {
  const around = (...layers: tf.layers.Layer[]) => {
    const input = tf.input({ shape: [12, 12, 3] })
    return cardOf(tf.model({ inputs: input, outputs: base().apply(layers.reduce((x, layer) => layer.apply(x) as T,
      input)) as T }))!.range
  }
  assert.deepEqual(around(rescaling(1 / 255)), [0, 255])
  assert.deepEqual(around(rescaling(1 / 2, 1 / 2)), [-1, 1])
  assert.deepEqual(around(rescaling(1 / 255), tf.layers.dropout({ rate: 0.1 }), rescaling(1 / 2, 1 / 2)), [-255, 255])
})

test('class names stay where the same layer gives the output, and only there', () => {
  const model = extract(base(), { classes: ['cat', 'dog'] }), input = tf.input({ shape: [12, 12, 3] })
  const again = tf.model({ inputs: model.inputs, outputs: model.outputs })
  assert.deepEqual(cardOf(again)!.classes, ['cat', 'dog'])
  assert.deepEqual(cardOf(tf.model({ inputs: input, outputs: model.apply(input) as T }))!.classes, ['cat', 'dog'])
  assert.equal(cardOf(tf.model({ inputs: model.inputs, outputs: dense(tap(model, 'pool')) }))!.classes, undefined)
  assert.deepEqual(cardOf(again)!.trunk, base().layers.map(layer => layer.name))
})

test('a model that nobody named is named after the one its layers come from', () => {
  const trunkOf = base(), made = tf.model({ inputs: trunkOf.inputs, outputs: dense(tap(trunkOf, 'pool')) })
  assert.equal(titleOf(made), 'custom_trunk')
  assert.equal(titleOf(tf.model({ inputs: made.inputs, outputs: made.outputs, name: 'mine' })), 'mine')
  assert.match(titleOf(tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [1] })] })), /^sequential_\d+$/)
})

test("layers of one's own have no card", () => {
  assert.equal(cardOf(trunk()), undefined)
  assert.equal(cardOf({} as never), undefined)
})
