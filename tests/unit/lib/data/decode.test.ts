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

// EXIF 2.32, tag 274: at which corner of the upright photo the file's first pixel lies, and at which the end of its first row.
const corners = { TL: [0, 0], TR: [0, 1], BL: [1, 0], BR: [1, 1] } as const
type Corner = keyof typeof corners
const orientations: [Corner, Corner][] = [
  ['TL', 'TR'], ['TR', 'TL'], ['BR', 'BL'], ['BL', 'BR'], ['TL', 'BL'], ['TR', 'BR'], ['BR', 'TR'], ['BL', 'TL'],
]
for (const [i, [first, end]] of orientations.entries()) {
  test(`a photo of EXIF orientation ${i + 1} is upright`, async () => {
    const square = (r: number, g: number, b: number) => ({ create: { width: 16, height: 16, channels: 3 as const, background: { r, g, b } } })
    const bytes = await sharp({ create: { width: 64, height: 32, channels: 3, background: 'white' } })
      .composite([{ input: square(255, 0, 0), left: 0, top: 0 }, { input: square(0, 0, 255), left: 48, top: 0 }])
      .withMetadata({ orientation: i + 1 }).jpeg({ quality: 95, chromaSubsampling: '4:4:4' }).toBuffer()
    const pixels = await decodeImage(bytes, [32, 32, 3])
    const at = (corner: Corner) => {
      const [y, x] = corners[corner], p = ((y ? 28 : 3) * 32 + (x ? 28 : 3)) * 3
      return [...pixels.subarray(p, p + 3)].map(value => value > 127 ? 1 : 0).join('')
    }
    assert.deepEqual([at(first), at(end)], ['100', '001'])
  })
}

test('of an animation the first frame counts', async () => {
  const frame = (r: number) => Buffer.alloc(8 * 8 * 3, r)
  const frames = Buffer.concat([frame(200), frame(20)])
  for (const kind of ['gif', 'webp'] as const) {
    const bytes = await sharp(frames, { raw: { width: 8, height: 16, channels: 3, pageHeight: 8 } as never })[kind](kind === 'webp' ? { lossless: true } : {}).toBuffer()
    assert.ok((await sharp(bytes).metadata()).pages === 2, kind)
    assert.ok((await decodeImage(bytes, [8, 8, 3])).every(value => Math.abs(value - 200) < 4), kind)
  }
})

const heic = (brand: string, more = '') => Buffer.concat([Buffer.from([0, 0, 0, 24]), Buffer.from(`ftyp${brand}\0\0\0\0${more}`), Buffer.alloc(40)])
for (const brand of ['heic', 'heix', 'hevc', 'mif1']) {
  test(`HEIC is recognised by its content, whatever its name: ${brand}`, () =>
    assert.rejects(decodeImage(heic(brand), [8, 8, 3]), /HEIC, which needs a licensed decoder: save it as JPEG .*Most Compatible/))
}

test('AVIF is read, though it begins as HEIC does', async () => {
  const bytes = await sharp({ create: { width: 16, height: 16, channels: 3, background: { r: 10, g: 200, b: 30 } } }).avif({ quality: 90 }).toBuffer()
  const [r, g, b] = await decodeImage(bytes, [4, 4, 3])
  assert.ok(Math.abs(r - 10) < 8 && Math.abs(g - 200) < 8 && Math.abs(b - 30) < 8, `${r} ${g} ${b}`)
})
