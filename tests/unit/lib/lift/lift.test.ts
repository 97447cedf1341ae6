import assert from 'node:assert/strict'
import { test } from 'node:test'
import type * as tfTypes from '@tensorflow/tfjs'
import { lift } from '../../../../lib/lift/index.ts'
import { tf } from '../../../../lib/tf.ts'
import { relativeError, thin } from '../../../fixtures/models/models.ts'

const layouts = [
  ['thin_slim', 'slim', '__call__'],
  ['thin_tf1', 'tf1', 'default'],
  ['thin_tf_keras', 'tf_keras', '__call__'],
  ['thin_keras3', 'keras3', 'serve'],
  ['blocks_tf_keras', 'tf_keras', '__call__'],
  ['blocks_keras3', 'keras3', 'serve'],
  ['unnamed_tf_keras', 'tf_keras', '__call__'],
] as const

for (const [name, layout, callable] of layouts) {
  test(`${name}: equals TensorFlow, no opaque layer`, async () => {
    const { folder, x, inputShape, y, outputShape } = await thin(name)
    const { model, report } = await lift(folder)
    const output = model.predict(tf.tensor(x, inputShape)) as tfTypes.Tensor
    assert.deepEqual(output.shape, outputShape)
    const error = relativeError(output.dataSync(), y)
    assert.ok(error <= 1e-6, `relative error ${error}`)
    assert.deepEqual([report.layout, report.callable, report.opaque, report.notes], [layout, callable, [], []])
    assert.deepEqual([report.layers, report.parameters], [model.layers.length, model.countParams()])
  })
}

test('slim: layers are named by their scopes', async () => {
  const { model } = await lift((await thin('thin_slim')).folder)
  assert.deepEqual(model.layers.slice(0, 11).map(layer => `${layer.getClassName()} ${layer.name}`), [
    'InputLayer inputs', 'Rescaling hub_input.Mul',
    'Conv2D MobilenetV2.Conv', 'BatchNormalization MobilenetV2.Conv.BatchNorm', 'ReLU MobilenetV2.Conv.Relu6',
    'DepthwiseConv2D MobilenetV2.expanded_conv.depthwise', 'BatchNormalization MobilenetV2.expanded_conv.depthwise.BatchNorm',
    'ReLU MobilenetV2.expanded_conv.depthwise.Relu6',
    'Conv2D MobilenetV2.expanded_conv.project', 'BatchNormalization MobilenetV2.expanded_conv.project.BatchNorm',
    'Conv2D MobilenetV2.expanded_conv_1.expand',
  ])
  assert.equal(model.layers.at(-1)!.getClassName(), 'GlobalAveragePooling2D')
})

for (const name of ['thin_tf_keras', 'thin_keras3', 'blocks_tf_keras', 'blocks_keras3', 'unnamed_tf_keras']) {
  test(`${name}: class, name and shape of each layer are Keras's`, async () => {
    const { folder, layers } = await thin(name)
    const { model } = await lift(folder)
    // A Keras 3 export tells neither the input layer's name nor, having no trace for training, where dropout stood.
    const told = layers!.filter(layer => name.endsWith('tf_keras') || layer.class !== 'Dropout')
    const expected = told.map(layer => [
      layer.class,
      layer.class === 'InputLayer' && name.endsWith('keras3') ? 'keras_tensor' : layer.name,
      layer.shape,
    ])
    assert.deepEqual(model.layers.map(layer => [layer.getClassName(), layer.name, layer.outputShape]), expected)
  })
}

test('the trace for training gives batch normalization its momentum and dropout its place and rate', async () => {
  const momenta = async (name: string) => {
    const { model } = await lift((await thin(name)).folder)
    return [
      ...new Set(
        model.layers.filter(layer => layer.getClassName() === 'BatchNormalization').map(layer => layer.getConfig().momentum),
      ),
    ]
  }
  assert.deepEqual([await momenta('thin_slim'), await momenta('thin_tf_keras')], [[0.997], [0.999, 0.99]])
  const { folder, x, inputShape } = await thin('thin_tf_keras'), { model } = await lift(folder)
  assert.deepEqual(
    [model.getLayer('drop').getConfig().rate, model.getLayer('drop').inboundNodes[0].inboundLayers[0].name],
    [0.2, 'join'],
  )
  const draw = () => Array.from((model.apply(tf.tensor(x, inputShape), { training: true }) as tfTypes.Tensor).dataSync())
  assert.notDeepEqual(draw(), draw())
})

