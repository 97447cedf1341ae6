import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { freeze, unfreeze, type Selection } from '../../../../lib/customize/freeze.ts'
import { host, installHost } from '../../../../lib/host.ts'
import { tap } from '../../../../lib/customize/tap.ts'
import { tf } from '../../../../lib/tf.ts'
import { trunk } from '../train/fixtures.ts'

const trainable = (model: tf.LayersModel) => model.layers.filter(layer => layer.trainableWeights.length).map(layer => layer.name)

const selections: [Selection, string[]][] = [
  ['conv', ['conv']], ['conv*', ['conv', 'conv_bn']], [/^depth/, ['depthwise']], [['conv', /bn$/], ['conv', 'conv_bn']],
  ['last 1', ['depthwise']], ['last 2', ['conv_bn', 'depthwise']], ['first 2', ['conv', 'conv_bn']],
    ['*', ['conv', 'conv_bn', 'depthwise']], ['last 0', []],
]
for (const [which, names] of selections) {
  test(`unfreeze ${inspect(which)} opens ${names.join(', ') || 'nothing'}`, () => {
    const model = trunk()
    freeze(model)
    assert.deepEqual(trainable(model), [])
    assert.deepEqual(unfreeze(model, which).changed, names)
    assert.deepEqual(trainable(model), names)
    freeze(model, which)
    assert.deepEqual(trainable(model), [])
  })
}

test('it answers with what changed, and says so where nothing did', () => {
  const model = trunk()
  const answer = freeze(model, 'conv*')
  assert.deepEqual({ ...answer }, { changed: ['conv', 'conv_bn'], trainable: 80, total: 328 })
  assert.equal(inspect(answer), 'Froze 2 layers (conv, conv_bn). 80 of 328 weights can learn.')
  assert.match(inspect(freeze(model, 'conv*')), /^Nothing changed: these layers were frozen already/)
  assert.match(inspect(freeze(model, 'pool')), /^Nothing changed/)
})

test('layers of a nested model are frozen and opened by name; the others stay as they are', () => {
  const inner = trunk(), input = tf.input({ shape: [12, 12, 3] })
  const model = tf.model({ inputs: input, outputs: tf.layers.dense({ units: 2,
    name: 'head' }).apply(inner.apply(input)) as tf.SymbolicTensor })
  assert.deepEqual(freeze(model, 'trunk').changed, ['conv', 'conv_bn', 'depthwise'])
  assert.equal(model.trainableWeights.length, 2)
  assert.deepEqual(unfreeze(model, 'depthwise').changed, ['depthwise'])
  assert.deepEqual(trainable(inner), ['depthwise'])
  assert.equal(model.trainableWeights.length, 4)
})

test('a model that is frozen as a whole is opened for one layer only', () => {
  const model = trunk()
  model.trainable = false
  assert.deepEqual(unfreeze(model, 'conv').changed, ['conv'])
  assert.deepEqual(trainable(model), ['conv'])
})

test('refused: an unknown layer, more layers than there are', () => {
  assert.throws(() => freeze(trunk(), 'conv_bm'), /unknown layer: 'conv_bm'\. Did you mean 'conv_bn'\? The model has 6 layers/)
  assert.throws(() => freeze(trunk(), 'last 9'), /'last 9': 'trunk' has 3 layers with weights/)
  assert.throws(() => freeze(trunk(), 'block_*'), /unknown layer: 'block_\*'/)
})

test('tap: by name, index, and the last feature map; what is built on it shares the layers', () => {
  const model = trunk()
  assert.equal(tap(model, 'conv_relu').name, (model.getLayer('conv_relu').output as tf.SymbolicTensor).name)
  assert.equal(tap(model, -1).name, model.outputs[0].name)
  assert.equal(tap(model, 1).name, (model.layers[1].output as tf.SymbolicTensor).name)
  const map = tap(model, 'last feature map')
  assert.deepEqual(map.shape, [null, 8, 8, 8])
  const grafted = tf.model({ inputs: model.inputs, outputs: tf.layers.conv2d({ filters: 2,
    kernelSize: 3 }).apply(map) as tf.SymbolicTensor })
  assert.equal(grafted.getLayer('conv'), model.getLayer('conv'))
})

test('refused taps: an unknown name, an index out of range, no feature map', () => {
  assert.throws(() => tap(trunk(), 'conv_rellu'), /unknown layer: 'conv_rellu'\. Did you mean 'conv_relu'/)
  assert.throws(() => tap(trunk(), 40), /no layer 40: 'trunk' has 6 layers, 0 to 5/)
  const input = tf.input({ shape: [4] })
  assert.throws(() => tap(tf.model({ inputs: input, outputs: tf.layers.dense({ units: 2 }).apply(input) as tf.SymbolicTensor }),
    'last feature map'),
    /has no feature map: no layer gives \[batch, height, width, channels\]\. It ends in \[batch, 2\]/)
})

test('a call that changes nothing says so at once, one that changes something does not', () => {
  const model = trunk(), said: unknown[] = [], before = host()
  installHost({ ...before, display: bundle => { said.push(bundle['text/plain']) } })
  try {
    freeze(model)
    assert.deepEqual(said, [])
    freeze(model, 'conv')
    unfreeze(model, 'last 0')
    assert.deepEqual(said, ['freeze: nothing changed: these layers were frozen already, or hold no weights.',
      'unfreeze: nothing changed: these layers were trainable already, or hold no weights.'])
  } finally {
    installHost(before)
  }
})

test('a compiled model learns by what is frozen now, with an optimizer that starts anew', async () => {
  const input = tf.input({ shape: [4] }), hidden = tf.layers.dense({ units: 3, name: 'hidden' }).apply(input) as tf.SymbolicTensor
  const model = tf.model({ inputs: input, outputs: tf.layers.dense({ units: 2,
    name: 'out' }).apply(hidden) as tf.SymbolicTensor })
  model.compile({ optimizer: tf.train.adam(0.1, 0.8), loss: 'meanSquaredError', metrics: ['mse'] })
  const x = tf.randomNormal([8, 4]), y = tf.randomNormal([8, 2]), fit = () => model.fit(x, y, { epochs: 1, verbose: 0 })
  const kernels = () => ['hidden', 'out'].map(name => model.getLayer(name).getWeights()[0].dataSync().slice())
  const moved = async () => {
    const before = kernels()
    await fit()
    return kernels().map((now, i) => now.some((value, n) => value !== before[i][n]))
  }
  assert.deepEqual(await moved(), [true, true])
  freeze(model, 'hidden')
  assert.deepEqual(await moved(), [false, true])
  unfreeze(model, 'hidden')
  freeze(model, 'out')
  assert.deepEqual(await moved(), [true, false])
  assert.equal(model.optimizer.getConfig().beta1, 0.8)
})
