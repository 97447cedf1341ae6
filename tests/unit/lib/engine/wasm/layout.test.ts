import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { tf } from '../../../../../lib/tf.ts'
import { difference, numbers, onBoth, size } from '../numbers.ts'

const x = (shape: number[], type: 'float32' | 'int32' = 'float32') => tf.tensor(numbers(size(shape)).map((v) => v * 100), shape, type)

describe('slices, pieces and sums equal the reference engine', () => {
  const slices: [shape: number[], begin: number[], size: number[]][] = [
    [[5], [1], [3]], [[5], [0], [5]], [[4, 6], [1, 2], [2, 3]], [[4, 6], [1, 0], [2, 6]], [[3, 4, 5], [1, 1, 1], [2, 2, 3]],
    [[3, 4, 5], [0, 1, 0], [3, 2, 5]], [[2, 3, 4, 5], [0, 1, 1, 0], [2, 2, 2, 5]], [[2, 3, 4, 5], [0, 0, 0, 1], [2, 3, 4, 2]],
    [[2, 2, 3, 4, 5], [0, 1, 1, 1, 1], [2, 1, 2, 2, 3]], [[2, 3], [0, 1], [2, 0]], [[2, 3, 4, 90], [0, 1, 1, 10], [2, 2, 2, -1]],
  ]
  const cases: [name: string, work: () => tf.Tensor][] = []
  for (const [shape, begin, extent] of slices) for (const type of ['float32', 'int32'] as const) {
    cases.push([`slice ${type} ${shape} at ${begin}`, () => tf.slice(x(shape, type), begin, extent)])
  }
  for (const [shape, sizes, axis] of [[[4, 6], [1, 5], 1], [[4, 6], 2, 0], [[2, 3, 4, 6], [1, 2, 3], 3], [[2, 3, 4, 6], 3, 1]] as const) {
    cases.push([`split ${shape} along ${axis}`, () => tf.concat(tf.split(x([...shape]), sizes as unknown as number[], axis).map((part, i) => part.mul(i + 1)), axis)])
  }
  for (const axis of [0, 1, 2, 3, -1]) {
    cases.push([`concat along ${axis}`, () => tf.concat([x([2, 3, 4, 5]), x([2, 3, 4, 5]).add(1)], axis)])
  }
  for (const [shape, axes] of [[[4, 6], [0]], [[4, 6], [1]], [[2, 3, 4, 5], [0, 1, 2]], [[2, 3, 4, 5], [1, 2]], [[2, 3, 4, 5], [1, 3]], [[], []]]) {
    for (const keep of [false, true]) cases.push([`sum ${shape} over ${axes}`, () => tf.sum(x(shape), axes, keep)])
  }
  cases.push(['a clone outlives its original', () => {
    const original = x([4]), clone = original.clone()
    original.dispose()
    return clone.add(1)
  }])
  for (const [name, work] of cases) {
    test(name, async () => {
      const shapes: number[][] = []
      const { wasm: [actual], cpu: [expected] } = await onBoth(() => {
        const y = work()
        shapes.push(y.shape)
        return [y]
      })
      assert.deepEqual(shapes[1], shapes[0])
      assert.ok(difference(actual, expected) < 1e-6)
    })
  }
})

test('a clone shares its memory, and frees it with the last one', async () => {
  await tf.setBackend('wasm')
  const held = () => tf.memory().numDataBuffers, first = x([1]).dataSync()[0], before = held(), a = x([1000]), b = a.clone()
  assert.equal(held(), before + 1)
  a.dispose()
  assert.equal(b.dataSync()[0], first)
  b.dispose()
  assert.equal(held(), before)
})

test('words are copied, cut and joined too', async () => {
  await tf.setBackend('wasm')
  const words = tf.tensor(['a', 'b', 'c'])
  assert.deepEqual([words.clone(), words.slice([1], [1]), tf.concat([words, words])].map((t) => t.dataSync().join('') as unknown), ['abc', 'b', 'abcabc'])
})
