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
import { gradients, made, make, noTensorFlow, relativeError } from '../fixtures/models/models.ts'
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
  ...(process.env.GRAFT_TEST_FAMILIES
    ? [
        'mobilenet_v2_slim_logits',
        'mobilenet_v2_tf_keras_metadata',
        'inception_v3_keras3',
        'inception_v3_tf1',
        'resnet50_v2_keras3',
      ]
    : []),
]
before(() => make(models))

for (const name of models) {
  test(`${name} at full size equals TensorFlow`, { skip: noTensorFlow }, async () => {
    const { folder, x, inputShape, y, outputShape, layers } = await made(name)
    const { model, report } = await lift(folder)
    assert.deepEqual(report.opaque, [])
    const output = model.predict(tf.tensor(x, inputShape)) as tfTypes.Tensor
    assert.deepEqual(output.shape, outputShape)
    const error = relativeError(output.dataSync(), y)
    assert.ok(error <= 1e-5, `relative error ${error}`)
    if (layers) {
      // A Keras 3 export does not tell the input layer's name.
      const row = (type: string, layer: string, shape: unknown) => [type, type === 'InputLayer' ? 'input' : layer, shape]
      assert.deepEqual(model.layers.map(layer => row(layer.getClassName(), layer.name, layer.outputShape)),
        layers.map(layer => row(layer.class, layer.name, layer.shape)), 'class, name and shape of each layer are Keras\'s')
    }
  })
}

// In deep random networks some maxima and linear units at zero fall to one side or the other by rounding, and with them where the
// gradient goes.
for (const [name, bound] of [
  ['mobilenet_v2_tf_keras', 1e-4],
  ['resnet50_v2_tf_keras', 2e-3],
  ['inception_v3_tf_keras', 2e-3],
] as const) {
  test(`${name}: the gradient of every weight equals TensorFlow's`, { skip: noTensorFlow }, async () => {
    const {
        folder,
        x,
        inputShape: [, ...size],
      } = await made(name),
      expected = await gradients(name)
    const { model } = await lift(folder),
      image = tf.tensor(
        x.subarray(
          0,
          size.reduce((a, b) => a * b, 1),
        ),
        [1, ...size],
      )
    const variables = model.layers.flatMap(layer =>
      (layer.trainableWeights as unknown as { originalName: string; val: tfTypes.Variable }[]).map(
        weight => [weight.originalName, weight.val] as const,
      ),
    )
    assert.deepEqual(variables.map(([variable]) => variable).sort(), [...expected.keys()].sort())
    const { grads } = tf.variableGrads(
      () => tf.sum(model.apply(image) as tfTypes.Tensor),
      variables.map(([, value]) => value),
    )
    for (const [variable, value] of variables) {
      const error = relativeError(grads[value.name].dataSync(), expected.get(variable)!)
      assert.ok(error <= bound, `${variable}: relative error ${error}`)
    }
  })
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
