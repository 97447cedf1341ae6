import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { frozenPrefix } from '../../../../lib/engine/prefix.ts'
import type { FrozenPrefix } from '../../../../lib/engine/prefix.ts'
import { tf } from '../../../../lib/tf.ts'
import { difference, numbers, tensorOf } from './numbers.ts'

const { layers } = tf
type Sym = tf.SymbolicTensor
const side = 8, count = 5, pixels = numbers(count * side * side * 3)

/** A branching net with every kind of layer that matters here; the classifier can be trained, the rest as told. */
function net(trainable: string[] = []): tf.LayersModel {
  const on = (x: Sym | Sym[], layer: tf.layers.Layer) => layer.apply(x) as Sym
  const input = tf.input({ shape: [side, side, 3] })
  const stem = on(on(on(input, layers.conv2d({ name: 'stem', filters: 6, kernelSize: 3, padding: 'same' })), layers.batchNormalization({ name: 'norm' })), layers.reLU({ name: 'relu' }))
  const left = on(stem, layers.conv2d({ name: 'left', filters: 6, kernelSize: 1 })), right = on(stem, layers.depthwiseConv2d({ name: 'right', kernelSize: 3, padding: 'same' }))
  const sum = on([left, right], layers.add({ name: 'sum' })), pooled = on(sum, layers.globalAveragePooling2d({ name: 'pool' }))
  const model = tf.model({ inputs: input, outputs: on(on(pooled, layers.dropout({ name: 'drop', rate: 0.5 })), layers.dense({ name: 'classes', units: 3 })) })
  for (const layer of model.layers) layer.trainable = layer.name === 'classes' || trainable.includes(layer.name)
  model.setWeights(model.weights.map((weight, i) => tensorOf(weight.shape as number[], i + 1).add(weight.originalName.includes('variance') ? 1.5 : 0)))
  return model
}

async function through(prefix: FrozenPrefix): Promise<Float32Array> {
  const features = await prefix.run(pixels, count)
  const inputs = features.map((data, i) => tf.tensor(data, [count, ...prefix.shapes[i]]))
  return (prefix.rest.predict(inputs.length === 1 ? inputs[0] : inputs) as tf.Tensor).dataSync() as Float32Array
}

const whole = (model: tf.LayersModel) => (model.predict(tf.tensor(pixels, [count, side, side, 3])) as tf.Tensor).dataSync()

describe('the part that cannot change is found and, with the rest, gives what the whole gives', () => {
  const all = ['stem', 'norm', 'relu', 'left', 'right', 'sum', 'pool']
  const cases: [what: string, trainable: string[], inside: string[], frontier: Record<string, number[]>][] = [
    ['only the classifier trains: all before the dropout', [], all, { pool: [6] }],
    ['a branch trains: the other one is inside, its output and the stem’s leave', ['left'], ['stem', 'norm', 'relu', 'right'], { relu: [side, side, 6], right: [side, side, 6] }],
    ['both branches train', ['left', 'right'], ['stem', 'norm', 'relu'], { relu: [side, side, 6] }],
    ['a normalization trains: it moves its statistics', ['norm'], ['stem'], { stem: [side, side, 6] }],
  ]
  for (const [what, trainable, inside, frontier] of cases) {
    test(what, async () => {
      const model = net(trainable), prefix = frozenPrefix(model)!
      assert.deepEqual([...prefix.layers].sort(), [...inside].sort())
      assert.deepEqual(Object.fromEntries(prefix.frontier.map((name, i) => [name, prefix.shapes[i]])), frontier)
      assert.ok(difference(await through(prefix), whole(model)) < 1e-5)
      assert.equal(prefix.forwards, count)
      assert.match(prefix.engine, /^ONNX Runtime \d/)
      await prefix.dispose()
    })
  }

  test('the first layer trains: nothing is frozen', () => assert.equal(frozenPrefix(net(['stem'])), null))

  test('a model used as a layer is opened up', async () => {
    const base = net(), features = tf.model({ inputs: base.inputs, outputs: base.getLayer('pool').output as Sym })
    const model = tf.sequential({ layers: [features, layers.dense({ units: 2 })] })
    features.trainable = false
    const prefix = frozenPrefix(model)!
    assert.deepEqual(prefix.shapes, [[6]])
    assert.ok(difference(await through(prefix), whole(model)) < 1e-5)
    features.getLayer('right').trainable = true
    assert.deepEqual(frozenPrefix(model)!.shapes.map(String).sort(), [`${side},${side},6`, `${side},${side},6`])
  })

  test('a layer that ONNX cannot say runs in TensorFlow.js where it draws nothing, else it ends the part', async () => {
    class Twice extends layers.Layer {
      static className = 'Twice'
      deterministic = true
      override call(inputs: tf.Tensor | tf.Tensor[]) { return tf.mul(Array.isArray(inputs) ? inputs[0] : inputs, 2) }
    }
    const base = net(), twice = new Twice({})
    const x = layers.globalAveragePooling2d({}).apply(twice.apply(base.getLayer('sum').output)) as Sym
    const model = tf.model({ inputs: base.inputs, outputs: layers.dense({ units: 2 }).apply(x) as Sym })
    const prefix = frozenPrefix(model)!
    assert.deepEqual(prefix.shapes, [[6]])
    assert.match(prefix.engine, /^ONNX Runtime .*, then TensorFlow\.js \(layer '.*': ONNX cannot say layers of class Twice\)$/)
    assert.ok(difference(await through(prefix), whole(model)) < 1e-5)
    twice.deterministic = false
    assert.deepEqual(frozenPrefix(model)!.shapes, [[side, side, 6]])
  })
})

