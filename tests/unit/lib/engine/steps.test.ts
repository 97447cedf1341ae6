import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { withoutTensorFlow } from './tensorflow/here.ts'
import { installHost, host } from '../../../../lib/host.ts'
import { tracer } from '../../../../lib/engine/start.ts'
import { tf } from '../../../../lib/tf.ts'
import { optimizerFrom } from '../../../../lib/train/optimizers.ts'
import { testStep, trainStep } from '../../../../lib/train/step.ts'
import { forgetFunctions, reasonAgainstOneFunction } from '../../../../lib/train/written.ts'
import { tensors } from '../../../../lib/data/tensors.ts'
import { train } from '../../../../lib/train/train.ts'
import { difference, tensorOf } from './numbers.ts'

const { layers } = tf
const seeded = (seed: number) => tf.initializers.heNormal({ seed })

// No bias before the normalization: its gradient is zero but for rounding, which Adam makes as large as any other.
function net({ rate = 0, extra }: { rate?: number, extra?: tf.layers.Layer } = {}): tf.LayersModel {
  const input = tf.input({ shape: [8, 8, 3] })
  let x = layers.conv2d({ filters: 6, kernelSize: 3, useBias: false, kernelInitializer: seeded(1) }).apply(input) as tf.SymbolicTensor
  x = layers.reLU({ maxValue: 6 }).apply(layers.batchNormalization({ momentum: 0.5 }).apply(x)) as tf.SymbolicTensor
  if (extra) x = extra.apply(x) as tf.SymbolicTensor
  x = layers.dropout({ rate }).apply(layers.globalAveragePooling2d({}).apply(x)) as tf.SymbolicTensor
  return tf.model({ inputs: input, outputs: layers.dense({ units: 3, activation: 'softmax', kernelInitializer: seeded(2) }).apply(x) as tf.SymbolicTensor })
}

const objective = {
  loss: (truth: tf.Tensor, prediction: tf.Tensor) => tf.metrics.categoricalCrossentropy(truth, prediction),
  metrics: { accuracy: (truth: tf.Tensor, prediction: tf.Tensor) => truth.argMax(-1).equal(prediction.argMax(-1)).toFloat() },
}
const batch = (count: number, seed = 1) => tf.tidy(() =>
  [tensorOf([count, 8, 8, 3], seed), tf.oneHot(tf.range(0, count, 1, 'int32').mod(tf.scalar(3, 'int32')), 3).toFloat()] as [tf.Tensor, tf.Tensor])
const weights = (model: tf.LayersModel) => model.getWeights().flatMap(weight => [...weight.dataSync()])

/** An optimizer that the engine does not know takes its steps operation by operation. */
const unknown = (optimizer: tf.Optimizer) => Object.assign(optimizer, { applyWith: undefined, getClassName: () => 'Unknown' })

/** A layer of the user's own. */
class Own extends layers.Layer {
  static className = 'Own'
  readonly work: (x: tf.Tensor) => tf.Tensor
  constructor(work: (x: tf.Tensor) => tf.Tensor) {
    super({})
    this.work = work
  }
  override call(inputs: tf.Tensor | tf.Tensor[]) { return this.work(Array.isArray(inputs) ? inputs[0] : inputs) }
}

