import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, test } from 'node:test'
import type * as tfTypes from '@tensorflow/tfjs'
import { fromKeras } from '../../../../lib/save/keras/decode.ts'
import { toKeras } from '../../../../lib/save/keras/encode.ts'
import { tf } from '../../../../lib/tf.ts'

interface Packed { shape: number[], values: number[] }
interface Case {
  name: string
  class: string
  config: object
  training: boolean
  trainable: boolean
  weights: Record<string, Packed>
  x: Packed
  dy: Packed
  y: Packed
  dx: Packed
  gradients: Record<string, Packed>
  after: Record<string, Packed>
}
interface Variable { originalName: string, read(): tfTypes.Tensor, val: tfTypes.Variable }

const { cases } = JSON.parse(await readFile(new URL('../../../fixtures/layers/cases.json', import.meta.url), 'utf8')) as {
  cases: Case[]
}
const tensor = ({ shape, values }: Packed) => tf.tensor(values, shape)

function near(actual: tfTypes.Tensor, expected: Packed, what: string): void {
  assert.deepEqual(actual.shape, expected.shape, `${what}: shape`)
  const scale = Math.max(1, ...expected.values.map(Math.abs))
  const worst = Array.from(actual.dataSync()).reduce((most, value, i) => Math.max(most, Math.abs(value - expected.values[i])), 0)
  assert.ok(worst <= 2e-6 * scale, `${what}: off by ${worst} of ${scale}`)
}

function build(name: string, config: object): tfTypes.layers.Layer {
  const [cls, fromConfig] = tf.serialization.SerializationMap.getMap().classNameMap[name]
  return fromConfig(cls, config as never) as unknown as tfTypes.layers.Layer
}

describe('layers compute what TensorFlow computes, forward and backward', () => {
  for (const c of cases) {
    test(c.name, () => {
      const layer = build(c.class, c.config), x = tensor(c.x), dy = tensor(c.dy)
      const apply = (input: tfTypes.Tensor) => layer.apply(input, { training: c.training }) as tfTypes.Tensor
      layer.build(c.x.shape)
      layer.trainable = c.trainable
      const variables = Object.fromEntries((layer.weights as unknown as Variable[]).map(v => [v.originalName.split('/').at(-1)!, v]))
      assert.deepEqual(Object.keys(variables).sort(), Object.keys(c.weights).sort(), 'weights by name')
      for (const [name, packed] of Object.entries(c.weights)) variables[name].val.assign(tensor(packed))

      near(apply(x), c.y, 'y')
      for (const [name, packed] of Object.entries(c.after)) near(variables[name].read(), packed, `${name} after one step`)
      const loss = (input: tfTypes.Tensor) => tf.sum(tf.mul(apply(input), dy)) as tfTypes.Scalar
      near(tf.grad(loss)(x), c.dx, 'dx')
      const names = c.trainable ? Object.keys(c.gradients) : []
      if (!names.length) return
      const { grads } = tf.variableGrads(() => loss(x), names.map(name => variables[name].val))
      for (const name of names) near(grads[variables[name].val.name], c.gradients[name], `gradient of ${name}`)
    })
  }
})

test('freezing a model freezes its layers, those of nested models too', () => {
  const inner = tf.sequential({ layers: [tf.layers.batchNormalization({ inputShape: [4] })] })
  const model = tf.sequential({ layers: [tf.layers.dense({ units: 4, inputShape: [3] }), inner] })
  model.trainable = false
  assert.deepEqual([model.layers[0].trainable, inner.layers[0].trainable, model.trainableWeights.length], [false, false, 0])
  model.trainable = true
  assert.deepEqual([model.layers[0].trainable, inner.layers[0].trainable, model.trainableWeights.length], [true, true, 4])
})

test('a frozen batch normalization keeps its statistics through fit', async () => {
  const model = tf.sequential({
    layers: [tf.layers.batchNormalization({ inputShape: [4], name: 'frozen' }), tf.layers.dense({ units: 1 })],
  })
  const [frozen] = model.layers
  frozen.trainable = false
  const before = frozen.getWeights().map(w => Array.from(w.dataSync()))
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
  await model.fit(tf.randomNormal([8, 4], 3, 2), tf.ones([8, 1]), { epochs: 2, verbose: 0 })
  assert.deepEqual(frozen.getWeights().map(w => Array.from(w.dataSync())), before)
})

