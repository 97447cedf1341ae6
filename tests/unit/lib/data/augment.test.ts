import assert from 'node:assert/strict'
import { test } from 'node:test'
import { extract } from '../../../../lib/customize/extract.ts'
import { Augmentation } from '../../../../lib/data/augment/augmentation.ts'
import type { Augment } from '../../../../lib/data/augment/options.ts'
import { images } from '../../../../lib/data/images.ts'
import { show } from '../../../../lib/show/index.ts'
import { forgetFeatures } from '../../../../lib/train/features.ts'
import { train } from '../../../../lib/train/train.ts'
import { colours, recordingHost, trunk } from '../train/fixtures.ts'
import { classFolders, folderOf } from './folders.ts'

process.env.GRAFT_RUNS = 'off'
const screen = recordingHost()
const data = await colours(24, 12, 0.25)
const all = Array.from(data.train.labels.keys())

const every: Augment = {
  flip: 'both', rotate: 0.1, zoom: 0.2, translate: [0, 0.1], shear: 0.1, crop: 0.7, brightness: 0.2, contrast: 0.3, hue: 0.2,
  saturation: 0.5, noise: 0.05, cutOut: 0.2, mixUp: 0.4, cutMix: 1, randAugment: { count: 3 },
}
const sets: [string, Augment][] = [
  ...Object.entries(every).map(([name, value]): [string, Augment] => [name, { [name]: value }]), ['all of them', every], ['photos', 'photos'],
  ['characters', 'characters'], ['randAugment alone', { randAugment: true }],
]
for (const [name, augment] of sets) {
  test(`${name}: seed, image and variant determine the pixels, which stay within their range`, async () => {
    const set = data.train.augment(augment), plain = await set.pixels(all)
    const first = await set.variant(1).pixels(all)
    assert.deepEqual(await set.variant(1).pixels(all), first)
    assert.deepEqual((await set.variant(1).pixels([5])), first.subarray(5 * 432, 6 * 432))
    assert.notDeepEqual(first, plain)
    assert.notDeepEqual(await set.variant(2).pixels(all), first)
    assert.ok(first.every(value => value >= 0 && value <= 1))
    assert.deepEqual(await set.pixels(all), await data.train.pixels(all), 'the set itself stays')
    const other = data.train.augment({ ...new Augmentation(augment).options, seed: 2 })
    assert.notDeepEqual(await other.variant(1).pixels(all), first)
  })
}

test('equal ids mean equal pixels: by variant, by changes, and by what was mixed in', () => {
  const ids = (augment: Augment, variant: number) => data.train.augment(augment).variant(variant).ids
  assert.deepEqual(ids('photos', 1), ids('photos', 1))
  assert.deepEqual(ids({ rotate: 0.1, flip: true }, 1), ids({ flip: true, rotate: 0.1, variants: 3 }, 1))
  const different = [ids('photos', 1), ids('photos', 2), ids('characters', 1), ids({ mixUp: 0.2 }, 1), data.train.ids].flat()
  assert.equal(new Set(different).size, different.length)
})

test('images in another range stay within it', async () => {
  using at = folderOf(await classFolders({ a: 3, b: 3 }))
  const [one, other] = [await images(at.folder, { size: 12, augment: 'photos' }), await images(at.folder, { size: 12, range: [-1, 1], augment: 'photos' })]
  const [a, b] = [await one.train.variant(1).pixels([0, 5]), await other.train.variant(1).pixels([0, 5])]
  assert.equal(a.length, b.length)
  assert.ok(b.some(value => value < 0) && b.every(value => value >= -1 && value <= 1))
})

test('labels are mixed as the images are, and add up to one', () => {
  for (const augment of [{ mixUp: 0.4 }, { cutMix: 1 }, { mixUp: 1, cutMix: 1 }]) {
    const set = data.train.augment(augment).variant(3), rows = all.map(i => set.truth(i))
    for (const [i, row] of rows.entries()) {
      assert.ok(Math.abs(row.reduce((sum, value) => sum + value) - 1) < 1e-6)
      assert.ok(row[set.labels[i]] > 0 || row.some(value => value > 0.99))
    }
    assert.ok(rows.some(row => row.every(value => value < 0.99)))
  }
  assert.deepEqual(data.train.truth(0), Float32Array.of(1, 0, 0))
})

