import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { LayersModel, Scalar, SymbolicTensor, Tensor } from '@tensorflow/tfjs'
import { tf } from '../../../../lib/tf.ts'

/** h = 2x; h·h, then h + h·h: a layer takes h twice, and another takes it after that. */
function squares(): LayersModel {
  const x = tf.input({ shape: [3] }), twofold = tf.layers.dense({ units: 3, useBias: false, kernelInitializer: 'identity' })
  const h = twofold.apply(x) as SymbolicTensor, square = tf.layers.multiply().apply([h, h]) as SymbolicTensor
  const model = tf.model({ inputs: x, outputs: tf.layers.add().apply([square, h]) as SymbolicTensor })
  twofold.setWeights([tf.mul(tf.eye(3), 2)])
  return model
}

const within = (model: LayersModel): LayersModel => {
  const x = tf.input({ shape: [3] })
  return tf.model({ inputs: x, outputs: model.apply(x) as SymbolicTensor })
}

const ways: Record<string, (x: Tensor) => Tensor> = {
  'while it predicts': x => squares().predict(x) as Tensor,
  'in a batch': x => squares().predictOnBatch(x) as Tensor,
  'while it is applied': x => squares().apply(x) as Tensor,
  'within a model': x => within(squares()).predict(x) as Tensor,
  'when it is asked for the second time': x => {
    const model = squares()
    tf.dispose(model.predict(x))
    return model.predict(x) as Tensor
  },
}

describe('what a layer takes twice is there for those after it', () => {
  for (const [name, compute] of Object.entries(ways)) {
    test(name, () => {
      const x = tf.tensor2d([[1, 2, 3]])
      assert.deepEqual(Array.from(compute(x).dataSync()), [6, 20, 42])
      assert.equal(x.isDisposed, false)
    })
  }

  test('while it is evaluated', () => {
    const model = squares()
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
    const loss = model.evaluate(tf.tensor2d([[1, 2, 3]]), tf.tensor2d([[6, 20, 43]])) as Scalar
    assert.ok(Math.abs(loss.dataSync()[0] - 1 / 3) < 1e-5)
  })

  test('and is freed at the end', () => {
    const model = squares(), x = tf.tensor2d([[1, 2, 3]])
    tf.dispose(model.predict(x))
    const before = tf.memory().numTensors
    for (let i = 0; i < 3; i++) tf.dispose(model.predict(x))
    assert.equal(tf.memory().numTensors, before)
  })
})
