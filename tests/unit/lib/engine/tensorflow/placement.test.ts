import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withoutTensorFlow } from './here.ts'
import { tensorFlow } from '../../../../../lib/engine/start.ts'
import { tf } from '../../../../../lib/tf.ts'

test('a tensor that is put on a device is whole there, and the one it came from is given back', { skip: withoutTensorFlow }, async () => {
  await tf.setBackend('tensorflow')
  const { runtime } = tensorFlow()!, values = Float32Array.from({ length: 600 }, (_, i) => i / 7)
  // There is no other device here; the call, and who owns what, are the same.
  const pointer = runtime.moved(runtime.tensor(values, [600], 'float32'), 'CPU:0')
  assert.deepEqual(runtime.read(runtime.describe(pointer)), values)
  runtime.release(pointer)
  assert.throws(() => runtime.moved(runtime.tensor(values, [600], 'float32'), 'GPU:7'), /GPU:7/)
})
