import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { withoutTensorFlow } from '../engine/tensorflow/here.ts'
import { OutOfMemory } from '../../../../lib/engine/out-of-memory.ts'
import { tf } from '../../../../lib/tf.ts'
import { optimizerFrom } from '../../../../lib/train/optimizers.ts'
import { mostAtOnce } from '../../../../lib/train/parts.ts'
import { bytesOfStep, testStep, trainStep, type Objective } from '../../../../lib/train/step.ts'
import { forgetFunctions } from '../../../../lib/train/written.ts'
import { difference, tensorOf } from '../engine/numbers.ts'

const { layers } = tf

function net({ normalized = false } = {}): tf.LayersModel {
  const kernelInitializer = tf.initializers.heNormal({ seed: 1 }), kernelRegularizer = tf.regularizers.l2({ l2: 0.01 })
  const input = tf.input({ shape: [8, 8, 3] })
  let x = layers.conv2d({ filters: 4, kernelSize: 3, kernelInitializer, kernelRegularizer }).apply(input) as tf.SymbolicTensor
  if (normalized) x = layers.batchNormalization({ momentum: 0.5 }).apply(x) as tf.SymbolicTensor
  x = layers.globalAveragePooling2d({}).apply(x) as tf.SymbolicTensor
  const head = layers.dense({ units: 3, activation: 'softmax', kernelInitializer })
  return tf.model({ inputs: input, outputs: head.apply(x) as tf.SymbolicTensor })
}

/** What is learned, by an engine whose memory is full with more than so many images. */
const objective = (most: number): Objective => ({
  loss(truth, prediction) {
    if (truth.shape[0]! > most) throw new OutOfMemory('out of memory')
    return tf.metrics.categoricalCrossentropy(truth, prediction)
  },
  metrics: { accuracy: (truth, prediction) => truth.argMax(-1).equal(prediction.argMax(-1)).toFloat() },
})
const batch = (count: number) => tf.tidy(() =>
  [tensorOf([count, 8, 8, 3]), tf.oneHot(tf.range(0, count, 1, 'int32').mod(tf.scalar(3, 'int32')), 3).toFloat()] as const)
const adam = () => optimizerFrom('adam', () => 0.01)
/** An optimizer that the engine does not know takes its steps operation by operation. */
const unknown = (optimizer: tf.Optimizer) => Object.assign(optimizer, { applyWith: undefined, getClassName: () => 'Unknown' })
const numbersOf = (model: tf.LayersModel) => model.getWeights().flatMap(weight => [...weight.dataSync()])

const engines = { tensorflow: withoutTensorFlow, wasm: false }
for (const [engine, skip] of Object.entries(engines)) describe(`on ${engine}`, { skip }, () => {
  test('a batch that is more than the memory holds is learned in parts, as if it were one', async () => {
    await tf.setBackend(engine)
    const learned = []
    for (const [most, make] of [[Infinity, adam], [4, adam], [4, () => unknown(adam())]] as const) {
      const model = net(), trainee = { whole: model, rest: model }, optimizer = make(), measured = []
      for (let step = 0; step < 3; step++) {
        const [x, y] = batch(step === 1 ? 7 : 10)
        measured.push(...await trainStep(trainee, objective(most), optimizer, [x], y, step),
          ...await testStep(trainee, objective(most), [x], y))
        tf.dispose([x, y])
      }
      learned.push({ measured, weights: numbersOf(model), steps: optimizer.iterations, most: mostAtOnce(trainee) })
      forgetFunctions(trainee)
    }
    const [whole, ...inParts] = learned
    assert.deepEqual([whole.most, whole.steps], [undefined, 3])
    for (const parts of inParts) {
      assert.deepEqual([parts.most, parts.steps], [3, 3])
      assert.ok(difference(parts.weights, whole.weights) < 1e-5, `weights ${difference(parts.weights, whole.weights)}`)
      assert.ok(difference(parts.measured, whole.measured) < 1e-5, `measures ${difference(parts.measured, whole.measured)}`)
    }
  })

  test('a step that is stopped between two parts has changed nothing, and leaves nothing', async () => {
    await tf.setBackend(engine)
    const model = net({ normalized: true }), trainee = { whole: model, rest: model }, optimizer = optimizerFrom('sgd', () => 0.1)
    const [x, y] = batch(9), limited = objective(3)
    await trainStep(trainee, limited, optimizer, [x], y, 1)
    const before = numbersOf(model), { numTensors } = tf.memory()
    let asked = 0
    assert.deepEqual(await trainStep(trainee, limited, optimizer, [x], y, 2, () => asked++ > 1), [])
    assert.deepEqual(numbersOf(model), before)
    assert.equal(tf.memory().numTensors, numTensors)
    await trainStep(trainee, limited, optimizer, [x], y, 2)
    assert.notDeepEqual(numbersOf(model), before)
    tf.dispose([x, y])
    forgetFunctions(trainee)
  })

  test('an image that is too much by itself is refused with the way out', async () => {
    await tf.setBackend(engine)
    const model = net(), trainee = { whole: model, rest: model }, [x, y] = batch(4)
    await assert.rejects(trainStep(trainee, objective(0), optimizerFrom('adam', () => 0.01), [x], y, 1), /out of memory/)
    tf.dispose([x, y])
    forgetFunctions(trainee)
  })
})

test('the memory of a step in parts is that of its largest part', async () => {
  await tf.setBackend('wasm')
  const bytes = []
  for (const most of [Infinity, 8]) {
    const model = net(), trainee = { whole: model, rest: model }, [x, y] = batch(64)
    bytes.push((await bytesOfStep(trainee, objective(most), optimizerFrom('sgd', () => 0.01), [x], y))!)
    tf.dispose([x, y])
    forgetFunctions(trainee)
  }
  assert.ok(bytes[1] < bytes[0] / 2, bytes.join())
})
