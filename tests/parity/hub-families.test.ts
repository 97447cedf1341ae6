import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import type * as tfTypes from '@tensorflow/tfjs'
import { lift } from '../../lib/lift/index.ts'
import { tf } from '../../lib/tf.ts'
import { made, make, noTensorFlow, relativeError } from '../fixtures/models/models.ts'

/** The other families of image networks, at 96 pixels: forward as TensorFlow, no opaque layer, and one training step. */
const models = [
  'efficientnet_b0_tf_keras',
  'efficientnet_v2_b0_tf_keras',
  'mobilenet_v3_large_tf_keras',
  'mobilenet_v3_small_tf_keras',
  'mobilenet_tf_keras',
  'densenet121_tf_keras',
  'nasnet_mobile_tf_keras',
  'xception_tf_keras',
  'resnet50_tf_keras',
  'vgg16_tf_keras',
  'convnext_tiny_tf_keras',
  'efficientnet_b0_keras3',
  'mobilenet_v3_large_keras3',
  'convnext_tiny_keras3',
  'bit_r50x1',
]
/** Keras's own list cannot be equalled where it nests models or holds operations as layers. */
const flattened = /convnext|mobilenet_v3|keras3|bit/
const skip =
  noTensorFlow ||
  (process.env.GRAFT_TEST_FAMILIES
    ? false
    : 'having TensorFlow write fifteen networks takes minutes: set GRAFT_TEST_FAMILIES=1; ' +
      'tests/unit/lib/lift holds the same blocks in small')
before(() => skip ? undefined : make(models))

for (const name of models) {
  test(name, { skip }, async () => {
    const { folder, x, inputShape, y, layers } = await made(name)
    const { model, report } = await lift(folder)
    assert.deepEqual(report.opaque, [])
    const images = tf.tensor(x, inputShape), error = relativeError((model.predict(images) as tfTypes.Tensor).dataSync(), y)
    assert.ok(error <= 1e-5, `relative error ${error}`)
    const row = (type: string, layer: string, shape: unknown) => [type, layer.replaceAll('/', '.'), shape]
    if (!flattened.test(name)) {
      assert.deepEqual(
        model.layers.map(layer => row(layer.getClassName(), layer.name, layer.outputShape)),
        layers!.map(l => row(l.class, l.name, l.shape)),
      )
    }
    model.compile({ optimizer: tf.train.sgd(1e-4), loss: 'meanSquaredError' })
    const loss = (await model.trainOnBatch(
      images,
      tf.zeros(model.outputs[0].shape.map((size, d) => (d ? size! : inputShape[0]))),
    )) as number
    assert.ok(Number.isFinite(loss), String(loss))
    model.dispose()
  })
}