const transposed = [['same', [0, 1], [5, 6]], ['valid', [1, 0], [8, 7]], ['same', null, [6, 6]]] as const
for (const [padding, outputPadding, size] of transposed) {
  test(`transposed convolution, padding ${padding}, output padding ${outputPadding}: size, configuration, gradient`, () => {
    const options = { filters: 2, kernelSize: 3, strides: 2, padding, kernelInitializer: 'ones' } as const
    const layer = Object.assign(tf.layers.conv2dTranspose({ ...options, inputShape: [3, 3, 1] }), { outputPadding })
    const model = tf.sequential({ layers: [layer] }), config = layer.getConfig()
    assert.deepEqual(model.outputs[0].shape, [null, ...size, 2])
    assert.deepEqual(build('Conv2DTranspose', structuredClone(config)).getConfig(), config)
    const sum = (x: tfTypes.Tensor) => tf.sum(model.apply(x) as tfTypes.Tensor)
    const gradient = tf.grad(sum)(tf.ones([1, 3, 3, 1]))
    // Each pixel in the middle reaches the whole window, of each of the two filters.
    assert.equal(gradient.dataSync()[4], 18)
    assert.equal(sum(tf.ones([1, 3, 3, 1])).dataSync()[0], tf.sum(gradient).dataSync()[0])
  })
}

test('groups survive a configuration that is written and read', () => {
  const layer = Object.assign(tf.layers.conv2d({ filters: 4, kernelSize: 1, inputShape: [3, 3, 4] }), { groups: 2 })
  const model = tf.sequential({ layers: [layer] })
  assert.deepEqual(layer.getWeights()[0].shape, [1, 1, 2, 4])
  const config = layer.getConfig()
  assert.deepEqual(build('Conv2D', structuredClone(config)).getConfig(), config)
  assert.deepEqual(model.outputs[0].shape, [null, 3, 3, 4])
})

for (const trainable of [true, false]) {
  test(`the penalty on an output is part of the loss${trainable ? ' and of the gradient' : ' of a frozen layer too'}`, async () => {
    const config = {
      class_name: 'Sequential',
      config: { name: 'penalized', layers: [
        { class_name: 'InputLayer', config: { batch_input_shape: [null, 2], name: 'in' } },
        { class_name: 'Dense', config: { name: 'd', units: 1, use_bias: false, trainable,
          activity_regularizer: { class_name: 'L1L2', config: { l1: 0.5, l2: 0.25 } } } },
        { class_name: 'Dense', config: { name: 'out', units: 1, use_bias: false } },
      ] },
    }
    const model = fromKeras(config as never, 'keras3')
    model.layers[0].setWeights([tf.tensor2d([[1], [-2]])])
    model.layers[1].setWeights([tf.tensor2d([[3]])])
    model.compile({ optimizer: tf.train.sgd(0.1), loss: 'meanSquaredError' })
    const { loss } = (await model.fit(tf.tensor2d([[1, 2], [3, 0]]), tf.tensor2d([[-9], [9]]), { epochs: 1, verbose: 0 })).history
    // The outputs of 'd' are −3 and 3: (0.5·6 + 0.25·18) / 2; those of the model are right.
    assert.ok(Math.abs(Number(loss[0]) - 3.75) < 1e-6)
    // d/dy = (0.5·sign + 0.5·y) / 2 = ∓1, times the inputs: −(1, 2) + (3, 0).
    const [kernel] = model.layers[0].getWeights()
    const wanted = trainable ? [1 - 0.2, -2 + 0.2] : [1, -2]
    assert.ok(Array.from(kernel.dataSync()).every((value, i) => Math.abs(value - wanted[i]) < 1e-6))
    assert.deepEqual((toKeras(model).config.layers as { config: { activity_regularizer?: object } }[])[1].config.activity_regularizer,
      { module: 'keras.regularizers', class_name: 'L1L2', config: { l1: 0.5, l2: 0.25 }, registered_name: null })
    assert.equal((model.predict(tf.ones([1, 2])) as tfTypes.Tensor).shape[0], 1)
  })
}
