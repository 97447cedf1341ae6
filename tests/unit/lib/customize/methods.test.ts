import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cardOf } from '../../../../lib/card.ts'
import { explainShapes } from '../../../../lib/customize/explain.ts'
import { fineTune } from '../../../../lib/customize/fine-tune.ts'
import { modify } from '../../../../lib/customize/modify.ts'
import { tf } from '../../../../lib/tf.ts'
import { recordingHost, trunk } from '../train/fixtures.ts'

const screen = recordingHost()
explainShapes(tf)
const classes = ['cat', 'dog', 'bird']
const trainable = (model: tf.LayersModel) => model.layers.filter(layer => layer.trainableWeights.length).map(layer => layer.name)
const said = () => screen.shown.splice(0).map(({ bundle }) => String(bundle['text/plain'])).join('\n')

test('fineTune opens the last layers with weights and says which', () => {
  const model = fineTune(trunk(), { classes, unfreeze: 2 })
  assert.deepEqual(trainable(model), ['conv', 'depthwise', 'predictions'])
  assert.match(said(), /all 2 with weights learn; BatchNormalization keeps its stored statistics/)
  const batch = fineTune(trunk(), { classes, unfreeze: 2, normalization: 'batch' })
  assert.deepEqual(trainable(batch), ['conv_bn', 'depthwise', 'predictions'])
  assert.match(said(),
    /the last 2 of 3 layers with weights learn: conv_bn, depthwise; BatchNormalization among them uses the statistics of each/)
  assert.deepEqual(trainable(fineTune(trunk(), { classes, unfreeze: 'last 1 block' })), ['conv', 'depthwise', 'predictions'])
  assert.throws(() => fineTune(trunk(), { classes, unfreeze: 3 }),
    /'last 3': 'trunk' has 2 layers with weights besides BatchNormalization/)
  assert.deepEqual(trainable(fineTune(trunk(), { classes, unfreeze: 'conv*' })), ['conv', 'conv_bn', 'predictions'])
  assert.deepEqual(trainable(fineTune(trunk(), { classes, unfreeze: 0 })), ['predictions'])
  said()
})

test('modify puts layers after the last feature map, freezes the base and says so', () => {
  const base = trunk(), conv = tf.layers.conv2d({ filters: 6, kernelSize: 3, activation: 'relu', name: 'mine' })
  const model = modify(base, { add: [conv], classes })
  assert.deepEqual(model.layers.map(layer => layer.name),
    ['image', 'conv', 'conv_bn', 'conv_relu', 'depthwise', 'mine', 'average', 'predictions'])
  assert.deepEqual(trainable(model), ['mine', 'predictions'])
  assert.equal(model.getLayer('conv'), base.getLayer('conv'))
  assert.equal(said(), "cut    after 'depthwise' [batch, 8, 8, 8]\ntrunk  trunk: 5 layers, all frozen\n" +
    "head   Conv2D 'mine', GlobalAveragePooling2D 'average', Dense 'predictions'\n459 of 787 weights can learn.")
  assert.deepEqual(cardOf(model)!.trunk, ['image', 'conv', 'conv_bn', 'conv_relu', 'depthwise'])
})

test('modify cuts where it is told, and opens what it is told', () => {
  const model = modify(trunk(), { at: 'conv_relu', classes, unfreeze: 'conv_bn' })
  assert.deepEqual(trainable(model), ['conv_bn', 'predictions'])
  assert.ok(!model.layers.some(layer => layer.name === 'depthwise'))
  said()
})

test('only layers below the cut are counted; add may be a function for ways that part and meet', () => {
  const both = (x: tf.SymbolicTensor) => tf.layers.concatenate({ name: 'both' }).apply([x,
    tf.layers.conv2d({ filters: 2, kernelSize: 1, name: 'side' }).apply(x) as tf.SymbolicTensor]) as tf.SymbolicTensor
  const model = modify(trunk(), { at: 'conv_bn', add: both, classes, unfreeze: 1, head: [tf.layers.dense({ units: 5,
    name: 'hidden' })] })
  assert.deepEqual(trainable(model), ['conv', 'side', 'hidden', 'predictions'])
  assert.match(said(), /all 1 with weights learn/)
  assert.throws(() => modify(trunk(), { add: (() => undefined) as never, classes }), /expected the function to give the tensor/)
})

test("a classifier's old head is left out, also that of a model customized before", () => {
  const first = fineTune(trunk(), { classes, unfreeze: 1 })
  said()
  const second = fineTune(first, { classes: ['a', 'b'], unfreeze: 1 })
  assert.match(said(), /^The old head 'predictions' is left out\./)
  assert.deepEqual([second.outputs[0].shape, trainable(second)], [[null, 2], ['depthwise', 'predictions_1']])
  assert.deepEqual([cardOf(second)!.classes, cardOf(second)!.trunk!.length], [['a', 'b'], 6])
  fineTune(trunk(), { classes, unfreeze: 1, show: false })
  assert.equal(said(), '')
})

test('refused: a convolution on a feature vector, with the way out; a name in use; no layer', () => {
  const base = trunk(), conv = () => tf.layers.conv2d({ filters: 2, kernelSize: 3, name: 'mine' })
  const message = /'mine' \(Conv2D\) needs a feature map.*received \[batch, 8\], a feature.*tap\(base, 'last feature map'\)/
  assert.throws(() => conv().apply(base.outputs[0]), message)
  assert.throws(() => modify(base, { at: -1, add: [conv()], classes }), message)
  assert.throws(() => tf.layers.globalAveragePooling2d({}).apply(base.outputs[0]), /needs a feature map/)
  assert.throws(() => modify(base, { add: [tf.layers.conv2d({ filters: 2, kernelSize: 1, name: 'conv' })], classes }),
    /the name 'conv' is taken/)
  assert.throws(() => modify(base, { add: ['conv2d' as never], classes }), /expected layers such as/)
  assert.throws(() => modify(base, { at: 'pol', classes }), /unknown layer: 'pol'\. Did you mean 'pool'/)
})
