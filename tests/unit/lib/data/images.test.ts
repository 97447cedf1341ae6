import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { inspect } from 'node:util'
import sharp from 'sharp'
import { images } from '../../../../lib/data/images.ts'
import { GraftError } from '../../../../lib/error.ts'
import { displaySymbol } from '../../../../lib/host.ts'
import { classFolders, folderOf, png } from './folders.ts'

test('a folder of class folders: classes in natural order, labels, pixels in the asked range', async () => {
  using at = folderOf(await classFolders({ 10: 3, 2: 3, 1: 3 }))
  const data = await images(at.folder, { size: [4, 6], range: [-1, 1] })
  assert.deepEqual(data.classes, ['1', '2', '10'])
  assert.deepEqual([...data.train.labels], [0, 0, 0, 1, 1, 1, 2, 2, 2])
  assert.deepEqual(data.train.counts, [3, 3, 3])
  assert.deepEqual(Object.keys(data.parts), ['train'])
  assert.throws(() => data.validation, /has no validation images; data\.images\(folder, \{ validation: 0\.2 \}\) keeps a part/)
  assert.throws(() => data.test, /has no test images; put some into a folder test\/ beside train\//)
  const pixels = await data.train.pixels([0, 8])
  assert.equal(pixels.length, 2 * 4 * 6 * 3)
  assert.ok(pixels.every(value => value >= -1 && value <= 1) && pixels.some(value => value < 0))
})

test('train and test folders are recognised, and validation is taken from train', async () => {
  using at = folderOf({ ...await classFolders({ a: 10, b: 10 }, 'train/'), ...await classFolders({ a: 2, b: 2 }, 'test/') })
  const data = await images(at.folder, { size: 8, validation: 0.2 })
  assert.deepEqual([data.train.length, data.validation.length, data.test.length], [16, 4, 4])
  assert.match(data.notes.join(), /3 of the 4 test images are in the training images too/)
})

test('a validation folder is used as it is', async () => {
  using at = folderOf({ ...await classFolders({ a: 4, b: 4 }, 'train/'), 'val/a/x.png': await png(900),
    'val/b/y.png': await png(901) })
  const data = await images(at.folder, { size: 8, validation: 0.5 })
  assert.deepEqual([data.train.length, data.validation.length], [8, 2])
})

test('{ class: files } and a csv give the same sets as the folder', async () => {
  using at = folderOf({ ...await classFolders({ cat: 2, dog: 2 }),
    'table.csv': 'file,label,split\ncat/0.png,cat,train\n"cat/1.png",cat,test\ndog/0.png,dog,train\r\ndog/1.png,"dog",train\n' })
  const file = (name: string) => join(at.folder, name)
  const listed = await images({ cat: [file('cat/0.png'), file('cat/1.png')], dog: [file('dog/0.png')] }, { size: 8 })
  assert.deepEqual([listed.classes, [...listed.train.labels]], [['cat', 'dog'], [0, 0, 1]])
  const table = await images(file('table.csv'), { size: 8 })
  assert.deepEqual([table.classes, table.train.length, table.test.length], [['cat', 'dog'], 3, 1])
  assert.equal(table.train.ids[0], listed.train.ids[0])
})

test('the same seed gives the same split, another seed another one, and classes keep their share', async () => {
  using at = folderOf(await classFolders({ a: 20, b: 10 }))
  const split = async (seed: number) => (await images(at.folder, { size: 4, validation: 0.2, seed })).validation
  const [one, again, other] = [await split(1), await split(1), await split(2)]
  assert.deepEqual(one.counts, [4, 2])
  assert.deepEqual(one.files, again.files)
  assert.notDeepEqual(one.files, other.files)
})

test('copies of an image stay on one side of the split', async () => {
  const files: Record<string, Buffer> = {}
  for (let i = 0; i < 30; i++) files[`${i % 2 ? 'a' : 'b'}/${i}.png`] = await png(Math.floor(i / 6) * 2 + i % 2)
  using at = folderOf(files)
  for (const seed of [1, 2, 3]) {
    const data = await images(at.folder, { size: 4, validation: 0.3, seed })
    const trained = new Set(data.train.ids)
    assert.ok(data.validation.length > 0)
    assert.deepEqual(data.validation.ids.filter(id => trained.has(id)), [])
  }
})

test('hidden files, thumbnails and notes are ignored and counted', async () => {
  using at = folderOf({ ...await classFolders({ a: 2, b: 2 }), 'Thumbs.db': 'x', '.DS_Store': 'x', 'a/.DS_Store': 'x',
    'a/._0.png': 'x', 'b/notes.txt': 'x',
    '.git/c/0.png': 'x', '__MACOSX/a/._0.png': 'x' })
  const data = await images(at.folder, { size: 8 })
  assert.equal(data.train.length, 4)
  assert.match(data.notes.join(), /5 files that are no images were ignored/)
})

test('a thousand corrupt files make one report, and the rest is read', async t => {
  const output = t.mock.method(console, 'log', () => {})
  const whole = await png(1)
  const files: Record<string, Buffer | string> = { 'a/good.png': whole, 'b/good.png': await png(2) }
  for (let i = 0; i < 1000; i++) files[`${i % 2 ? 'a' : 'b'}/bad${i}.jpg`] = ['', 'no image', whole.subarray(0, 60)][i % 3]
  using at = folderOf(files)
  const data = await images(at.folder, { size: 8 })
  assert.equal(data.problems.length, 1000)
  assert.equal(data.train.length, 2)
  assert.equal(output.mock.calls.filter(call => /left out/.test(String(call.arguments))).length, 1)
  assert.match(data.notes[0], /1000 images are left out:[^]*bad1\.jpg[^]*and 990 more/)
})

test('every file of a damaged photo that Pillow would refuse is refused', async t => {
  t.mock.method(console, 'log', () => {})
  const photo = await sharp({ create: { width: 300, height: 200, channels: 3, background: 'teal',
    noise: { type: 'gaussian', mean: 120, sigma: 40 } } }).jpeg().toBuffer()
  using at = folderOf({ 'a/whole.jpg': photo, 'a/cut.jpg': photo.subarray(0, photo.length >> 1), 'b/whole.png': await png(3) })
  const data = await images(at.folder, { size: 8 })
  assert.deepEqual(data.problems.map(({ file }) => file), [join(at.folder, 'a/cut.jpg')])
})

test('HEIC under the name of a JPEG is listed with the way out, and the rest is read', async t => {
  t.mock.method(console, 'log', () => {})
  using at = folderOf({ ...await classFolders({ a: 2, b: 2 }), 'a/IMG_0001.jpg': heic })
  const data = await images(at.folder, { size: 8 })
  assert.equal(data.train.length, 4)
  assert.deepEqual(data.problems.map(({ file }) => file), [join(at.folder, 'a/IMG_0001.jpg')])
  assert.match(data.notes.join(), /1 image is left out:[^]*IMG_0001\.jpg: HEIC[^]*save it as JPEG/)
})

const heic = Buffer.concat([Buffer.from([0, 0, 0, 24]), Buffer.from('ftypheic'), Buffer.alloc(40)])
const refusals: [string, () => Promise<Record<string, Buffer | string>>, RegExp][] = [
  ['an empty folder', async () => ({}), /no images in '.*'\. Expected one folder per class/],
  ['a folder without images', async () => ({ 'a/x.txt': 'x' }), /no images in '.*' \(1 other files\)/],
  ['a flat folder', async () => ({ '1.png': await png(1), '2.png': await png(2) }),
    /holds 2 images but no class folders[^]*\{ cat: \[files\]/],
  ['an empty class', async () => ({ ...await classFolders({ a: 2, b: 2 }), 'c/x.txt': '' }),
    /class folder 'c' \(1 other files\).* holds no images/],
  ['a folder too deep', async () => classFolders({ a: 2, b: 2 }, 'inner/'), /one folder only\. Did you mean '.*inner'/],
  ['an unknown class in test', async () => ({ ...await classFolders({ a: 2, b: 2 }, 'train/'), 'test/z/1.png': await png(9) }),
    /class 'z', which the training/],
  ['HEIC alone', async () => ({ 'a/1.heic': heic, 'b/1.png': await png(1) }), /no image of 'a'[^]*HEIC[^]*save it as JPEG/],
  ['a class of damaged files alone', async () => ({ 'a/1.png': 'x', 'b/1.png': await png(1) }),
    /no image of 'a'[^]*not an image/],
]
for (const [name, files, message] of refusals) {
  test(`refused with the way out: ${name}`, async () => {
    using at = folderOf(await files())
    await assert.rejects(images(at.folder, { size: 8 }),
      (error: Error) => error instanceof GraftError && message.test(error.message) || assert.fail(error.message))
  })
}

test('refused: a missing folder, a file that is no table, a bad size, a bad part', async () => {
  using at = folderOf({ ...await classFolders({ a: 2, b: 2 }), 'x.txt': '' })
  await assert.rejects(images(join(at.folder, 'nowhere')), /no such folder: '.*nowhere'/)
  await assert.rejects(images(join(at.folder, 'x.txt')), /is a file\. Expected a folder/)
  await assert.rejects(images(at.folder, { size: [8, 0] }), /size must be a model, a number of pixels or \[height, width\]/)
  await assert.rejects(images(at.folder, { size: 8, validation: 1.5 }), /between 0 and 1, e\.g\. 0\.2; received 1\.5/)
  await assert.rejects(images(at.folder, { size: {} as never }), /expected a model that takes images/)
})

test('beyond its memory the set decodes again, and says which file changed meanwhile', async () => {
  using at = folderOf(await classFolders({ a: 2, b: 2 }))
  const data = await images(at.folder, { size: 8, memory: 8 * 8 * 3 })
  const first = await data.train.pixels([0, 1, 2, 3])
  assert.deepEqual(await data.train.pixels([0, 1, 2, 3]), first)
  // Only one of them can be in memory.
  for (const name of ['b/0.png', 'b/1.png']) writeFileSync(join(at.folder, name), 'x')
  await assert.rejects(data.train.pixels([2, 3]), /b\/[01]\.png' changed since it was read/)
})

test('batches cover the set once, in an order that the seed determines', async () => {
  using at = folderOf(await classFolders({ a: 5, b: 6 }))
  const { train } = await images(at.folder, { size: 4 })
  const order = async (seed?: number) => {
    const seen: number[] = []
    for await (const { indices } of train.batches(4, { seed })) seen.push(...indices)
    return seen
  }
  assert.deepEqual(await order(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  assert.deepEqual(await order(3), await order(3))
  assert.notDeepEqual(await order(3), await order(4))
  assert.deepEqual((await order(3)).toSorted((a, b) => a - b), await order())
})

test('tensors: images and one-hot labels for model.fit', async () => {
  using at = folderOf(await classFolders({ a: 1, b: 2 }))
  const { train } = await images(at.folder, { size: 4 })
  const { x, y } = await train.tensors()
  assert.deepEqual([x.shape, y.shape, [...await y.data()]], [[3, 4, 4, 3], [3, 2], [1, 0, 0, 1, 0, 1]])
  x.dispose()
  y.dispose()
})

test('a data set shows itself as a contact sheet with a text form, names escaped', async () => {
  using at = folderOf(await classFolders({ 'a<b': 3, c: 2 }))
  const data = await images(at.folder, { size: 8, validation: 0.3 })
  const bundle = await data[displaySymbol]()
  assert.match(String(bundle['image/svg+xml']), /a&#60;b/)
  assert.doesNotMatch(String(bundle['image/svg+xml']), /a<b/)
  assert.ok(Buffer.from(String(bundle['image/jpeg']), 'base64').subarray(0, 3).equals(Buffer.from([0xff, 0xd8, 0xff])))
  assert.match(String(bundle['text/plain']), /class +train +validation[^]*a<b +2 +1[^]*c +1 +1/)
  assert.match(inspect(data), /ImageData '.*': 2 classes, 3 train \+ 2 validation images of 8×8×3/)
  assert.match(String((await data.train[displaySymbol]())['text/plain']), /ImageSet: 3 images of 2 classes/)
})