test('a configuration holds Keras\'s initializers, not the published weights', async () => {
  const { model } = await lift((await thin('thin_tf_keras')).folder)
  const names = model.layers
    .map(layer => layer.getConfig())
    .flatMap(config =>
      Object.entries(config)
        .filter(([key]) => key.endsWith('Initializer'))
        .map(([key, value]) => `${key} ${(value as { className: string }).className}`),
    )
  assert.deepEqual([...new Set(names)].sort(), [
    'betaInitializer Zeros',
    'biasInitializer Zeros',
    'depthwiseInitializer VarianceScaling',
    'gammaInitializer Ones',
    'kernelInitializer VarianceScaling',
    'movingMeanInitializer Zeros',
    'movingVarianceInitializer Ones',
  ])
})

test('operations without a Keras layer become layers of one operation, reported and trainable', async () => {
  const { folder, x, inputShape, y } = await thin('unusual')
  const { model, report } = await lift(folder)
  assert.ok(relativeError((model.predict(tf.tensor(x, inputShape)) as tfTypes.Tensor).dataSync(), y) <= 1e-6)
  assert.deepEqual(report.opaque, [
    { layer: 'wave.Sin', op: 'Sin' },
    { layer: 'mul', op: 'Mul' },
    { layer: 'turn.ReverseV2', op: 'ReverseV2' },
  ])
  assert.deepEqual(
    model.layers.map(layer => `${layer.getClassName()} ${layer.name}`),
    [
      'InputLayer images',
      'Conv2D conv',
      'TensorFlowOp wave.Sin',
      'TensorFlowOp mul',
      'TensorFlowOp turn.ReverseV2',
      'GlobalAveragePooling2D pool.Mean',
    ],
  )
  const factor = model.getLayer('mul').trainableWeights[0],
    before = Array.from(factor.read().dataSync())
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
  await model.fit(tf.tensor(x, inputShape), tf.zeros([2, 4]), { verbose: 0 })
  assert.notDeepEqual(Array.from(factor.read().dataSync()), before)
  const copy = await tf.models.modelFromJSON(JSON.parse(model.toJSON() as string) as object as tfTypes.io.ModelJSON)
  copy.setWeights(model.getWeights())
  const outputs = [copy, model].map(net => Array.from((net.predict(tf.tensor(x, inputShape)) as tfTypes.Tensor).dataSync()))
  assert.deepEqual(outputs[0], outputs[1])
})

test('a size that is known only when it runs: the operation takes the arithmetic on it along', async () => {
  const { folder, x, inputShape, y } = await thin('sized'), { model, report } = await lift(folder)
  assert.ok(relativeError((model.predict(tf.tensor(x, inputShape)) as tfTypes.Tensor).dataSync(), y) <= 1e-6)
  assert.deepEqual(report.opaque.map(({ op }) => op), ['ResizeBilinear'])
  assert.deepEqual(model.layers.map(layer => layer.getClassName()),
    ['InputLayer', 'Conv2D', 'Conv2D', 'TensorFlowOp', 'Add', 'GlobalAveragePooling2D'])
  assert.deepEqual((model.predict(tf.zeros([1, 11, 17, 3])) as tfTypes.Tensor).shape, [1, 4])
})

