import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import sharp from 'sharp'
import { decodeImage } from '../../../../lib/data/decode.ts'
import { resizeBilinear } from '../../../../lib/data/resize.ts'

const fixture = (name: string) => readFileSync(new URL(`../../../fixtures/images/${name}`, import.meta.url))

test('a colour becomes grey by the luma weights of ITU-R 601-2', async () => {
  const red = await sharp({ create: { width: 2, height: 2, channels: 3, background: { r: 255, g: 0, b: 0 } } }).png().toBuffer()
  assert.deepEqual([...await decodeImage(red, [2, 2, 1])], [76, 76, 76, 76])
})

test('a photo of 50 megapixels is read', async () => {
  const photo = await sharp({ create: { width: 8660, height: 5774, channels: 3, background: 'white' } }).jpeg().toBuffer()
  assert.deepEqual([...(await decodeImage(photo, [1, 2, 3]))], [255, 255, 255, 255, 255, 255])
})

const cuts: [string, number, RegExp][] = [
  ['photo-0.jpg', 0.5, /damaged/], ['rgb.png', 0.5, /damaged/], ['bitmap.bmp', 0.5, /BMP ends before its last row/],
  ['bitmap.bmp', 0.001, /54 bytes/], ['lossless.webp', 0.5, /damaged/], ['tiff.tif', 0.3, /damaged|not an image/],
    ['rgb.png', 0, /empty/],
]
for (const [name, part, message] of cuts) {
  test(`${name} cut to ${part * 100} % is refused`, async () => {
    const bytes = fixture(name)
    await assert.rejects(decodeImage(bytes.subarray(0, Math.floor(bytes.length * part)), [8, 8, 3]), message)
  })
}

test('any bytes end in pixels or in an error', async () => {
  const names = ['rgb.png', 'bitmap.bmp', 'palette.bmp', 'grey.jpg', 'animated.gif', 'lossless.webp']
  for (let i = 0; i < 120; i++) {
    const bytes = Buffer.from(fixture(names[i % names.length]))
    for (let k = 0; k < 4; k++) bytes[(i * 2654435761 + k * 40503) % Math.min(bytes.length, 200)] = i * 37 + k
    const pixels = await decodeImage(bytes, [8, 8, 3]).catch((error: Error) => error)
    assert.ok(pixels instanceof Uint8Array ? pixels.length === 192 : pixels.name === 'GraftError', String(pixels))
  }
})

test('bilinear resizing has half-pixel centres and no antialiasing', () => {
  const row = { data: Uint8Array.of(0, 100, 200, 40), height: 1, width: 4, channels: 1 }
  assert.deepEqual([...resizeBilinear(row, 1, 2).data], [50, 120])
  assert.deepEqual([...resizeBilinear(row, 1, 8).data], [0, 25, 75, 125, 175, 160, 80, 40])
  assert.equal(resizeBilinear(row, 1, 4), row)
})
