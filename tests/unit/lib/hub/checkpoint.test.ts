import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Checkpoint } from '../../../../lib/hub/checkpoint.ts'

interface Expected { shape: number[], values: number[] | null, sum: number, last: number }
const fixtures = new URL('../../../fixtures/checkpoint/', import.meta.url)
const expected = JSON.parse(await readFile(new URL('expected.json', fixtures), 'utf8')) as Record<
  'tf1' | 'tf2',
  Record<string, Expected>
>
const open = (name: string) => Checkpoint.open(fileURLToPath(new URL(name, fixtures)))

describe('every element type', async () => {
  const checkpoint = await open('tf2'), objects = (await checkpoint.objects())!
  const follow = (path: string[]) => path.reduce((id, name) => objects[id].children.get(name)!, 0)
  for (const [name, { shape, values }] of Object.entries(expected.tf2)) {
    test(name, async () => {
      const tensor = await checkpoint.read(objects[follow(['root', 'values', name])].keys.get('VARIABLE_VALUE')!)
      assert.deepEqual([tensor.shape, Array.from(tensor.data)], [shape, values])
    })
  }
})

describe('variables that were saved in parts', async () => {
  const checkpoint = await open('tf1')
  for (const [name, { shape, values, sum, last }] of Object.entries(expected.tf1)) {
    test(name, async () => {
      const { shape: actual, data } = await checkpoint.read(name)
      assert.deepEqual(actual, shape)
      assert.deepEqual([Array.from(data).reduce((a, b) => a + b, 0), data.at(-1)], [sum, last])
      if (values) assert.deepEqual(Array.from(data), values)
    })
  }
  test('are listed by their names', () => assert.deepEqual(checkpoint.names.sort(), Object.keys(expected.tf1).sort()))
})

test('a name it does not hold', async () => {
  const checkpoint = await open('tf1')
  assert.equal(checkpoint.has('other'), false)
  await assert.rejects(checkpoint.read('other'), { name: 'GraftError', message: /tf1\.index: it has no tensor 'other'/ })
})
