import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cardOf, setCard } from '../../../../lib/card.ts'
import { explainShapes } from '../../../../lib/customize/explain.ts'
import { extract } from '../../../../lib/customize/extract.ts'
import { insertAfter, insertBefore } from '../../../../lib/customize/insert.ts'
import { remove } from '../../../../lib/customize/remove.ts'
import { replace } from '../../../../lib/customize/replace.ts'
import { resize } from '../../../../lib/customize/resize.ts'
import { tf } from '../../../../lib/tf.ts'
import { trunk, weightsOf } from '../train/fixtures.ts'

type T = tf.SymbolicTensor
const l = tf.layers
explainShapes(tf)
const names = (model: tf.LayersModel) => model.layers.map(layer => layer.name)
const conv = (name: string, filters: number, kernelSize = 1) => l.conv2d({ name, filters, kernelSize, padding: 'same' })
const images = (side = 12, channels = 3) => tf.randomUniform([2, side, side, channels], 0, 1, 'float32', 5)
const outputs = (model: tf.LayersModel, x = images()) => Array.from((model.predict(x) as tf.Tensor).dataSync())
const furthest = (a: number[], b: number[]) => Math.max(...a.map((value, i) => Math.abs(value - b[i])))

/** Two ways that meet: `stem` → `left` and `stem` → `right`, added, then a Dense. */
function branching(): tf.LayersModel {
  const input = tf.input({ shape: [12, 12, 3], name: 'image' })
  const stem = conv('stem', 4, 3).apply(input) as T
  const left = conv('left', 4, 3).apply(stem) as T, right = conv('right', 4).apply(stem) as T
  const both = l.add({ name: 'both' }).apply([left, right]) as T
  return tf.model({ name: 'fork', inputs: input, outputs: l.globalAveragePooling2d({ name: 'pool' }).apply(both) as T })
}

/** A trunk used as a layer, twice, on an image and on its double. */
function twice(): tf.LayersModel {
  const inner = trunk(), image = tf.input({ shape: [12, 12, 3] }), more = l.reLU({ name: 'more' }).apply(image) as T
  const both = l.concatenate({ name: 'both' }).apply([inner.apply(image) as T, inner.apply(more) as T]) as T
  return tf.model({ name: 'twice', inputs: image, outputs: l.dense({ units: 2, name: 'head' }).apply(both) as T })
}

const zero = (name: string) => l.rescaling({ scale: 0, offset: 0, name } as never)

const edits: [string, () => tf.LayersModel, (model: tf.LayersModel) => tf.LayersModel, string[]][] = [
  ['insertAfter, on all ways', branching, model => insertAfter(model, 'stem', l.reLU({ name: 'new' })),
    ['image', 'stem', 'new', 'left', 'right', 'both', 'pool']],
  ['insertAfter, on one edge', branching, model => insertAfter(model, 'stem', [l.reLU({ name: 'new' }), conv('wide', 4)],
    { to: 'left' }),
    ['image', 'stem', 'new', 'wide', 'left', 'right', 'both', 'pool']],
  ['insertAfter the input', branching, model => insertAfter(model, 0, l.reLU({ name: 'new' })),
    ['image', 'new', 'stem', 'left', 'right', 'both', 'pool']],
  ['insertAfter the last layer', branching, model => insertAfter(model, -1, l.dense({ units: 3, name: 'new' })),
    ['image', 'stem', 'left', 'right', 'both', 'pool', 'new']],
  ['insertBefore', branching, model => insertBefore(model, 'pool', l.reLU({ name: 'new' })),
    ['image', 'stem', 'left', 'right', 'both', 'new', 'pool']],
  ['insertBefore, from one input', branching, model => insertBefore(model, 'both', l.reLU({ name: 'new' }), { from: 'right' }),
    ['image', 'stem', 'right', 'left', 'new', 'both', 'pool']],
  ['remove', branching, model => remove(model, 'left'), ['image', 'stem', 'right', 'both', 'pool']],
  ['remove a meeting and the way that it leaves over', branching, model => remove(model, 'both', { keep: 'right' }),
    ['image', 'stem', 'right', 'pool']],
  ['replace, also by the same name', branching, model => replace(model, 'left', conv('left', 4, 5)),
    ['image', 'stem', 'left', 'right', 'both', 'pool']],
  ['replace by several', branching, model => replace(model, 'pool', [l.flatten({ name: 'flat' }), l.dense({ units: 2,
    name: 'few' })]),
    ['image', 'stem', 'left', 'right', 'both', 'flat', 'few']],
]
for (const [name, make, edit, expected] of edits) {
  test(`${name}: the layers, the weights of all others; the model given stays as it is`, () => {
    const model = make(), before = weightsOf(model), layers = [...model.layers], made = edit(model)
    assert.deepEqual(names(made).sort(), [...expected].sort())
    assert.deepEqual([weightsOf(model), model.layers], [before, layers])
    for (const layer of made.layers) {
      const old = model.layers.find(one => one.name === layer.name)
      if (!old || String(old.getConfig().kernelSize) !== String(layer.getConfig().kernelSize)) continue
      assert.notEqual(layer, old)
      layer.getWeights().forEach((weight, i) => assert.deepEqual(weight.arraySync(), old.getWeights()[i].arraySync()))
    }
    assert.ok(outputs(made).every(Number.isFinite))
  })
}

