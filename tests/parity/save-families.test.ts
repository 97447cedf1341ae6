import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { cache } from '../fixtures/models/models.ts'
import { roundTrip } from './save/families.ts'
import { skip } from './save/python.ts'

/** `node bench/save/applications.ts` does so with any of the forty networks of Keras. */
test('Graft reads MobileNetV3Small of Keras 3 and of tf_keras, and both read what it saves', { skip }, async () => {
  const { found } = await roundTrip('MobileNetV3Small', join(cache, 'applications'))
  assert.equal(found.length, 8)
  assert.deepEqual(found.filter(({ error }) => !(typeof error === 'number' && error <= 1e-5)), [])
})
