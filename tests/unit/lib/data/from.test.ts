import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { from } from '../../../../lib/data/from.ts'
import { tensors } from '../../../../lib/data/tensors.ts'
import { tf } from '../../../../lib/tf.ts'
import { folderOf, png } from './folders.ts'

test('from: what an asynchronous iterable gives, as bytes or files', async () => {
  using at = folderOf({ 'x.png': await png(7) })
  const data = await from((async function* () {
    for (let i = 0; i < 6; i++) yield { image: await png(i), label: i % 2 ? 'b10' : 'b9' }
    yield { image: join(at.folder, 'x.png'), label: 'b9' }
  })(), { size: 8, validation: 0.3, range: [-1, 1] })
  assert.deepEqual(data.classes, ['b9', 'b10'])
  assert.deepEqual([data.train.length, data.validation.length], [5, 2])
  assert.equal((await data.train.pixels([0])).length, 192)
  assert.equal((await data.train.bitmap(0)).data.length, 192)
})

const bad: [string, unknown[], RegExp][] = [
  ['no label', [{ image: Buffer.alloc(1) }], /example 0 must be \{ image: path or bytes, label \}/],
  ['nothing', [null], /example 0 must be/],
  ['a damaged image', [{ image: Buffer.from('x'), label: 1 }], /image 0 cannot be read: not an image/],
  ['a missing file', [{ image: '/no/such.png', label: 1 }], /image 0, '\/no\/such\.png', cannot be read: ENOENT/],
  ['none', [], /two classes or more; received 0 of 0/],
]
for (const [name, examples, message] of bad) {
  test(`from refuses ${name}`, async () => {
    await assert.rejects(from(examples as never), (error: Error) => error.name === 'GraftError' && message.test(error.message))
  })
}

test('tensors: labels as numbers, as a tensor, one-hot; the images are copied', async () => {
  const x = tf.tensor4d(Array.from({ length: 4 * 12 }, (_, i) => i / 48), [4, 2, 2, 3])
  const data = await tensors(x, [0, 1, 1, 2], { classes: ['a', 'b', 'c'] })
  assert.deepEqual([...(await tensors(x, tf.tensor1d([0, 1, 1, 2], 'int32'))).train.labels], [0, 1, 1, 2])
  assert.deepEqual([...(await tensors(x, tf.oneHot(tf.tensor1d([0, 1, 1, 2], 'int32'), 3))).train.labels], [0, 1, 1, 2])
  const values = Array.from(x.dataSync())
  x.dispose()
  assert.deepEqual(Array.from(await data.train.pixels([0, 1, 2, 3])), values)
  assert.equal(new Set(data.train.ids).size, 4)
})

test('tensors refuse other ranks, other lengths and labels that are no class', async () => {
  const x = tf.zeros([2, 2, 2, 3])
  await assert.rejects(tensors(tf.zeros([2, 3]), [0, 1]), /must be a tensor \[n, height, width, channels\]; received \[2, 3\]/)
  await assert.rejects(tensors(x, [0]), /x holds 2 images, y 1 labels/)
  await assert.rejects(tensors(x, [0, 5], { classes: ['a', 'b'] }), /the label 5 of image 1 is none of the classes 0 to 1/)
  await assert.rejects(tensors(x, tf.zeros([2, 1, 1])), /must be \[n\] or one-hot/)
})

test('pixels that are no numbers are refused: no class is found in them', async () => {
  for (const value of [NaN, Infinity, -Infinity]) {
    const values = new Float32Array(3 * 12).fill(0.5)
    values[20] = value
    await assert.rejects(tensors(tf.tensor4d(values, [3, 2, 2, 3]), [0, 1, 0]), new RegExp(`a pixel of image 1 is ${value}\\. Expected numbers from 0 to 1`))
  }
})
