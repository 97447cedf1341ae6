import assert from 'node:assert/strict'
import { afterEach, before, describe, test } from 'node:test'
import { Answers } from '../../../../lib/engine/answers.ts'
import { engine } from '../../../../lib/engine/index.ts'
import { onnxRuntime } from '../../../../lib/engine/onnx/runtime.ts'
import { predictInOnnxRuntime, predictInTurns } from '../../../../lib/engine/predict.ts'
import { tf } from '../../../../lib/tf.ts'
import { difference, tensorOf } from './numbers.ts'

type Sym = tf.SymbolicTensor
const runtime = onnxRuntime(), skip = runtime.ort ? false : runtime.reason
await tf.setBackend('wasm')
const { layers } = tf, side = 24, signal = new AbortController().signal
/** So many that making a model ready pays at once. */
const many = 200
const images = tf.keep(tensorOf([many, side, side, 3])), few = tf.keep(images.slice(0, 2))

let runs = 0
before(() => {
  predictInOnnxRuntime()
  const { run } = Answers.prototype
  Answers.prototype.run = function (inputs) {
    runs++
    return run.call(this, inputs)
  }
})
afterEach(() => { runs = 0 })

function net(last: (x: Sym) => Sym = x => x): tf.LayersModel {
  const input = tf.input({ shape: [side, side, 3] })
  const x = layers.conv2d({ name: 'stem', filters: 24, kernelSize: 5, useBias: false }).apply(input) as Sym
  const y = layers.reLU({ name: 'relu', maxValue: 1 }).apply(layers.batchNormalization({ name: 'norm' }).apply(x)) as Sym
  const pooled = layers.globalAveragePooling2d({}).apply(y) as Sym
  const model = tf.model({ inputs: input, outputs: last(layers.dense({ name: 'classes', units: 4 }).apply(pooled) as Sym) })
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
  return model
}

const numbers = (output: tf.Tensor | tf.Tensor[]) => [output].flat()[0].dataSync()
const predicted = (model: tf.LayersModel, x: tf.Tensor = few) => numbers(model.predict(x) as tf.Tensor)
/** The same by the layers themselves. */
const applied = (model: tf.LayersModel, x: tf.Tensor = few) => numbers(model.apply(x, { training: false }) as tf.Tensor)

describe('what changes a model changes its predictions', { skip }, () => {
  const changes: Record<string, (model: tf.LayersModel) => unknown> = {
    'setWeights of a layer': model => {
      const layer = model.getLayer('classes')
      layer.setWeights(layer.getWeights().map(value => value.add(1)))
    },
    'a variable is assigned': model => (model.weights[0].read() as tf.Variable).assign(tensorOf([5, 5, 3, 24], 7)),
    'a step of training': model => model.trainOnBatch(few, tf.ones([2, 4])),
    'model.fit': model => model.fit(images, tf.ones([many, 4]), { epochs: 1 }),
    'a step of an optimizer': model =>
      tf.train.adam(0.1).minimize(() => (model.apply(few, { training: true }) as tf.Tensor).mean() as tf.Scalar),
    'a setting of a layer': model => { Object.assign(model.getLayer('relu'), { maxValue: 0.01 }) },
  }
  for (const [name, change] of Object.entries(changes)) {
    test(name, async () => {
      const model = net(), before = predicted(model, images).slice(0, 8)
      assert.ok(runs > 0)
      assert.ok(difference(before, applied(model)) < 1e-5)
      await change(model)
      const wanted = applied(model)
      assert.ok(difference(wanted, before) > 1e-3, 'the change is large enough to be seen')
      assert.ok(difference(predicted(model), wanted) < 1e-5)
      runs = 0
      assert.ok(difference(predicted(model, images).slice(0, 8), wanted) < 1e-5)
      assert.ok(runs > 0)
      model.dispose()
    })
  }
})

test('a few predictions are not worth making a model ready; together they are', { skip }, () => {
  const model = net()
  predicted(model)
  assert.equal(runs, 0)
  for (let n = 0; n < 10_000 && !runs; n++) model.predict(few, {})
  assert.ok(runs > 0)
  model.dispose()
})

