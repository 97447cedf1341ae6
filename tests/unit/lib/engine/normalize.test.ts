import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import './tensorflow/here.ts'
import { normalizeBatch } from '../../../../lib/engine/normalize.ts'
import { tf } from '../../../../lib/tf.ts'
import { difference, onEngines, tensorOf } from './numbers.ts'

describe('normalization by the batch and its gradients equal the reference engine', () => {
  for (const shape of [[4, 9, 7, 13], [3, 5, 5, 8], [300, 6], [40, 1]]) for (const scaled of [true, false]) for (const shifted of [true, false]) {
    test(`${shape}${scaled ? ', gamma' : ''}${shifted ? ', beta' : ''}`, async () => {
      const channels = shape.at(-1)!
      const { cpu, others } = await onEngines(() => {
        const x = tf.add(tf.mul(tensorOf(shape), 3), 20), dy = tensorOf(shape, 2)
        const extra = [...scaled ? [tensorOf([channels], 3)] : [], ...shifted ? [tensorOf([channels], 4)] : []]
        const normalize = (x: tf.Tensor, extra: tf.Tensor[]) => normalizeBatch(x, scaled ? extra[0] : null, shifted ? extra.at(-1)! : null, 1e-3)
        return [...normalize(x, extra), ...tf.grads((x, ...extra) => normalize(x, extra)[0])([x, ...extra], dy)]
      })
      for (const [engine, results] of others) {
        results.forEach((values, i) => assert.ok(difference(values, cpu[i]) < 2e-4, `${engine}, result ${i}: ${difference(values, cpu[i])}`))
      }
    })
  }
})

test('the statistics of a large mean are exact: sums run in double precision', async () => {
  await tf.setBackend('wasm')
  const rows = 100_000, x = tf.tensor2d(Float32Array.from({ length: rows }, (_, i) => 1000 + i % 2), [rows, 1])
  const [, mean, variance] = normalizeBatch(x, null, null, 0)
  assert.equal(mean.dataSync()[0], 1000.5)
  assert.equal(variance.dataSync()[0], 0.25)
})