for (const engine of ['tensorflow', 'wasm']) describe(`on ${engine}`, { skip: engine === 'tensorflow' && withoutTensorFlow }, () => {
  describe('a training step as one function gives what it gives operation by operation', () => {
    const makers: Record<string, () => tf.Optimizer> = {
      'Adam': () => optimizerFrom('adam', () => 0.01), 'AdamW': () => optimizerFrom('adamw', () => 0.01), 'RMSProp': () => optimizerFrom('rmsprop', () => 0.01), 'SGD': () => optimizerFrom('sgd', () => 0.1),
      'Nesterov, clipped, accumulated, averaged': () => optimizerFrom({ name: 'momentum', nesterov: true, globalClipNorm: 0.3, accumulate: 2, emaMomentum: 0.9 }, () => 0.1),
      'tf.train.sgd': () => tf.train.sgd(0.1), 'tf.train.momentum': () => tf.train.momentum(0.1, 0.9), 'tf.train.adam': () => tf.train.adam(0.01), 'tf.train.adamax': () => tf.train.adamax(0.01),
      'tf.train.rmsprop': () => tf.train.rmsprop(0.01), 'tf.train.adagrad': () => tf.train.adagrad(0.1), 'tf.train.adadelta': () => tf.train.adadelta(1),
    }
    for (const [name, make] of Object.entries(makers)) {
      test(name, async () => {
        await tf.setBackend(engine)
        const results = []
        for (const optimizer of [make(), unknown(make())]) {
          const model = net(), trainee = { whole: model, rest: model }, losses = []
          for (const [step, count] of [4, 4, 2, 4, 2].entries()) {
            const [x, y] = batch(count, step + 1)
            // A change of the learning rate between two steps.
            if (step === 3) Object.assign(optimizer, 'factor' in optimizer ? { factor: 0.1 } : optimizer)
            if (step === 3 && !('factor' in optimizer)) (optimizer as tf.SGDOptimizer).setLearningRate?.(0.001)
            if (step === 3 && 'learningRate' in optimizer && !('factor' in optimizer)) Object.assign(optimizer, { learningRate: 0.001 })
            losses.push(...await trainStep(trainee, objective, optimizer, [x], y, step))
          }
          assert.equal(optimizer.iterations, 5)
          results.push({ losses, weights: weights(model) })
          forgetFunctions(trainee)
        }
        const [traced, plain] = results
        // The same kernels in the same order; TensorFlow joins some of its own.
        if (engine === 'wasm') assert.deepEqual(traced, plain)
        assert.ok(difference(traced.losses, plain.losses) < 1e-4, `${traced.losses} and ${plain.losses}`)
        assert.ok(difference(traced.weights, plain.weights) < 1e-4, String(difference(traced.weights, plain.weights)))
      })
    }
  })

  test('dropout draws anew at each step, the same for the same seed', async () => {
    await tf.setBackend(engine)
    const model = net({ rate: 0.5 }), trainee = { whole: model, rest: model }, optimizer = optimizerFrom('sgd', () => 1e-30), [x, y] = batch(8)
    const loss = async (seed: number) => (await trainStep(trainee, objective, optimizer, [x], y, seed))[0]
    const losses = [await loss(1), await loss(2), await loss(3), await loss(1)]
    assert.equal(reasonAgainstOneFunction(trainee), undefined)
    assert.equal(losses[3], losses[0])
    assert.equal(new Set(losses).size, 3)
  })

  test('noise has its mean and deviation', async () => {
    await tf.setBackend(engine)
    const { write } = tracer()!, x = tf.ones([40_000]), seeds = tf.tensor1d([5, 0], 'int32')
    const noisy: [tf.layers.Layer, mean: number, deviation: number][] = [
      [layers.dropout({ rate: 0.25 }), 1, Math.sqrt(0.25 / 0.75)], [layers.gaussianNoise({ stddev: 0.3 }), 1, 0.3], [layers.gaussianDropout({ rate: 0.2 }), 1, Math.sqrt(0.2 / 0.8)], [layers.alphaDropout({ rate: 0.1 }), NaN, NaN],
    ]
    for (const [layer, mean, deviation] of noisy) {
      const function_ = write([x, seeds], trace => {
        trace.seed = seeds
        return [layer.apply(x, { training: true }) as tf.Tensor]
      })
      const [y] = await function_.call([x, seeds]), moments = tf.moments(y)
      if (!Number.isNaN(mean)) {
        assert.ok(Math.abs(moments.mean.arraySync() as number - mean) < 0.02, layer.getClassName())
        assert.ok(Math.abs(Math.sqrt(moments.variance.arraySync() as number) - deviation) < 0.02, layer.getClassName())
      } else {
        // Self-normalizing: two values, the kept one and the saturated one (Klambauer et al., section 1).
        assert.equal(new Set(y.dataSync()).size, 2)
      }
    }
  })

  test('a step that is stopped has changed nothing, and the next one goes on', async () => {
    await tf.setBackend(engine)
    const model = net(), trainee = { whole: model, rest: model }, optimizer = optimizerFrom('adam', () => 0.01), [x, y] = batch(4)
    await trainStep(trainee, objective, optimizer, [x], y, 1)
    const [wide] = batch(3000), truth = tf.oneHot(tf.zeros([3000], 'int32'), 3).toFloat(), before = weights(model)
    let asked = 0
    assert.deepEqual(await trainStep(trainee, objective, optimizer, [wide], truth, 2, () => asked++ > 0), [])
    assert.deepEqual(weights(model), before)
    assert.equal(optimizer.iterations, 1)
    assert.equal((await trainStep(trainee, objective, optimizer, [x], y, 3)).length, 2)
    assert.notDeepEqual(weights(model), before)
  })

  for (const [title, work, reason] of [
    ['looks at values', (x: tf.Tensor) => x.mul(x.max().dataSync()[0] > 0 ? 1 : 2), /reads values on the way/],
    ['draws random numbers', (x: tf.Tensor) => x.mul(tf.randomUniform([1], 0.9, 1)), /draws random numbers/],
  ] as const) test(`a layer that ${title} is run operation by operation, and the reason is known`, async () => {
    await tf.setBackend(engine)
    const model = net({ extra: new Own(work) }), trainee = { whole: model, rest: model }, [x, y] = batch(4), before = weights(model)
    assert.equal((await trainStep(trainee, objective, optimizerFrom('adam', () => 0.01), [x], y, 1)).length, 2)
    assert.match(reasonAgainstOneFunction(trainee)!, reason)
    assert.notDeepEqual(weights(model), before)
  })

  test('layers that are frozen between two steps stay as they are', async () => {
    await tf.setBackend(engine)
    const model = net(), trainee = { whole: model, rest: model }, optimizer = optimizerFrom('adam', () => 0.01), [x, y] = batch(4)
    await trainStep(trainee, objective, optimizer, [x], y, 1)
    for (const layer of model.layers.slice(0, -1)) layer.trainable = false
    const frozen = () => model.layers.slice(0, -1).flatMap(layer => layer.getWeights().flatMap(weight => [...weight.dataSync()])), before = frozen()
    await trainStep(trainee, objective, optimizer, [x], y, 2)
    assert.deepEqual(frozen(), before)
  })

  test('variables that began as one tensor part', async () => {
    await tf.setBackend(engine)
    const { write } = tracer()!, start = tf.tensor1d([1, 2]), [a, b] = [tf.variable(start), tf.variable(start)]
    const step = write([], () => {
      a.assign(a.add(1))
      b.assign(b.mul(3))
      return [a.add(start)]
    })
    step.callNow([])
    const [sum] = step.callNow([])
    assert.deepEqual([a.arraySync(), b.arraySync(), start.arraySync(), sum.arraySync()], [[3, 4], [9, 18], [1, 2], [4, 6]])
  })

  test('nothing grows over hundreds of steps, stopped ones and several shapes among them', async () => {
    await tf.setBackend(engine)
    const model = net({ rate: 0.3 }), trainee = { whole: model, rest: model }, optimizer = optimizerFrom('adam', () => 1e-3), counts = []
    for (let i = 0; i < 300; i++) {
      const [x, y] = batch(1 + i % 3)
      await trainStep(trainee, objective, optimizer, [x], y, i, i % 50 === 49 ? () => true : undefined)
      await testStep(trainee, objective, [x], y)
      tf.dispose([x, y])
      if (i === 99 || i === 299) counts.push([tf.memory().numTensors, tf.backend().numDataIds()])
    }
    const [[tensors, held], [later, heldLater]] = counts
    assert.equal(later, tensors)
    // What tests before this one left to the garbage collector may go meanwhile.
    assert.ok(heldLater <= held, `${heldLater} values after ${held}`)
    forgetFunctions(trainee)
  })

  test('a model that is disposed of after its training leaves no tensor', async () => {
    await tf.setBackend(engine)
    const [x, y] = batch(8), before = tf.memory().numTensors
    for (let i = 0; i < 2; i++) {
      const model = net(), optimizer = tf.train.sgd(0.1)
      model.compile({ optimizer, loss: 'categoricalCrossentropy' })
      await model.fit(x, y, { epochs: 2, batchSize: 4, verbose: 0 })
      model.dispose()
      optimizer.dispose()
    }
    assert.equal(tf.memory().numTensors, before)
  })

  describe('model.fit', () => {
    const data = () => batch(10)
    const compiled = (optimizer: tf.Optimizer) => {
      const model = net()
      model.compile({ optimizer, loss: 'categoricalCrossentropy', metrics: ['accuracy'] })
      return model
    }
    const close = (a: number[], b: number[]) => assert.ok(difference(a, b) < 1e-4, `${a} and ${b}`)

    test('has the history and the weights of fit operation by operation: a short last batch, validation, a learning rate that changes', async () => {
      await tf.setBackend(engine)
      const [x, y] = data(), results = []
      for (const optimizer of [tf.train.adam(0.01), unknown(tf.train.adam(0.01))]) {
        const model = compiled(optimizer), batches: number[] = []
        const { history } = await model.fit(x, y, {
          epochs: 3, batchSize: 4, shuffle: false, verbose: 0, validationData: [x, y],
          callbacks: { onBatchEnd: (_batch, logs) => { batches.push(logs!.loss) }, onEpochEnd(epoch) { if (epoch === 1) Object.assign(optimizer, { learningRate: 1e-6 }) } },
        })
        results.push({ history, batches, weights: weights(model) })
        assert.equal(optimizer.iterations, 9)
      }
      const [one, many] = results
      for (const name of ['loss', 'acc', 'val_loss', 'val_acc']) close(one.history[name] as number[], many.history[name] as number[])
      close(one.batches, many.batches)
      close(one.weights, many.weights)
    })

    test('lets timers run during its steps; fitDataset and trainOnBatch train too', async () => {
      await tf.setBackend(engine)
      const model = compiled(tf.train.sgd(0.1)), [x, y] = data(), before = weights(model)
      const set = tf.data.generator(function * () { for (let i = 0; i < 3; i++) yield { xs: x.clone(), ys: y.clone() } } as never)
      const { history } = await model.fitDataset(set as never, { epochs: 2, verbose: 0 })
      assert.ok((history.loss[1] as number) < (history.loss[0] as number))
      assert.notDeepEqual(weights(model), before)
      const [loss] = await model.trainOnBatch(x, y) as number[]
      assert.ok(loss < (history.loss[1] as number))
    })

    test('is stopped within a step by an interrupt, and can be called again', async () => {
      await tf.setBackend(engine)
      const own = host(), abort = new AbortController(), model = compiled(tf.train.sgd(0.1)), x = tensorOf([64, 8, 8, 3]), y = tf.oneHot(tf.zeros([64], 'int32'), 3).toFloat()
      installHost({ ...own, signal: abort.signal })
      try {
        const fit = model.fit(x, y, { epochs: 10_000, batchSize: 32, verbose: 0, callbacks: { onBatchEnd(batch) { if (batch === 1) abort.abort(new Error('enough')) } } })
        await assert.rejects(fit, /enough/)
      } finally {
        installHost(own)
      }
      const { history } = await model.fit(x, y, { epochs: 1, verbose: 0 })
      assert.ok(Number.isFinite(history.loss[0]))
    })

    test('a model of a step that cannot be one function says so once, and trains', async () => {
      await tf.setBackend(engine)
      const own = host(), said: string[] = [], model = net({ extra: new Own(x => x.mul(x.max().dataSync()[0])) })
      model.compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy' })
      installHost({ ...own, signal: own.signal, display: bundle => { said.push(String(bundle['text/plain'])) } })
      try {
        await model.fit(...data(), { epochs: 2, verbose: 0 })
      } finally {
        installHost(own)
      }
      assert.deepEqual(said, ['Each step of this training runs operation by operation, not as one function, since the step reads values on the way.'])
    })
  })

  describe('train', () => {
    const digits = () => tf.tidy(() => tf.tensor(Float32Array.from({ length: 40 * 192 }, (_, i) => (Math.floor(i / 192) % 3) / 2 + 0.3 * Math.sin(i)), [40, 8, 8, 3])) as tf.Tensor4D
    const labels = Array.from({ length: 40 }, (_, i) => i % 3)

    test('the same seed gives the same history; running means are the weights at the end', async () => {
      await tf.setBackend(engine)
      const set = await tensors(digits(), labels, { validation: 0.25 }), histories = []
      for (let i = 0; i < 2; i++) {
        const run = await train(net({ rate: 0.3 }), set, { epochs: 3, batch: 8, show: false, optimizer: { name: 'adam', emaMomentum: 0.5 } })
        histories.push(run.history)
        assert.match(run.engine, engine === 'wasm' ? /^WASM/ : /^TensorFlow 2\./)
        assert.match(run.notes.join(), /running means/)
      }
      assert.deepEqual(histories[1], histories[0])
    })

    test('a run that is stopped ends within its step; the reason why steps are not one function is in its notes', async () => {
      await tf.setBackend(engine)
      const set = await tensors(digits(), labels)
      const training = train(net(), set, { epochs: 100_000, batch: 8, show: false })
      setTimeout(() => training.stop(), 300)
      assert.equal((await training).stopped, 'stopped')
      const run = await train(net({ extra: new Own(x => x.mul(x.max().dataSync()[0])) }), set, { epochs: 1, show: false })
      assert.match(run.notes.join(), /operation by operation, not as one function, since the step reads values on the way\./)
    })
  })
})

test('plain JavaScript trains no convolutions unasked, and a dense head', async () => {
  await tf.setBackend('cpu')
  const [x, y] = batch(4), model = net()
  await assert.rejects(trainStep({ whole: model, rest: model }, objective, optimizerFrom('sgd', () => 0.1), [x], y, 1), /plain JavaScript would take .+ await tf\.setBackend\('(wasm|tensorflow)'\)/)
  model.compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy' })
  await assert.rejects(model.fit(x, y, { verbose: 0 }), /plain JavaScript would take/)
  const head = tf.sequential({ layers: [layers.dense({ units: 3, activation: 'softmax', inputShape: [8] })] })
  const [loss] = await trainStep({ whole: head, rest: head }, objective, optimizerFrom('sgd', () => 0.1), [tf.ones([4, 8])], y, 1)
  assert.ok(Number.isFinite(loss))
})