test('the hash tells structure and weights, not names', () => {
  const model = net(), same = net(), { hash } = frozenPrefix(model)!
  assert.equal(frozenPrefix(same)!.hash, hash)
  const [kernel] = same.getLayer('stem').getWeights()
  same.getLayer('stem').setWeights([tf.add(kernel, 1e-3), same.getLayer('stem').getWeights()[1]])
  assert.notEqual(frozenPrefix(same)!.hash, hash)
  model.getLayer('classes').setWeights(model.getLayer('classes').getWeights().map((weight) => tf.add(weight, 1)))
  assert.equal(frozenPrefix(model)!.hash, hash)
  assert.notEqual(frozenPrefix(net(['left']))!.hash, hash)
})

test('the rest trains the model’s own weights, and the layers keep one output each', async () => {
  const model = net(), prefix = frozenPrefix(model)!, before = model.getLayer('classes').getWeights()[0].dataSync().join()
  const [features] = await prefix.run(pixels, count)
  prefix.rest.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
  await prefix.rest.trainOnBatch(tf.tensor(features, [count, 6]), tf.ones([count, 3]))
  assert.notEqual(model.getLayer('classes').getWeights()[0].dataSync().join(), before)
  for (const layer of model.layers) assert.equal(layer.inboundNodes.length, 1)
})

test('each image gives the same bits, however many run together', async () => {
  const prefix = frozenPrefix(net(['left']))!, [all] = await prefix.run(pixels, count), one = pixels.length / count
  for (let i = 0; i < count; i++) {
    const [alone] = await prefix.run(pixels.subarray(i * one, (i + 1) * one), 1)
    assert.deepEqual(alone, all.subarray(i * alone.length, (i + 1) * alone.length))
  }
})

test('an abort stops between images', async () => {
  const prefix = frozenPrefix(net())!
  await assert.rejects(prefix.run(pixels, count, AbortSignal.abort(new Error('enough'))), /enough/)
  assert.equal(prefix.forwards, 0)
})

test('several inputs, or images of any size, have no prefix', () => {
  const a = tf.input({ shape: [4] }), b = tf.input({ shape: [4] }), merged = layers.add().apply([layers.dense({ units: 4, trainable: false }).apply(a) as Sym, b]) as Sym
  assert.equal(frozenPrefix(tf.model({ inputs: [a, b], outputs: merged })), null)
  const any = tf.input({ shape: [null, null, 3] as unknown as number[] })
  assert.equal(frozenPrefix(tf.model({ inputs: any, outputs: layers.conv2d({ filters: 1, kernelSize: 1, trainable: false }).apply(any) as Sym })), null)
})
