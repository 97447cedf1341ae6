import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ModelCard } from '../../../../lib/card.ts'
import { pythonLines } from '../../../../lib/save/python.ts'
import { tf } from '../../../../lib/tf.ts'

const model = (units: number, activation: 'softmax' | 'sigmoid' | 'linear', channels = 3): tf.LayersModel =>
  tf.sequential({ layers: [tf.layers.flatten({ inputShape: [8, 8, channels] }), tf.layers.dense({ units, activation })] })
const lines = (card: Partial<ModelCard> | undefined, made = model(2, 'softmax'), path = 'm.h5') =>
  pythonLines(path, made, card && { size: [8, 8], range: [0, 1], ...card })

const scaling: [range: [number, number], line: string | undefined][] = [
  [[0, 255], undefined],
  [[0, 1], 'x = x / 255'],
  [[-1, 1], 'x = x * 2.0 / 255 - 1.0'],
  [[0.5, 2], 'x = x * 1.5 / 255 + 0.5'],
]
for (const [range, line] of scaling) {
  test(`pixels of [${range}] are made so`, () =>
    assert.equal(
      lines({ range }).find(each => each.startsWith('x = x')),
      line,
    ))
}

test('names with quotes and other alphabets are Python literals', () => {
  const written = lines({ classes: ['ä', '"'] }, undefined, 'it\'s "mine".h5')
  assert.ok(written.includes('model = keras.models.load_model("it\'s \\"mine\\".h5")'))
  assert.ok(written.includes('classes = ["ä", "\\""]'))
})

const outputs: [what: string, made: tf.LayersModel, card: Partial<ModelCard>, line: string][] = [
  ['probabilities', model(3, 'softmax'), {}, 'probabilities = model.predict(x)[0]'],
  [
    'one probability',
    model(1, 'sigmoid'),
    { classes: ['no', 'yes'] },
    'probabilities = np.array([1 - probability, probability])',
  ],
  ['scores', model(2, 'linear'), { classes: ['a', 'b'] }, 'probabilities = np.array(keras.ops.softmax(model.predict(x)))[0]'],
  ['features', model(5, 'linear'), {}, 'features = model.predict(x)[0]'],
]
for (const [what, made, card, line] of outputs) {
  test(`a model that gives ${what}`, () => assert.ok(lines(card, made).includes(line), lines(card, made).join('\n')))
}

test('grey images are read as such', () => assert.match(lines({}, model(2, 'softmax', 1)).join('\n'), /color_mode="grayscale"/))

test('without a card the lines open the file and no more', () => {
  assert.deepEqual(lines(undefined), ['import keras', 'model = keras.models.load_model("m.h5")', 'model.summary()'])
})
