import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { frozenPrefix } from '../../../lib/engine/prefix.ts'
import { hub } from '../../../lib/hub/index.ts'
import { made, noTensorFlow } from '../../fixtures/models/models.ts'
import { difference } from '../../unit/lib/engine/numbers.ts'

describe('a frozen full-size model runs whole in ONNX Runtime and gives what TensorFlow gives', { skip: noTensorFlow }, () => {
  for (const name of ['mobilenet_v2_slim', 'mobilenet_v2_tf_keras', 'resnet50_v2_tf_keras', 'inception_v3_slim']) {
    test(name, async () => {
      const { folder, x, y, inputShape } = await made(name), model = await hub.load(folder)
      model.trainable = false
      const prefix = frozenPrefix(model)!, [features] = await prefix.run(x, inputShape[0])
      await prefix.dispose()
      assert.match(prefix.engine, /^ONNX Runtime [\d.]+$/)
      assert.ok(difference(features, y) < 1e-5, `${difference(features, y)}`)
    })
  }
})