test('what is computed: nothing changes by a layer that does nothing; a zero on one edge leaves the other way', () => {
  const model = branching(), x = images()
  assert.deepEqual(outputs(insertAfter(model, 'stem', l.activation({ activation: 'linear', name: 'same' })), x), outputs(model,
    x))
  const right = tf.model({ inputs: model.inputs,
    outputs: l.globalAveragePooling2d({}).apply(model.getLayer('right').output as T) as T })
  assert.ok(furthest(outputs(insertBefore(model, 'both', zero('off'), { from: 'left' }), x), outputs(right, x)) < 1e-6)
  assert.deepEqual(outputs(remove(model, 'both', { keep: 'right' }), x), outputs(right, x))
})

test('the copy shares no weight: training one leaves the other', () => {
  const model = branching(), made = insertAfter(model, -1, l.dense({ units: 2, name: 'new' })), before = weightsOf(model)
  for (const layer of made.layers) layer.setWeights(layer.getWeights().map(weight => tf.zerosLike(weight)))
  assert.deepEqual(weightsOf(model), before)
})

test('layers that were given weights bring them; they can be used again', () => {
  const other = trunk(), layer = other.getLayer('conv')
  const made = insertAfter(branching(), 0, tf.layers.activation({ activation: 'linear', name: 'a' }))
  const grafted = replace(made, 'stem', [layer, conv('to_four', 4)])
  assert.deepEqual(grafted.getLayer('conv').getWeights()[0].arraySync(), layer.getWeights()[0].arraySync())
  assert.notEqual(grafted.getLayer('conv'), layer)
  const mine = l.reLU({ name: 'mine' })
  assert.throws(() => insertAfter(branching(), 'nowhere', mine), /unknown layer/)
  assert.ok(names(insertAfter(branching(), 'stem', mine)).includes('mine'))
  assert.ok(names(insertAfter(branching(), 'left', mine)).includes('mine'))
})

test('flags: frozen layers stay frozen in the copy, and batch statistics come along', () => {
  const model = trunk()
  model.getLayer('conv_bn').trainable = false
  model.getLayer('conv_bn').setWeights([1, 2, 3, 4].map(value => tf.fill([8], value)))
  const made = insertAfter(model, 'conv_relu', l.dropout({ rate: 0.5, name: 'drop' }))
  assert.deepEqual(made.layers.map(layer => [layer.name, layer.trainable]).filter(([, on]) => !on),
    model.layers.map(layer => [layer.name, layer.trainable]).filter(([, on]) => !on))
  assert.deepEqual(outputs(made), outputs(model))
})

test('nested and shared models: a layer inside is found, edited once and shared in the copy', () => {
  const model = twice(), x = images()
  const same = insertAfter(model, 'conv', l.activation({ activation: 'linear', name: 'same' }))
  assert.deepEqual(outputs(same, x), outputs(model, x))
  assert.deepEqual(names(same.getLayer('trunk') as unknown as tf.LayersModel).slice(0, 3), ['image', 'conv', 'same'])
  assert.equal(same.weights.length, model.weights.length)
  assert.ok(outputs(insertAfter(model, 'conv', zero('off')), x).every(Number.isFinite))
  assert.equal(resize(model, { size: 20 }).outputs[0].shape[1], 2)
})

test('resize: another size; grey sums the kernels; more channels keep the sums; the card follows', () => {
  const model = trunk(), grey = images(12, 1)
  setCard(model, { size: [12, 12], range: [0, 1] })
  const large = resize(model, { size: [20, 16] })
  assert.deepEqual([large.inputs[0].shape, cardOf(large)!.size], [[null, 20, 16, 3], [20, 16]])
  const one = resize(model, { channels: 1 })
  assert.ok(furthest(outputs(one, grey), outputs(model, tf.tile(grey, [1, 1, 1, 3]))) < 1e-5)
  const six = resize(model, { channels: 6 })
  assert.ok(furthest(outputs(six, tf.tile(grey, [1, 1, 1, 6])), outputs(model, tf.tile(grey, [1, 1, 1, 3]))) < 1e-5)
})

test('the card follows: the trunk loses what went, the head is what is new; classes stay while the output does', () => {
  const base = trunk()
  setCard(base, { handle: 'some/handle/1', size: [12, 12], range: [0, 1] })
  const cut = remove(base, 'conv_relu')
  assert.deepEqual(cardOf(cut)!.trunk, ['image', 'conv', 'conv_bn', 'depthwise', 'pool'])
  const model = extract(base, { classes: ['cat', 'dog'] })
  const more = insertBefore(model, 'predictions', l.dropout({ rate: 0.1, name: 'drop' }))
  assert.deepEqual([cardOf(more)!.classes, cardOf(more)!.trunk!.includes('drop')], [['cat', 'dog'], false])
  assert.equal(cardOf(replace(model, 'predictions', l.dense({ units: 3 })))!.classes, undefined)
  const bytes = insertAfter(base, 'image', l.rescaling({ scale: 1 / 255, name: 'bytes' } as never))
  assert.deepEqual(cardOf(bytes)!.range, [0, 255])
  assert.deepEqual(cardOf(insertAfter(bytes, 'conv', l.reLU({ name: 'new' })))!.range, [0, 255])
  assert.deepEqual(cardOf(remove(bytes, 'bytes'))!.range, [0, 1])
})