test('a mixed image is the sum of its parts by its label', async () => {
  const set = data.train.augment({ mixUp: 1 }), mixed = set.variant(1), plain = await set.pixels(all)
  const pixels = await mixed.pixels([0]), own = mixed.truth(0)[set.labels[0]]
  const partner = all.find(j => pixels.every((value, v) => Math.abs(own * plain[v] + (1 - own) * plain[j * 432 + v] - value) < 1e-5))
  assert.ok(partner !== undefined || own > 0.999, 'no image of the set is in it')
})

test('training takes another variant in each epoch; with four of them the frozen trunk runs four times', async () => {
  forgetFeatures()
  const set = data.train.augment('photos')
  const model = () => extract(trunk(), { classes: data.classes, show: false })
  const usual = await train(model(), set, { epochs: 6, show: false })
  assert.equal(usual.trunkForwards, 4 * set.length)
  forgetFeatures()
  const two = data.train.augment({ ...new Augmentation('photos').options, variants: 2 })
  assert.equal((await train(model(), two, { epochs: 6, show: false })).trunkForwards, 2 * set.length)
  forgetFeatures()
  const fresh = data.train.augment({ ...new Augmentation('photos').options, variants: Infinity })
  assert.equal((await train(model(), fresh, { epochs: 3, show: false })).trunkForwards, 3 * set.length)
})

test('augmented training gives one history for one seed, mixed labels included', async () => {
  const history = async () => (await train(extract(trunk(), { classes: data.classes, show: false }),
    { train: data.train.augment(every), validation: data.validation }, { epochs: 3, show: false })).history
  const first = await history()
  forgetFeatures()
  assert.deepEqual(await history(), first)
  const plain = await train(extract(trunk(), { classes: data.classes, show: false }), data, { epochs: 3, show: false })
  assert.notDeepEqual(plain.history.loss, first.loss)
})

test('only training images are changed', async () => {
  using at = folderOf(await classFolders({ a: 8, b: 8 }))
  const set = await images(at.folder, { size: 8, validation: 0.25, augment: { flip: true } })
  assert.ok(set.train.augmentation && !set.validation.augmentation)
  assert.equal(set.validation.variant(1), set.validation)
})

test('show.augmentation: images beside their variants, and how the labels are mixed', async () => {
  screen.shown.length = 0
  await show.augmentation(data, { augment: { mixUp: 1 }, count: 2, variants: 3 })
  const { bundle } = screen.shown[0]
  assert.equal(String(bundle['image/svg+xml']).match(/<image/g)!.length, 8)
  assert.match(String(bundle['image/svg+xml']), /(red|green|blue) \d+ \+ (red|green|blue) \d+ %/)
  assert.match(String(bundle['text/plain']), /Augmentation: mixUp: 1; 2 images and 3 variants of each/)
  await assert.rejects(show.augmentation(data), /are taken as they are\. Say what to change/)
  await assert.rejects(show.augmentation({} as never), /expected a data set/)
})

const refusals: [string, unknown, RegExp][] = [
  ['an unknown preset', 'photo', /unknown set of changes 'photo'\. Did you mean 'photos'\? Expected 'photos' or 'characters'/],
  ['an unknown change', { rotat: 1 }, /augment: unknown option 'rotat'\. Did you mean 'rotate'/],
  ['a turn of degrees', { rotate: 15 }, /augment\.rotate must be a number up to 1, or \[from, to\]; received 15/],
  ['an extent upside down', { zoom: [0.2, -0.2] }, /augment\.zoom must be a number up to 0\.9/],
  ['another axis', { flip: 'left' }, /augment\.flip must be 'horizontal', 'vertical' or 'both'/],
  ['an empty window', { crop: 0 }, /augment\.crop must be a number above 0, at most 1; received 0/],
  ['half a variant', { variants: 1.5 }, /augment\.variants must be a whole number above 0, or Infinity/],
  ['no object', 3, /options must be an object such as \{ flip: … \}; received 3/],
  ['an unknown magnitude', { randAugment: { magnitude: 2 } }, /magnitude must be a part from 0 to below 1/],
]
for (const [name, augment, message] of refusals) {
  test(`refused: ${name}`, () => assert.throws(() => data.train.augment(augment as Augment), (error: Error) => {
    assert.equal(error.name, 'GraftError')
    assert.match(error.message, message)
    return true
  }))
}
