import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tensors } from '../../../../../lib/data/tensors.ts'
import { host, installHost } from '../../../../../lib/host.ts'
import { show } from '../../../../../lib/show/index.ts'
import { layerTable } from '../../../../../lib/show/layers.ts'
import { statisticColumns, statistics, statisticsTable } from '../../../../../lib/show/why/statistics.ts'
import { tf } from '../../../../../lib/tf.ts'
import { golden } from '../../../../golden.ts'
import { trained } from '../samples.ts'

/** A ReLU of which half of the channels are dead, a frozen layer, and a head. */
function model() {
  const made = tf.sequential({
    name: 'small',
    layers: [
      tf.layers.conv2d({ inputShape: [4, 4, 1], filters: 4, kernelSize: 1, name: 'conv', trainable: false }),
      tf.layers.reLU({ name: 'relu' }),
      tf.layers.globalAveragePooling2d({ name: 'pool' }),
      tf.layers.dense({ units: 2, activation: 'softmax', name: 'head' }),
    ],
  })
  made.layers[0].setWeights([tf.tensor4d([1, 2, -1, -2], [1, 1, 1, 4]), tf.tensor1d([0, 0, -0.5, -0.5])])
  made.layers[3].setWeights([tf.ones([4, 2]), tf.zeros([2])])
  return made
}
const images = async () =>
  (
    await tensors(tf.tensor4d([...new Array(16).fill(0.25), ...new Array(16).fill(0.75)], [2, 4, 4, 1]), [0, 1], {
      classes: ['dark', 'light'],
    })
  ).train

test('activations, silent channels and gradients of a model small enough to count by hand', async () => {
  const own = model(),
    set = await images(),
    before = tf.memory().numTensors,
    [conv, relu, pool, head] = await statistics(own, set)
  // Channels of the two images: 0.25 0.5 -0.75 -1, and 0.75 1.5 -1.25 -2.
  assert.ok(Math.abs(conv.mean - (3 - 5) / 8) < 1e-6)
  assert.deepEqual([relu.zeros, relu.silent, relu.channels, pool.silent], [0.5, 2, 4, 2])
  // Probabilities are a half each: the gradient of the kernel is (p - y)ᵀ·x, averaged, with x of the first two channels.
  const rows = [
      [0.25, 0.5],
      [0.75, 1.5],
    ],
    kernel = rows[0].map((_, k) => (rows[0][k] * -0.5 + rows[1][k] * 0.5) / 2)
  const length = Math.sqrt(2 * kernel.reduce((sum, value) => sum + value ** 2, 0))
  assert.ok(Math.abs(head.gradient! - length / Math.sqrt(8)) < 1e-6, `${head.gradient}`)
  assert.equal(conv.gradient, null, 'a frozen layer has none')
  assert.equal(tf.memory().numTensors, before, 'no tensor stays')
})

test('how far weights have moved since an earlier model', async () => {
  const earlier = model(),
    now = model()
  now.layers[3].setWeights([tf.ones([4, 2]), tf.tensor1d([0, 0.125])])
  const rows = await statistics(now, await images(), { before: earlier })
  assert.deepEqual(
    rows.map(({ change }) => change),
    [0, null, null, 0.125],
  )
})

test('the table, and what is worth a look', async () => {
  const bundle = statisticsTable(model(), await statistics(model(), await images()), 2)
  golden('show/statistics.html', bundle['text/html'] as string)
  golden('show/statistics.txt', bundle['text/plain'] as string)
  const row = { name: 'relu', type: 'ReLU', mean: 0, deviation: NaN, zeros: 1, silent: 3, channels: 4, gradient: 0, change: null }
  const text = statisticsTable(
    model(),
    [
      row,
      { ...row, name: 'fine', type: 'Dense', deviation: 1, gradient: 1e-6 },
      { ...row, name: 'wild', type: 'Dense', deviation: 1, gradient: 1 },
    ],
    2,
  )['text/plain'] as string
  for (const said of [
    /output of 'relu' is no number/,
    /half of the channels of 'relu' are silent/,
    /No gradient reaches 'relu'/,
    /factor of 1e\+6/,
  ])
    assert.match(text, said)
})

test('the same as columns of the layer table of a trained model', async () => {
  const own = trained(), pixels = Float32Array.from({ length: 2 * 32 * 32 * 3 }, (_, i) => (i % 7 + (i < 3072 ? 0 : i % 5)) / 11)
  for (const weight of own.weights.filter(({ name }) => /kernel/.test(name))) {
    const shape = weight.shape as number[]
    weight.write(tf.range(0, tf.util.sizeFromShape(shape)).sin().reshape(shape))
  }
  const { train } = await tensors(tf.tensor4d(pixels, [2, 32, 32, 3]), [0, 1], { classes: [...'0123456789'] })
  const bundle = layerTable(own, {}, statisticColumns(await statistics(own, train), 2))
  golden('show/layers-at-work.html', bundle['text/html'] as string)
  golden('show/layers-at-work.txt', bundle['text/plain'] as string)
})

test('show.layers takes the images, and tells what it cannot do', async () => {
  const own = model(), set = await images(), before = host(), shown: string[] = []
  installHost({ ...before, display: bundle => void shown.push(String(bundle['text/plain'])) })
  try {
    await show.layers(own, { statistics: set, search: 'relu' })
    await assert.rejects(async () => show.layers(own, { statistics: null as never }), /^GraftError: show\.layers: the data set has no such part/)
    assert.throws(() => show.layers(own, { statistics: set, live: true }), /^GraftError: show\.layers: a live table has no statistics/)
  } finally {
    installHost(before)
  }
  assert.match(shown.join(), /^relu .* 50\.0 % +2 of 4/m)
})

test('images without classes are refused', async () => {
  const set = await images()
  await assert.rejects(
    statistics(model(), set.pick([])),
    /^GraftError: show\.statistics: expected labelled images of two classes or more/,
  )
})
