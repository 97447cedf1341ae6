import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type * as tfTypes from '@tensorflow/tfjs'
import { lift } from '../../lib/lift/index.ts'
import { save } from '../../lib/save/index.ts'
import { tf } from '../../lib/tf.ts'
import { makeRandom, noTensorFlow, random, relativeError } from '../fixtures/models/models.ts'

/**
 * Networks that TensorFlow wrote at random, with names that tell nothing and without Keras's metadata: forward and the gradient
 * of every weight as TensorFlow's, and forward once more after saving as a SavedModel; in tf_keras's layout the layers have
 * Keras's names and classes too. More of them, and what was opened as layers of one operation:
 *
 *     GRAFT_TEST_RANDOM=200 node --test tests/parity/hub-random.test.ts
 */
const count = Number(process.env.GRAFT_TEST_RANDOM ?? 21)
/** What has no layer in Keras, or one that TensorFlow.js lacks. */
const withoutLayer = new Set(['SplitV', 'StridedSlice', 'Mean', 'Pow', 'Square', 'Abs', 'Sqrt'])

let saved: string
before(async () => {
  saved = await mkdtemp(join(tmpdir(), 'graft-random-'))
  await makeRandom(0, count)
})
after(() => rm(saved, { recursive: true, force: true }))

for (let seed = 0; seed < count; seed++) {
  test(`random network ${seed}`, { skip: noTensorFlow }, async t => {
    const { folder, x, inputShape, outputs, variables, layers } = await random(seed)
    const { model, report } = await lift(folder), image = tf.tensor(x, inputShape)
    const alone = report.opaque.map(({ op }) => op)
    if (alone.length) t.diagnostic(`layers of one operation: ${alone.join(', ')}`)
    assert.deepEqual(alone.filter(op => !withoutLayer.has(op)), [])
    const lifted = new Map(model.layers.map(layer => [layer.name, layer.getClassName()]))
    for (const [kind, name] of layers ?? []) {
      // Noise leaves no trace; a softmax and an ELU of one are written alike, be they a layer of their own or an activation.
      if (/Lambda|InputLayer|GaussianNoise/.test(kind)) continue
      if (/^(Softmax|ELU)$/.test(kind) && lifted.get(name) === 'Activation') continue
      assert.equal(lifted.get(name), kind, `layer '${name}'`)
    }
    const results = [model.predict(image)].flat() as tfTypes.Tensor[]
    outputs.forEach(({ shape, values }, i) => {
      assert.deepEqual(results[i].shape, shape)
      const error = relativeError(results[i].dataSync(), values)
      assert.ok(error <= 1e-5, `output ${i}: relative error ${error}`)
    })

    const weights = (model.trainableWeights as unknown as { val: tfTypes.Variable }[]).map(weight => weight.val)
    const loss = () => tf.addN(([model.apply(image)].flat() as tfTypes.Tensor[]).map(weighted)) as tfTypes.Scalar
    const { grads } = tf.variableGrads(loss, weights)
    const named = weights.map(weight => [weight.dataSync(), grads[weight.name].dataSync()] as const)
    const most = (numbers: Float32Array) => numbers.reduce((top, value) => Math.max(top, Math.abs(value)), 0)
    const largest = Math.max(...variables.map(({ gradient }) => most(gradient)))
    for (const { shape, values, gradient } of variables) {
      const same = (numbers: ArrayLike<number>) =>
        numbers.length === values.length && values.every((value, i) => value === numbers[i])
      const found = named.find(([numbers]) => same(numbers))
      assert.ok(found, `a variable of shape [${shape}] is no weight of the model`)
      // Of a weight that changes nothing, as a bias before a normalization, both are rounding alone.
      const error = relativeError([...found[1], largest / 20], [...gradient, largest / 20])
      assert.ok(error <= 1e-4, `gradient of a variable of shape [${shape}]: relative error ${error}`)
    }

    // Saved as a SavedModel it is a hub model again.
    const path = join(saved, String(seed))
    await save(model, path, { format: 'SavedModel' })
    const again = await lift(path)
    assert.ok(again.report.opaque.length <= alone.length, `${again.report.opaque.map(({ op }) => op).join()} once saved`)
    const repeated = [again.model.predict(image)].flat() as tfTypes.Tensor[]
    outputs.forEach(({ values }, i) => assert.ok(relativeError(repeated[i].dataSync(), values) <= 1e-5, `output ${i} once saved`))
  })
}

/** The sum of the numbers times cos(0), cos(1), …, as random_cnn.py takes it. */
function weighted(y: tfTypes.Tensor): tfTypes.Tensor {
  return tf.sum(tf.mul(y, tf.reshape(tf.cos(tf.range(0, y.size)), y.shape)))
}