test('a graph that cannot be taken apart is one layer, which says so, trains and can be saved', async () => {
  const { folder, x, inputShape, y } = await thin('batches'), { model, report } = await lift(folder), image = tf.tensor(x, inputShape)
  const output = () => Array.from((model.predict(image) as tfTypes.Tensor).dataSync())
  assert.ok(relativeError(output(), y) <= 1e-6)
  assert.deepEqual(model.layers.map(layer => layer.getClassName()), ['InputLayer', 'TensorFlowOp'])
  assert.deepEqual(report.opaque.map(({ op }) => op), ['a whole graph of 5 operations'])
  assert.match(report.notes[0], /could not be taken apart into layers/)
  const before = output()
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
  await model.fit(image, tf.ones([2, 4]), { verbose: 0 })
  assert.notDeepEqual(output(), before)
  const copy = await tf.models.modelFromJSON(JSON.parse(model.toJSON() as string) as object as tfTypes.io.ModelJSON)
  copy.setWeights(model.getWeights())
  assert.deepEqual(Array.from((copy.predict(image) as tfTypes.Tensor).dataSync()), output())
})

test('penalties on weights are those of the published model; of a frozen layer there are none', async () => {
  const { folder, layers } = await thin('penalized_tf_keras'), { model } = await lift(folder)
  const penalty = (value: unknown) => {
    const { l1 = 0, l2 = 0 } = (value as { config: { l1?: number, l2?: number } } | null)?.config ?? {}
    return [l1, l2].map(n => Number(n.toPrecision(6)))
  }
  let compared = 0
  for (const { name, config } of layers!) {
    const lifted = model.getLayer(name === layers![0].name ? model.layers[0].name : name).getConfig()
    for (const [key, value] of Object.entries(config).filter(([key]) => /^(kernel|depthwise|bias|gamma|beta)_regularizer$/.test(key))) {
      if (name === 'depthwise' && key.startsWith('kernel')) continue
      assert.deepEqual(penalty(lifted[key.replace('_r', 'R')]), penalty(value), `${name} ${key}`)
      compared += penalty(value).some(n => n > 0) ? 1 : 0
    }
  }
  assert.equal(compared, 5)
  const total = () => model.calculateLosses().reduce((sum, loss) => sum + loss.dataSync()[0], 0), whole = total()
  model.getLayer('top').trainable = false
  assert.ok(total() < whole, `${total()} of ${whole}`)
})

test('an operation that cannot be run is named', async () => {
  await assert.rejects(lift((await thin('impossible')).folder), {
    name: 'GraftError',
    message: /operation Betainc \('beta\/Betainc'\) of the model cannot be opened as a layer/,
  })
})

test('a signature of the user\'s choice', async () => {
  const { folder, x, inputShape, y } = await thin('thin_tf_keras')
  const { model, report } = await lift(folder, { signature: 'serving_default', name: 'mine' })
  assert.deepEqual([report.callable, model.name], ['serving_default', 'mine'])
  assert.ok(relativeError((model.predict(tf.tensor(x, inputShape)) as tfTypes.Tensor).dataSync(), y) <= 1e-6)
})

test('a lifted model trains: the loss falls and every kernel moves', async () => {
  const { folder, x, inputShape } = await thin('thin_slim')
  const { model } = await lift(folder)
  const kernels = model.trainableWeights.filter(weight => weight.originalName.endsWith('kernel'))
  const before = kernels.map(weight => Array.from(weight.read().dataSync()))
  model.compile({ optimizer: tf.train.sgd(0.01), loss: 'meanSquaredError' })
  const { history } = await model.fit(tf.tensor(x, inputShape), tf.zeros([2, 24]), { epochs: 3, verbose: 0 })
  assert.ok((history.loss[2] as number) < (history.loss[0] as number), String(history.loss))
  assert.equal(kernels.length, 13)
  kernels.forEach((weight, i) => assert.notDeepEqual(Array.from(weight.read().dataSync()), before[i], weight.originalName))
})

test('nothing is left behind: lifting and disposing returns to the tensors there were', async () => {
  const { folder } = await thin('thin_slim')
  ;(await lift(folder)).model.dispose()
  const before = tf.memory().numTensors
  ;(await lift(folder)).model.dispose()
  assert.equal(tf.memory().numTensors, before)
})
