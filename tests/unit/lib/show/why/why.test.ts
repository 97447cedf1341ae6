import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setCard } from '../../../../../lib/card.ts'
import { tensors } from '../../../../../lib/data/tensors.ts'
import { nearest, neighbourAgreement } from '../../../../../lib/show/why/alike.ts'
import { embeddingBundle, layOut } from '../../../../../lib/show/why/embedding.ts'
import { featureMapsBundle, filtersBundle } from '../../../../../lib/show/why/feature-maps.ts'
import { camMaps, gradCamBundle } from '../../../../../lib/show/why/grad-cam.ts'
import { heatmap, overlay, viridis } from '../../../../../lib/show/why/heat.ts'
import { neighboursBundle } from '../../../../../lib/show/why/neighbours.ts'
import { occlusion, occlusionBundle } from '../../../../../lib/show/why/occlusion.ts'
import { splitAt } from '../../../../../lib/show/why/split.ts'
import { tf } from '../../../../../lib/tf.ts'
import { predict } from '../../../../../lib/train/predict.ts'
import { golden } from '../../../../golden.ts'
import { checkPicture } from '../pictures.ts'

/** Red where it is red, blue where it is blue: a convolution that passes both on, and a head that tells which there is more of. */
function colourModel(squash: 'dense' | 'layer' = 'dense') {
  const input = tf.input({ shape: [8, 8, 3], name: 'image' })
  const conv = tf.layers.conv2d({ filters: 2, kernelSize: 1, useBias: false, name: 'colours' })
  const dense = tf.layers.dense({ units: 2, name: 'head', ...(squash === 'dense' && { activation: 'softmax' }) })
  let x = tf.layers.globalAveragePooling2d({ name: 'pool' }).apply(conv.apply(input)) as ReturnType<typeof tf.input>
  x = dense.apply(x) as typeof x
  if (squash === 'layer') x = tf.layers.softmax({ name: 'probabilities' }).apply(x) as typeof x
  const model = tf.model({ inputs: input, outputs: x, name: 'colours' })
  conv.setWeights([tf.tensor4d([1, 0, 0, 0, 0, 1], [1, 1, 3, 2])])
  dense.setWeights([
    tf.tensor2d([
      [8, -8],
      [-8, 8],
    ]),
    tf.tensor1d([0.5, -0.5]),
  ])
  setCard(model, { size: [8, 8], range: [0, 1], classes: ['red', 'blue'] })
  return model
}

/** A red image with a spot in one corner: its label is the colour of the spot's own class. */
function spots() {
  const pixels = new Float32Array(4 * 192)
  for (let n = 0; n < 4; n++) {
    for (let i = 0; i < 64; i++) {
      const inside = Math.floor(i / 8) < 4 === n < 2 && i % 8 < 4
      pixels[n * 192 + i * 3 + (n % 2 ? 2 : 0)] = inside ? 1 : 0.05
    }
  }
  return tensors(tf.tensor4d(pixels, [4, 8, 8, 3]), [0, 1, 0, 1], { classes: ['red', 'blue'] }).then(({ train }) => train)
}

for (const squash of ['dense', 'layer'] as const) {
  test(`Grad-CAM points at what speaks for the class, by its logit: softmax in a ${squash}`, async () => {
    const model = colourModel(squash),
      set = await spots(),
      split = splitAt(model)
    assert.equal(split.name, 'colours')
    const [red, blue] = camMaps(split, await set.pixels([0, 1]), [8, 8, 3], [0, 1])
    for (const map of [red, blue])
      assert.deepEqual([map.values[0], map.values[3 * 8 + 3], map.values[7 * 8 + 7] < 0.06], [1, 1, true])
    // Nothing of a red image speaks for blue: what speaks against it is cut off.
    const [none] = camMaps(split, await set.pixels([0]), [8, 8, 3], [1])
    assert.ok(none.values.every(value => value === 0))
  })
}

test('a model of one output has two classes, and both can be explained', async () => {
  const model = tf.sequential({
    layers: [
      tf.layers.conv2d({ inputShape: [8, 8, 3], filters: 2, kernelSize: 1, useBias: false }),
      tf.layers.globalAveragePooling2d({}),
      tf.layers.dense({ units: 1, activation: 'sigmoid' }),
    ],
  })
  model.layers[0].setWeights([tf.tensor4d([1, 0, 0, 0, 0, 1], [1, 1, 3, 2])])
  model.layers[2].setWeights([tf.tensor2d([[-4], [4]]), tf.tensor1d([0])])
  const set = await spots(),
    [second, first] = camMaps(splitAt(model), await set.pixels([1, 0]), [8, 8, 3], [1, 0])
  assert.deepEqual([second.values[0], first.values[0]], [1, 1])
})

test('occlusion points at the same place, and a covered image is judged like any other', async () => {
  const model = colourModel(),
    set = await spots(),
    [, blue] = await predict(model, set)
  const falls = await occlusion(model, set, 1, 'blue', blue.confidence, 4)
  assert.equal(falls.length, 16)
  assert.ok(falls[0] > 0.1, String(falls))
  assert.ok(falls[0] > falls[15] + 0.1, String(falls))
})

