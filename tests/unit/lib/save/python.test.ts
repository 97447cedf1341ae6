import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pythonLines } from '../../../../lib/save/python.ts'

const scaling: [range: [number, number], line: string | undefined][] = [
  [[0, 255], undefined],
  [[0, 1], 'x = x / 255'],
  [[-1, 1], 'x = x * 2.0 / 255 - 1.0'],
  [[0.5, 2], 'x = x * 1.5 / 255 + 0.5'],
]
for (const [range, line] of scaling) {
  test(`pixels of [${range}] are made so`, () => {
    assert.equal(pythonLines('m.h5', { size: [96, 128], range }).find(each => each.startsWith('x = x')), line)
  })
}

test('names with quotes and other alphabets are Python literals', () => {
  const lines = pythonLines('it\'s "mine".h5', { size: [8, 8], range: [0, 1], classes: ['ä', '"'] })
  assert.ok(lines.includes('model = keras.models.load_model("it\'s \\"mine\\".h5")'))
  assert.ok(lines.includes('classes = ["ä", "\\""]'))
})

test('without a card the lines open the file and no more', () => {
  assert.deepEqual(pythonLines('m.h5', undefined), ['import keras, numpy as np', 'model = keras.models.load_model("m.h5")', 'model.summary()'])
})
