import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fuzz } from '../../../fuzz/hub.ts'

test('140 damaged models end in a model or in an error that says why (node tests/fuzz/hub.ts 100000 opens more)', async () => {
  const { models, errors, inner } = await fuzz(140, 1)
  assert.deepEqual([models + errors, [...inner]], [140, []])
  assert.ok(errors > 60 && models > 5, `${models} models, ${errors} errors`)
})

test('a padding of millions of pixels in a damaged graph is refused before it is made', async () => {
  const { errors } = await fuzz(1, 8657)
  assert.equal(errors, 1)
})

test('a number beyond its type in a damaged model.json is an error that says so', async () => {
  const { models, errors } = await fuzz(1, 89089)
  assert.equal(models + errors, 1)
})

test('a graph that lacks an input is an error in our words', async () => {
  for (const seed of [61318, 83241]) assert.equal((await fuzz(1, seed)).errors, 1)
})
