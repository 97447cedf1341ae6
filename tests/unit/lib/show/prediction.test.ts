import assert from 'node:assert/strict'
import { test } from 'node:test'
import { calibration, calibrationBundle } from '../../../../lib/show/calibration.ts'
import { confusion, confusionBundle } from '../../../../lib/show/confusion.ts'
import { predictionBundle, predictionsBundle, worstBundle } from '../../../../lib/show/prediction.ts'
import { Prediction, Predictions } from '../../../../lib/train/prediction.ts'
import { golden } from '../../../golden.ts'
import { checkPicture } from './pictures.ts'
import { predictions } from './samples.ts'

test('predictions are a grid; the share that is right counts all of them', async () => {
  const bundle = await predictionsBundle(predictions())
  golden('show/predictions.svg', bundle['image/svg+xml'] as string)
  golden('show/predictions.txt', bundle['text/plain'] as string)
  await checkPicture(bundle)
})

test('one prediction shows its image and its most likely classes', async () => {
  for (const [name, i] of [
    ['right', 0],
    ['wrong', 5],
  ] as const) {
    const bundle = await predictionBundle(predictions()[i])
    golden(`show/prediction-${name}.svg`, bundle['image/svg+xml'] as string)
    await checkPicture(bundle)
  }
})

test('predictions without known classes, and none at all, can be shown', async () => {
  const unknown = new Predictions()
  for (const one of predictions(3)) unknown.push(new Prediction(one.scores, one.file, null, () => one.picture()))
  const bundle = await predictionsBundle(unknown)
  assert.match(bundle['text/plain'] as string, /^3 predictions, 3 images\nImage +Predicted +Confidence/)
  assert.doesNotMatch(bundle['image/svg+xml'] as string, /[✓✗]/)
  assert.match((await predictionsBundle(new Predictions()))['text/plain'] as string, /^0 predictions/)
})

test('the confusion matrix counts as scikit-learn does', () => {
  const found = confusion(predictions())
  // sklearn.metrics.confusion_matrix and precision_recall_fscore_support of the same forty labels
  assert.deepEqual(found.classes, ['one', 'three', 'two', 'zero'])
  assert.deepEqual(found.counts, [
    [7, 0, 3, 0],
    [0, 7, 0, 3],
    [0, 0, 10, 0],
    [0, 0, 0, 10],
  ])
  assert.equal(found.accuracy, 0.85)
  assert.deepEqual(found.recall, [0.7, 0.7, 1, 1])
  assert.deepEqual(found.precision, [1, 1, 10 / 13, 10 / 13])
  assert.deepEqual(found.pairs[0], { truth: 'one', predicted: 'two', count: 3 })
})

test('the confusion matrix as a picture and as text', async () => {
  const bundle = confusionBundle(predictions())
  golden('show/confusion.svg', bundle['image/svg+xml'] as string)
  golden('show/confusion.txt', bundle['text/plain'] as string)
  await checkPicture(bundle)
})

test('many classes still fit', async () => {
  const many = new Predictions()
  const names = Array.from({ length: 80 }, (_, i) => `class ${i}`)
  for (let i = 0; i < 10_000; i++) {
    const said = i % 7 ? i % 80 : (i * 3) % 80
    many.push(
      new Prediction([{ label: names[said], probability: 1 }], '', names[i % 80], async () => {
        throw new Error('not drawn')
      }),
    )
  }
  const bundle = confusionBundle(many)
  assert.ok((bundle['image/svg+xml'] as string).length < 900e3, `${(bundle['image/svg+xml'] as string).length}`)
  await checkPicture(bundle)
})

test('predictions whose classes are unknown cannot be confused', () => {
  assert.throws(
    () => confusion(new Predictions()),
    /^GraftError: confusion: expected predictions whose true classes are known, received none/,
  )
})

test('the worst are those whose true class got the least; without true classes, the least sure', async () => {
  const bundle = await worstBundle(predictions(), { count: 3 }), text = bundle['text/plain'] as string
  assert.match(text, /^The 3 worst of 40 images, 6 of all are wrong · the true class here got 6\.7 % to 10\.0 %\n/)
  assert.equal(text.match(/✗ wrong/g)?.length, 3)
  await checkPicture(bundle)
  const unknown = new Predictions()
  for (const one of predictions(8)) unknown.push(new Prediction(one.scores, one.file, null, () => one.picture()))
  assert.match((await worstBundle(unknown, { count: 2 }))['text/plain'] as string, /^The 2 least sure of 8 images, confidence 55\.0 % to 55\.0 %\n/)
  assert.match((await worstBundle(new Predictions()))['text/plain'] as string, /^The 0 least sure of 0 images, none/)
})

test('calibration: ten spans, each open at its left end; the error weighs them by their counts', async () => {
  const made = ([[0.1, true], [0.6, true], [0.6, false], [0.95, true], [1, false]] as const).map(([confidence, right]) =>
    new Prediction([{ label: 'a', probability: confidence }, { label: 'b', probability: 1 - confidence }].toSorted((x) => (x.label === 'a' ? -1 : 1)), '',
      right ? (confidence < 0.5 ? 'b' : 'a') : 'b', async () => { throw new Error('not drawn') }))
  const found = calibration(made)
  // A confidence of 0.1 for the first of two classes is one of 0.9 for the second, and belongs to the span that ends there.
  assert.deepEqual(found.bins.map(bin => bin.count), [0, 0, 0, 0, 0, 2, 0, 0, 1, 2])
  assert.ok(Math.abs(found.error - (2 * 0.1 + 1 * 0.1 + 2 * 0.475) / 5) < 1e-9, String(found.error))
  const bundle = calibrationBundle(predictions())
  golden('show/calibration.svg', bundle['image/svg+xml'] as string)
  golden('show/calibration.txt', bundle['text/plain'] as string)
  await checkPicture(bundle)
  assert.throws(() => calibration([]), /^GraftError: calibration: expected predictions whose true classes are known, received none/)
})