test('the pictures of where a model looks and what it needs to see', async () => {
  const model = colourModel(),
    set = await spots(),
    predictions = await predict(model, set)
  const cam = await gradCamBundle(model, set, predictions, {}),
    covered = await occlusionBundle(model, set, predictions, { grid: 4 })
  golden('show/grad-cam.svg', cam['image/svg+xml'] as string)
  golden('show/grad-cam.txt', cam['text/plain'] as string)
  golden('show/occlusion.svg', covered['image/svg+xml'] as string)
  golden('show/occlusion.txt', covered['text/plain'] as string)
  await checkPicture(cam)
  await checkPicture(covered)
})

test('feature maps and filters', async () => {
  const model = colourModel(),
    set = await spots()
  const maps = await featureMapsBundle(model, set, {}),
    filters = await filtersBundle(model)
  golden('show/feature-maps.svg', maps['image/svg+xml'] as string)
  golden('show/filters.svg', filters['image/svg+xml'] as string)
  golden('show/feature-maps.txt', maps['text/plain'] as string)
  golden('show/filters.txt', filters['text/plain'] as string)
  await checkPicture(maps)
  await checkPicture(filters)
})

test('an embedding keeps alike ones together, by either method, the same at each call', async () => {
  const rows = Array.from({ length: 24 }, (_, i) =>
    Float32Array.from({ length: 6 }, (_, k) => (i < 12 ? 1 : -1) * (k + 1) + Math.sin(i * 7 + k) * 0.3),
  )
  const labels = rows.map((_, i) => (i < 12 ? 0 : 1))
  assert.equal(neighbourAgreement(rows, labels), 1)
  for (const method of ['pca', 'umap'] as const) {
    const { points } = await layOut(rows, method),
      again = await layOut(rows, method)
    assert.deepEqual(points, again.points)
    assert.equal(
      neighbourAgreement(
        points.map(([x, y]) => Float32Array.of(x - 0.5, y - 0.5)),
        labels,
      ),
      1,
      method,
    )
  }
  const { explained } = await layOut(rows, 'pca')
  assert.ok(explained! > 0.95 && explained! <= 1, String(explained))
  assert.deepEqual(
    nearest([Float32Array.of(1, 0), Float32Array.of(0, 1), Float32Array.of(2, 0.1)], Float32Array.of(1, 0), 2, 0),
    [2, 1],
  )
  await assert.rejects(layOut(rows.slice(0, 2), 'pca'), /^GraftError: an embedding needs 3 images or more; received 2\.$/)
})

test('embedding and neighbours of a set as pictures', async () => {
  const model = colourModel(),
    set = await spots()
  const laid = await embeddingBundle(model, set, {}),
    alike = await neighboursBundle(model, set.pick([0, 1]), set, { neighbours: 1 })
  assert.match(
    laid['text/plain'] as string,
    /^4 images as 'colours' sees them: 2 features laid out by PCA · .* nearest neighbour of the same class: 100 %/,
  )
  assert.match(alike['text/plain'] as string, /Neighbours\n─+\n\d+ +red\n\d+ +blue$/)
  golden('show/embedding.svg', laid['image/svg+xml'] as string)
  golden('show/embedding.txt', laid['text/plain'] as string)
  golden('show/neighbours.svg', alike['image/svg+xml'] as string)
  golden('show/neighbours.txt', alike['text/plain'] as string)
  await checkPicture(laid)
  await checkPicture(alike)
})

test('what cannot be explained is said in one sentence', async () => {
  const model = colourModel(),
    set = await spots(),
    [one] = await predict(model, set)
  const flat = tf.sequential({ layers: [tf.layers.dense({ inputShape: [4], units: 2 })] })
  assert.throws(() => splitAt(flat), /^GraftError: .* has no feature map: no layer gives \[batch, height, width, channels\]\.$/)
  assert.throws(() => splitAt(model, 'color'), /^GraftError: unknown layer: 'color'\. Did you mean 'colours'\?/)
  await assert.rejects(
    gradCamBundle(model, set, [one], { class: 'bleu' }),
    /^GraftError: unknown class: 'bleu'\. Did you mean 'blue'\? The model knows 2: red, blue\.$/,
  )
  await assert.rejects(
    gradCamBundle(model, set, [one], { layer: 'pool' }),
    /^GraftError: Grad-CAM needs a feature map \[height, width, channels\]; 'pool' gives \[2\]/,
  )
  await assert.rejects(filtersBundle(model, 'head'), /^GraftError: 'head' is a Dense, which has no filters to look at/)
})

test('colours of a map: dark to bright, and a map that is the same everywhere is dark', () => {
  assert.deepEqual(
    [viridis(0), viridis(1), viridis(NaN)],
    [
      [68, 1, 84],
      [253, 231, 37],
      [68, 1, 84],
    ],
  )
  assert.deepEqual([...heatmap([3, 3, 3, 3], 2, 2).data.slice(0, 3)], [68, 1, 84])
  const grey = { data: new Uint8Array(12).fill(100), width: 2, height: 2, channels: 3 }
  assert.deepEqual([...overlay(grey, [0, 1], 2, 1).data.slice(0, 6)], [82, 45, 91, 184, 172, 65])
})
