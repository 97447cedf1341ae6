import assert from 'node:assert/strict'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type * as tfTypes from '@tensorflow/tfjs'
import { cardOf } from '../../lib/card.ts'
import { hub } from '../../lib/hub/index.ts'
import { lift } from '../../lib/lift/index.ts'
import { tf } from '../../lib/tf.ts'
import { made, noTensorFlow, relativeError } from '../fixtures/models/models.ts'
import { startMirror } from '../mirror/server.ts'

/** Full-size networks in the layouts TensorFlow Hub publishes: each must equal TensorFlow and hold no opaque layer. */
const models = ['mobilenet_v2_slim', 'mobilenet_v2_slim_logits', 'mobilenet_v2_tf_keras', 'mobilenet_v2_tf_keras_metadata']

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
      const rows = model.layers.map(layer => [layer.getClassName(), layer.name, layer.outputShape])
      assert.deepEqual(rows, layers.map(layer => [layer.class, layer.name, layer.shape]), 'class, name and shape of each layer are Keras\'s')
    }
  })
}

test('a full-size model from a mirror: downloaded once, then found in the cache', { skip: noTensorFlow }, async () => {
  const { folder, x, inputShape, y } = await made('mobilenet_v2_slim')
  const handle = 'https://tfhub.dev/google/tf2-preview/mobilenet_v2/feature_vector/4', path = new URL(handle).pathname
  const mirror = await startMirror({ [path]: folder }), before = { ...process.env }
  Object.assign(process.env, { GRAFT_HUB_MIRROR: mirror.url, GRAFT_CACHE_DIR: await mkdtemp(join(tmpdir(), 'graft-')) })
  try {
    const base = await hub.load(handle), again = await hub.load(handle), fresh = await hub.load(handle, { fresh: true })
    assert.equal(base, again)
    assert.notEqual(base, fresh)
    assert.deepEqual(mirror.requests.map(({ path: p, format }) => [p, format]), [[path, 'compressed']])
    const card = cardOf(base)!
    assert.deepEqual([base.name, card.handle, card.layout, card.size, card.range, card.notes], ['mobilenet_v2', handle, 'slim', [224, 224], [0, 1], []])
    const error = relativeError((base.predict(tf.tensor(x, inputShape)) as tfTypes.Tensor).dataSync(), y)
    assert.ok(error <= 1e-5, `relative error ${error}`)
  } finally {
    process.env = before
    await mirror.close()
  }
})