describe('predictions that stay in the engine', { skip }, () => {
  class Twice extends tf.layers.Layer {
    static className = 'Twice'
    override call(inputs: tf.Tensor | tf.Tensor[]) { return tf.mul([inputs].flat()[0], 2) }
  }
  /** A user's class whose name is a known one's. */
  class Softmax extends Twice {
    static override className = 'Softmax'
  }
  const kept: [string, (model: tf.LayersModel) => tf.LayersModel][] = [
    ['a layer that ONNX cannot say', () => net(x => new Twice({ name: 'twice' }).apply(x) as Sym)],
    ['a layer of the user\'s that took a known name', () => net(x => new Softmax({}).apply(x) as Sym)],
    ['a call put in the place of a layer\'s own', model => {
      const { call } = model.getLayer('relu')
      model.getLayer('relu').call = function (...parameters) { return tf.neg(call.apply(this, parameters) as tf.Tensor) }
      return model
    }],
    ['a watched layer', model => {
      model.getLayer('relu').setCallHook(() => {})
      return model
    }],
  ]
  for (const [name, make] of kept) {
    test(name, () => {
      const model = make(net())
      assert.ok(difference(predicted(model, images).slice(0, 8), applied(model)) < 1e-6)
      assert.equal(runs, 0)
      model.dispose()
    })
  }

  test('engine() says which and why', () => {
    const model = net(x => new Twice({ name: 'twice' }).apply(x) as Sym)
    predicted(model, images)
    const sentence = `'${model.name}' predicts in ${engine().name}, as layer 'twice': ONNX cannot say layers of class Twice`
    assert.ok(engine().exceptions.includes(sentence))
    assert.ok(String(engine()).includes(` ${sentence}.`))
    model.dispose()
  })

  test('within a gradient, which goes through them', () => {
    const model = net(), { grads } = tf.variableGrads(() => (model.predict(images) as tf.Tensor).mean() as tf.Scalar)
    assert.equal(runs, 0)
    assert.ok(Object.values(grads).some(gradient => gradient.abs().max().dataSync()[0] > 0))
    model.dispose()
  })
})

test('several inputs and outputs, and a sequential model', { skip }, () => {
  const [a, b] = [4, 6].map(size => tf.input({ shape: [size] }))
  const dense = (units: number, x: Sym) => layers.dense({ units }).apply(x) as Sym
  const sum = layers.add().apply([dense(512, a), dense(512, b)]) as Sym
  const model = tf.model({ inputs: [a, b], outputs: [dense(3, sum), sum] })
  const given = [tensorOf([20_000, 4], 1), tensorOf([20_000, 6], 2)], wanted = model.apply(given) as tf.Tensor[]
  const outputs = model.predict(given) as tf.Tensor[]
  assert.ok(runs > 0)
  assert.deepEqual(outputs.map(({ shape }) => shape), [[20_000, 3], [20_000, 512]])
  for (const [i, output] of outputs.entries()) assert.ok(difference(output.dataSync(), wanted[i].dataSync()) < 1e-5)

  const chain = tf.sequential({ layers: [
    layers.flatten({ inputShape: [side, side, 3] }), layers.dense({ units: 2000, activation: 'relu' }), layers.dense({ units: 2 }),
  ] })
  runs = 0
  assert.ok(difference(numbers(chain.predict(images) as tf.Tensor), numbers(chain.apply(images) as tf.Tensor)) < 1e-5)
  assert.ok(runs > 0)
  tf.dispose([given, wanted, outputs])
  for (const one of [model, chain]) one.dispose()
})

test('two models stay ready; others, and one that was disposed of, give their memory back', { skip }, () => {
  const { release } = Answers.prototype, count = tf.memory().numTensors
  let released = 0
  Answers.prototype.release = function () {
    released++
    release.call(this)
  }
  try {
    const models = [net(), net(), net()]
    for (const model of models) tf.dispose(model.predict(images))
    const before = released
    tf.dispose(models[0].predict(images))
    assert.equal(released - before, 1, 'the one that was used longest ago made room')
    assert.ok(difference(predicted(models[1], images).slice(0, 8), applied(models[1])) < 1e-5)
    const open = released
    models[1].dispose()
    assert.equal(released - open, 1)
    models[0].dispose()
    models[2].dispose()
    assert.ok(tf.memory().numTensors - count < 10)
  } finally {
    Answers.prototype.release = release
  }
})

describe('in turns', { skip }, () => {
  test('the event loop keeps turning, and the numbers are the same', async () => {
    const model = net()
    let turns = 0
    const timer = setInterval(() => turns++, 0), [output] = await predictInTurns(model, [images], signal)
    clearInterval(timer)
    assert.ok(turns > 0)
    assert.ok(difference(output.dataSync(), applied(model, images)) < 1e-5)
    output.dispose()
    model.dispose()
  })

  test('others may predict between two turns, and take its place', async () => {
    const model = net(), others = [net(), net()], wanted = applied(model, images)
    const predicting = predictInTurns(model, [images], signal)
    const between = async () => {
      for (const other of others) {
        await new Promise(setImmediate)
        tf.dispose(other.predict(images))
      }
    }
    const [[output]] = await Promise.all([predicting, between()])
    assert.ok(difference(output.dataSync(), wanted) < 1e-5)
    output.dispose()
    for (const each of [model, ...others]) each.dispose()
  })

  test('a signal ends it, and nothing stays behind', async () => {
    const model = net(), stop = new AbortController()
    await predictInTurns(model, [images], signal).then(tf.dispose)
    const count = tf.memory().numTensors
    setImmediate(() => stop.abort())
    await assert.rejects(predictInTurns(model, [images], stop.signal), { name: 'AbortError' })
    assert.equal(tf.memory().numTensors, count)
    model.dispose()
  })
})
