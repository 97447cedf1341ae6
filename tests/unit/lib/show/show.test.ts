import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import sharp from 'sharp'
import { host, installHost, displaySymbol, type MimeBundle } from '../../../../lib/host.ts'
import { bundleOf, show } from '../../../../lib/show/index.ts'
import { tf } from '../../../../lib/tf.ts'
import { customized, finishedRun, predictions } from './samples.ts'

const before = host()
let shown: MimeBundle[]

beforeEach(() => {
  shown = []
  installHost({
    ...before,
    display: bundle => {
      shown.push(bundle)
    },
  })
})
afterEach(() => installHost(before))

for (const [name, value, mimes, text] of [
  ['a model', customized(), ['text/html', 'text/plain'], /^custom_mobilenet: 37 layers/],
  ['a run', finishedRun(), ['image/svg+xml', 'image/png', 'text/plain'], /^Training: 10 epochs in 12 s/],
  [
    'a picture',
    tf.ones([8, 12, 3]).mul(0.5),
    ['image/svg+xml', 'image/png', 'text/plain'],
    /^Picture of 12 × 8 pixels, 3 channels, float32 values 0\.5 to 0\.5$/,
  ],
  [
    'a grey picture of bytes',
    tf.range(0, 64, 1, 'int32').reshape([8, 8, 1]),
    ['image/svg+xml', 'image/png', 'text/plain'],
    /^Picture of 8 × 8 pixels, 1 channel, int32 values 0 to 63$/,
  ],
  ['an SVG', '<svg width="9" height="9"></svg>', ['image/svg+xml', 'image/png', 'text/plain'], /^Figure, 9 × 9 pixels$/],
  ['words', 'hello', ['text/plain'], /^hello$/],
  ['a plain object', { a: [1, { b: 2 }] }, ['text/plain'], /^{ a: \[ 1, { b: 2 } \] }$/],
  ['nothing', null, ['text/plain'], /^null$/],
  ['what shows itself', { [displaySymbol]: async () => ({ 'text/plain': 'mine' }) }, ['text/plain'], /^mine$/],
] as [string, unknown, string[], RegExp][]) {
  test(`show: ${name}`, async () => {
    await show(value)
    assert.deepEqual(Object.keys(shown[0]), mimes)
    assert.match(shown[0]['text/plain'] as string, text)
  })
}

test("a picture's colours are its values", async () => {
  const bundle = await bundleOf(tf.tensor3d([1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0.5, 1], [2, 2, 3]))
  const { data, info } = await sharp(Buffer.from(bundle['image/png'] as string, 'base64'))
    .raw()
    .toBuffer({ resolveWithObject: true })
  const at = (x: number, y: number) => [
    ...data.subarray((Math.floor(y * info.height) * info.width + Math.floor(x * info.width)) * info.channels).subarray(0, 3),
  ]
  assert.deepEqual(
    [at(0.25, 0.25), at(0.75, 0.25), at(0.25, 0.75), at(0.75, 0.75)],
    [
      [255, 0, 0],
      [0, 255, 0],
      [0, 0, 255],
      [0, 128, 255],
    ],
  )
})

test("values beyond a picture's range are stretched, and said to be", async () => {
  assert.match((await bundleOf(tf.tensor3d([-5, 0, 0, 700], [2, 2, 1])))['text/plain'] as string, /values -5 to 700, stretched$/)
  await assert.rejects(
    bundleOf(tf.tensor3d([NaN, 0, 0, 1], [2, 2, 1])),
    /^GraftError: show: this 2 × 2 tensor holds values that are not finite numbers/,
  )
})

test('layers, training, predictions and confusion are shown at once', async () => {
  const all = predictions()
  show.layers(customized())
  show.training(finishedRun())
  await show.predictions(customized(), all, { count: 3 })
  await show.confusion(customized(), all)
  assert.deepEqual(
    shown.map(bundle => (bundle['text/plain'] as string).split(/[:,]/)[0]),
    ['custom_mobilenet', 'Training', '85.0 % right', '85.0 % right'],
  )
})

const model = customized()
const wrong = (value: unknown) => value as never
for (const [name, call, message] of [
  ['layers of a number', () => show.layers(wrong(3)), /^GraftError: show\.layers: expected a model, received 3\.$/],
  ['layers of a promise', () => show.layers(wrong(Promise.resolve(model))), /received Promise\. Put await before it\.$/],
  [
    'training of a model',
    () => show.training(wrong(model)),
    /^GraftError: show\.training: expected a run of train\(model, data\).*received LayersModel\.$/,
  ],
  [
    'predictions of a folder name',
    () => show.predictions(model, wrong('images')),
    /^GraftError: show\.predictions: expected a data set.*received 'images'\.$/,
  ],
  [
    'predictions of a part that is not there',
    () => show.predictions(model, null),
    /^GraftError: show\.predictions: the data set has no such part\./,
  ],
  [
    'confusion without a model',
    () => show.confusion(wrong(null), wrong([])),
    /^GraftError: show\.confusion: expected a model, received null\.$/,
  ],
  [
    'images of nothing',
    () => show.images(null),
    /^GraftError: show\.images: expected a data set of data\.images\(folder\).*received null\.$/,
  ],
] as [string, () => unknown, RegExp][]) {
  test(`an error says what was expected: ${name}`, async () => {
    await assert.rejects(
      async () => call(),
      error => (assert.match(String(error), message), true),
    )
  })
}