const refusals: [string, () => unknown, RegExp][] = [
  ['another width before a layer with weights', () => insertAfter(branching(), 'stem', conv('new', 6)),
    /'left' \(Conv2D\) would lose its weights: they are for \[batch, 12, 12, 4\], it would receive \[batch, 12, 12, 6\].*replace 'left' too/],
  ['ways of two shapes', () => insertAfter(branching(), 'left', conv('new', 6)),
    /'both' \(Add\) cannot stand after 'new' and 'right': it received \[batch, 12, 12, 6\] and \[batch, 12, 12, 4\], in the original/],
  ['a map after the pooling', () => insertAfter(branching(), 'pool', conv('new', 4)),
    /'new' \(Conv2D\) cannot stand after 'pool'.*\[batch, 4\]/],
  ['a map that shrinks to nothing', () => insertAfter(branching(), 'stem', l.conv2d({ filters: 4, kernelSize: 13, name: 'new' })),
    /'new' \(Conv2D\) cannot stand.*a window larger than what it gets.*\[batch, 0, 0, 4\]/],
  ['removing what changes the shape', () => remove(branching(), 'stem'), /would lose its weights/],
  ['removing a meeting', () => remove(branching(), 'both'),
    /'both' has 2 inputs, from 'left', 'right'\. Say which goes on.*keep: 'left'/],
  ['a stranger to keep', () => remove(branching(), 'both', { keep: 'stem' }),
    /gets nothing from 'stem'; it gets its input from 'left', 'right'/],
  ['before a meeting', () => insertBefore(branching(), 'both', l.reLU({})), /has 2 inputs.*from: 'left'/],
  ['no such edge', () => insertAfter(branching(), 'left', l.reLU({}), { to: 'right' }),
    /'right' gets nothing from 'left'; it gets its input from 'stem'/],
  ['before the input', () => insertBefore(branching(), 'image', l.reLU({})), /is an input.*insertAfter/],
  ['the input', () => remove(branching(), 'image'), /customize\.resize/],
  ['an unknown layer', () => replace(branching(), 'lefd', l.reLU({})), /unknown layer: 'lefd'\. Did you mean 'left'/],
  ['several layers', () => remove(branching(), '*t'), /'\*t' means 2 layers \(left, right\)\. Name one/],
  ['a name that is taken', () => insertAfter(branching(), 'stem', l.reLU({ name: 'left' })),
    /has a layer 'left' already.*'left_new'/],
  ['no layer', () => insertAfter(branching(), 'stem', 'relu' as never), /expected layers such as/],
  ['no layers', () => insertAfter(branching(), 'stem', []), /received none/],
  ['no model', () => remove('model' as never, 'stem' as never), /expected a model/],
  ['a size of zero', () => resize(trunk(), { size: 0 }), /size must be whole and above 0.*received 0/],
  ['a size too small', () => resize(trunk(), { size: 4 }), /cannot stand after.*empty|cannot stand after/],
  ['weights of one size', () => resize(insertAfter(remove(branching(), 'pool'), -1, [l.flatten({}), l.dense({ units: 2,
    name: 'd' })]), { size: 10 }),
    /'d' \(Dense\) would lose its weights: they are for \[batch, 576\], it would receive \[batch, 400\]/],
]
for (const [name, attempt, message] of refusals) {
  test(`refused: ${name}`, () => {
    assert.throws(attempt, (error: Error) => error.name === 'GraftError' && message.test(error.message) ||
      assert.fail(error.message))
  })
}

test('a refused attempt frees what it had built', () => {
  const model = branching(), graft = conv('new', 6), before = tf.memory().numTensors
  assert.throws(() => insertAfter(model, 'stem', graft))
  assert.ok(tf.memory().numTensors <= before + 2, `${tf.memory().numTensors - before} tensors more`)
})

test('a failed operation leaves no tensors behind', () => {
  const model = trunk(), wrong = () => tf.layers.conv2d({ filters: 7, kernelSize: 1, name: 'wrong' })
  for (const attempt of [
    () => insertAfter(model, 'conv', wrong()), () => insertBefore(model, 'depthwise', wrong()), () => replace(model, 'conv', wrong()),
    () => insertAfter(model, 'conv', tf.layers.activation({ activation: 'relu', name: 'way' }), { to: 'depthwise' }),
  ]) {
    const before = tf.memory().numTensors
    try {
      attempt()
      continue
    } catch (error) {
      assert.equal((error as Error).name, 'GraftError')
    }
    assert.equal(tf.memory().numTensors, before)
  }
})
