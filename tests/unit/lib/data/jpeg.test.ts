import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import sharp from 'sharp'
import { decodeImage } from '../../../../lib/data/decode.ts'
import { isTurned } from '../../../../lib/data/exif.ts'
import { decodeJpeg } from '../../../../lib/data/jpeg.ts'
import type { Bitmap } from '../../../../lib/data/resize.ts'

const fixture = (name: string) => readFileSync(new URL(`../../../fixtures/images/${name}`, import.meta.url))
const skip = process.platform === 'win32' && 'libjpeg-turbo is not called on Windows'

/** What libjpeg-turbo makes of a file, as it is; null where it is left to sharp. */
async function decoded(bytes: Uint8Array, channels = 3): Promise<Bitmap | null> {
  let size = { height: 0, width: 0, channels: 0 }
  const data = await decodeJpeg(bytes, channels, ({ data, ...rest }) => { size = rest; return data })
  return data && { data, ...size }
}

for (const [name, channels] of [['photo-0.jpg', 3], ['photo-3.jpg', 1], ['full-chroma.jpg', 3], ['progressive.jpg', 3]] as const) {
  test(`${name} has the pixels that sharp reads`, { skip }, async () => {
    const { data, info } = await sharp(fixture(name)).raw().toBuffer({ resolveWithObject: true })
    assert.deepEqual(await decoded(fixture(name), channels), { data: new Uint8Array(data), height: info.height, width: info.width, channels: info.channels })
  })
}

test('a grey JPEG has the values that sharp reads, three times where colours are wanted', { skip }, async () => {
  const [grey, colours] = [await decoded(fixture('grey.jpg'), 1), await decoded(fixture('grey.jpg'), 3)]
  assert.deepEqual(grey!.data, new Uint8Array(await sharp(fixture('grey.jpg')).extractChannel(0).raw().toBuffer()))
  assert.deepEqual(colours!.data, Uint8Array.from({ length: grey!.data.length * 3 }, (_, i) => grey!.data[Math.floor(i / 3)]))
})

for (const name of ['turned.jpg', 'cmyk.jpg', 'rgb.png']) {
  test(`${name} is left to sharp`, async () => assert.equal(await decoded(fixture(name)), null))
}

test('of a damaged JPEG sharp has the word, and the next one is read', async () => {
  const whole = fixture('photo-0.jpg')
  for (const length of [3, 100, 400, whole.length >> 1]) {
    assert.equal(await decoded(whole.subarray(0, length)), null)
    await assert.rejects(decodeImage(whole.subarray(0, length), [8, 8, 3]), /damaged|not an image/)
  }
  assert.equal((await decodeImage(whole, [8, 8, 3])).length, 192)
})

test('pictures read at once do not share memory, nor do those that need no resizing', async () => {
  const names = Array.from({ length: 24 }, (_, i) => `photo-${i % 6}.jpg`)
  const alone = new Map<string, Uint8Array>()
  for (const name of names.slice(0, 6)) {
    const { height, width } = await sharp(fixture(name)).metadata()
    alone.set(name, await decodeImage(fixture(name), [height, width, 3]))
  }
  await Promise.all(names.map(async name => {
    const { height, width } = await sharp(fixture(name)).metadata()
    assert.deepEqual(await decodeImage(fixture(name), [height, width, 3]), alone.get(name))
  }))
})

/** A JPEG's start with an EXIF segment of one field, as big or little end first. */
function withExif(tag: number, value: number, little: boolean, cut = 0): Buffer {
  const tiff = Buffer.alloc(26), u16 = (n: number, at: number) => little ? tiff.writeUInt16LE(n, at) : tiff.writeUInt16BE(n, at)
  tiff.write(little ? 'II' : 'MM', 0, 'latin1')
  u16(42, 2)
  tiff[little ? 4 : 7] = 8
  u16(1, 8)
  u16(tag, 10)
  u16(value, 18)
  const segment = Buffer.concat([Buffer.from('Exif\0\0'), tiff.subarray(0, 26 - cut)]), head = Buffer.from([0xff, 0xd8, 0xff, 0xe1, 0, segment.length + 2])
  return Buffer.concat([head, segment, Buffer.from([0xff, 0xda, 0, 2])])
}

const exif: [string, Uint8Array, boolean][] = [
  ['none', fixture('photo-0.jpg'), false], ['upright', withExif(274, 1, true), false], ['another tag', withExif(271, 6, true), false],
  ['turned, little end first', withExif(274, 6, true), true], ['turned, big end first', withExif(274, 8, false), true],
  ['mirrored', withExif(274, 2, false), true], ['cut off', withExif(274, 6, true, 8), true], ['no value', withExif(274, 0, true), false],
  ['cut in its header', withExif(274, 1, true, 22), true], ['nothing after the start', Uint8Array.of(0xff, 0xd8), false],
  ['an empty segment at the end', Uint8Array.of(0xff, 0xd8, 0xff, 0xe1, 0, 2), false],
]
for (const [name, bytes, turned] of exif) test(`EXIF, ${name}: ${turned ? 'turned' : 'as it is'}`, () => assert.equal(isTurned(bytes), turned))
