import assert from 'node:assert/strict'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { before, test } from 'node:test'
import type * as tfTypes from '@tensorflow/tfjs'
import { cardOf } from '../../lib/card.ts'
import { hub } from '../../lib/hub/index.ts'
import { lift } from '../../lib/lift/index.ts'
import { tf } from '../../lib/tf.ts'
import { type Gradients, gradients, made, make, noTensorFlow, relativeError } from '../fixtures/models/models.ts'
import { startMirror } from '../mirror/server.ts'

/**
 * The networks of the walkthroughs at full size, in the layouts TensorFlow Hub publishes: each must equal TensorFlow and hold no
 * opaque layer.
 */
const models = [
  'mobilenet_v2_slim',
  'mobilenet_v2_tf_keras',
  'mobilenet_v2_keras3',
  'mobilenet_v2_tf1',
  'inception_v3_slim',
  'inception_v3_tf_keras',
  'resnet_v2_50_slim',
  'resnet50_v2_tf_keras',
  'mobilenet_v2_slim_logits',
  'inception_v3_keras3',
  'inception_v3_tf1',
  'resnet50_v2_keras3',
  'resnet_v2_50_tf1',
  ...(process.env.GRAFT_TEST_FAMILIES
    ? ['mobilenet_v2_tf_keras_metadata']
    : []),
]
before(() => make(models))

for (const name of models) {
  test(`${name} at full size equals TensorFlow`, { skip: noTensorFlow }, async t => {
    const { folder, x, inputShape, y, outputShape, layers } = await made(name)
    const { model, report } = await lift(folder)
    assert.deepEqual(report.opaque, [])
    const output = model.predict(tf.tensor(x, inputShape)) as tfTypes.Tensor
    assert.deepEqual(output.shape, outputShape)
    const error = relativeError(output.dataSync(), y)
    assert.ok(error <= 1e-5, `relative error ${error}`)
    t.after(() => model.dispose())
    if (layers) {
      // A Keras 3 export does not tell the input layer's name.
      const row = (type: string, layer: string, shape: unknown) => [type, type === 'InputLayer' ? 'input' : layer, shape]
      assert.deepEqual(model.layers.map(layer => row(layer.getClassName(), layer.name, layer.outputShape)),
        layers.map(layer => row(layer.class, layer.name, layer.shape)), 'class, name and shape of each layer are Keras\'s')
    }
  })
}

/** All twelve take minutes: by default one of each architecture, and one of each way of writing batch normalization. */
const backwards = process.env.GRAFT_TEST_FAMILIES
  ? models.filter(name => !/metadata|logits/.test(name))
  : ['mobilenet_v2_slim', 'mobilenet_v2_keras3', 'resnet50_v2_tf_keras', 'inception_v3_slim']

for (const name of backwards) {
  test(`${name}: the gradient of every weight equals TensorFlow's`, { skip: noTensorFlow }, async () => {
    const { folder, x, inputShape: [, ...size] } = await made(name), { variables, kinks } = await gradients(name)
    const { model } = await lift(folder), image = tf.tensor(x.subarray(0, size.reduce((a, b) => a * b, 1)), [1, ...size])
    const weights = (model.trainableWeights as unknown as { originalName: string, val: tfTypes.Variable }[])
    const { grads } = tf.variableGrads(() => {
      const y = onTheSameSide(model, image, kinks)
      return tf.sum(tf.mul(y, tf.reshape(tf.cos(tf.range(0, y.size)), y.shape)))
    }, weights.map(weight => weight.val))
    assert.equal(weights.length, variables.length)
    const values = weights.map(weight => weight.val.dataSync())
    for (const { shape, begin, gradient } of variables) {
      const at = values.findIndex(v => v.length === gradient.length && begin.every((number, i) => number === v[i % v.length]))
      assert.ok(at >= 0, `a variable of shape [${shape}] is no weight of the model`)
      const error = relativeError(grads[weights[at].val.name].dataSync(), gradient)
      assert.ok(error <= 1e-4, `${weights[at].originalName}: relative error ${error}`)
    }
    tf.dispose(grads)
    model.dispose()
  })
}

/**
 * The model's output, layer by layer, where each linear unit and each maximum is given the very numbers that TensorFlow's was: in
 * a deep network some lie so near a kink that rounding decides on which side, and with it where the gradient goes.
 */
function onTheSameSide(model: tfTypes.LayersModel, image: tfTypes.Tensor, kinks: Gradients['kinks']): tfTypes.Tensor {
  const results = new Map<tfTypes.SymbolicTensor, tfTypes.Tensor>([[model.inputs[0], image]])
  for (const layer of model.layers) {
    const [node] = layer.inboundNodes, kind = layer.getClassName(), { activation } = layer.getConfig()
    if (kind === 'InputLayer') continue
    let inputs = node.inputTensors.map(tensor => results.get(tensor)!)
    if (/^(ReLU|MaxPooling2D)$/.test(kind) || activation === 'relu') inputs = [exactly(inputs[0], kinks, layer.name)]
    results.set(node.outputTensors[0], layer.apply(inputs.length === 1 ? inputs[0] : inputs) as tfTypes.Tensor)
  }
  return results.get(model.outputs[0])!
}

/** TensorFlow's numbers where ours are the same but for rounding; the gradient goes on through ours. */
function exactly(ours: tfTypes.Tensor, kinks: Gradients['kinks'], where: string): tfTypes.Tensor {
  const numbers = ours.dataSync()
  const few = (values: ArrayLike<number>) => Array.from({ length: 500 }, (_, i) => values[i * 97 % values.length])
  const found = kinks.find(({ values }) => values.length === numbers.length && relativeError(few(numbers), few(values)) <= 1e-5)
  assert.ok(found && relativeError(numbers, found.values) <= 1e-5, `what flows into '${where}' is not TensorFlow's`)
  const theirs = tf.tensor(found.values, ours.shape)
  return tf.customGrad(() => ({ value: theirs, gradFunc: dy => dy as tfTypes.Tensor }))(ours)
}

test('a full-size model from a mirror: downloaded once, then found in the cache', { skip: noTensorFlow }, async () => {
  const { folder, x, inputShape, y } = await made('mobilenet_v2_slim')
  const handle = 'https://tfhub.dev/google/tf2-preview/mobilenet_v2/feature_vector/4', path = new URL(handle).pathname
  const mirror = await startMirror({ [path]: folder }), environment = { ...process.env }
  Object.assign(process.env, { GRAFT_HUB_MIRROR: mirror.url, GRAFT_CACHE_DIR: await mkdtemp(join(tmpdir(), 'graft-')) })
  try {
    const base = await hub.load(handle), again = await hub.load(handle), fresh = await hub.load(handle, { fresh: true })
    assert.equal(base, again)
    assert.notEqual(base, fresh)
    assert.deepEqual(mirror.requests.map(({ path: p, format }) => [p, format]), [[path, 'compressed']])
    const card = cardOf(base)!
    assert.deepEqual(
      [base.name, card.handle, card.layout, card.size, card.range, card.notes],
      ['mobilenet_v2', handle, 'slim', [224, 224], [0, 1], []],
    )
    const error = relativeError((base.predict(tf.tensor(x, inputShape)) as tfTypes.Tensor).dataSync(), y)
    assert.ok(error <= 1e-5, `relative error ${error}`)
  } finally {
    process.env = environment
    await mirror.close()
  }
})
