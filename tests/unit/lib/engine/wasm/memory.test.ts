import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tf } from '../../../../../lib/tf.ts'

interface Backend { write(values: null, shape: number[], type: string): object, disposeData(data: object): boolean }

test('what does not fit is refused in words, and the other tensors stay whole', () => {
  const backend = tf.backend() as unknown as Backend, before = tf.tensor([1, 2, 3])
  const allocate = (count: number) => backend.write(null, [count], 'float32')
  const first = allocate(800_000_000)
  const refusal = { name: 'GraftError', message: /^out of memory: the WASM engine holds at most 4 GiB .* Use a smaller batch/ }
  assert.throws(() => allocate(300_000_000), refusal)
  assert.throws(() => tf.fill([50_000, 50_000], 7), refusal, 'a count of bytes above 32 bits')
  assert.deepEqual([...before.add(1).dataSync()], [2, 3, 4])
  backend.disposeData(first)
  backend.disposeData(allocate(300_000_000))
})
