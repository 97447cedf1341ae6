import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { tf } from '../../../../../lib/tf.ts'
import { difference, onBoth, tensorOf } from '../numbers.ts'

describe('the gradient of max pooling equals the reference engine', () => {
  for (const window of [2, 3, [3, 2]] as const) for (const stride of [1, 2, 3]) for (const pad of ['same', 'valid'] as const) for (const channels of [1, 4, 11]) {
    test(`${window} ${stride} ${pad} ${channels}`, async () => {
      const { wasm, cpu } = await onBoth(() => {
        const pool = (x: tf.Tensor) => tf.maxPool(x as tf.Tensor4D, window as [number, number], stride, pad)
        const x = tensorOf([3, 8, 9, channels])
        return [tf.grad(pool)(x, tensorOf(pool(x).shape, 2))]
      })
      assert.ok(difference(wasm[0], cpu[0]) < 1e-6)
    })
  }
})

test('where several pixels are the largest, the first one gets the gradient', async () => {
  await tf.setBackend('wasm')
  const grad = tf.grad((x) => tf.maxPool(x as tf.Tensor4D, 2, 2, 'valid'))(tf.ones([1, 2, 2, 5]))
  assert.deepEqual([...grad.dataSync()], [...Array(5).fill(1), ...Array(15).fill(0)])
})
