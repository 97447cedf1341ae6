import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, test } from 'node:test'
import { withoutTensorFlow } from './here.ts'
import '../../../../../lib/tf.ts'
import { decodeImage, type ImageShape } from '../../../../../lib/data/decode.ts'
import { jpegs } from '../../../../../lib/data/jpeg.ts'

const fixture = (name: string) => readFileSync(new URL(`../../../../fixtures/images/${name}`, import.meta.url))
const { decoder } = jpegs
after(() => { jpegs.decoder = decoder })

/** An image's pixels from sharp alone, and with TensorFlow's decoder; how often that gave them. */
async function both(bytes: Uint8Array, shape: ImageShape) {
  let decoded = 0
  jpegs.decoder = null
  const plain = await decodeImage(bytes, shape).catch((error: Error) => error.message)
  jpegs.decoder = async (bytes, use) => {
    const pixels = await decoder!(bytes, use)
    decoded++
    return pixels
  }
  return { plain, pixels: await decodeImage(bytes, shape).catch((error: Error) => error.message), decoded }
}

const cases: [string, ImageShape, number][] = [
  ['photo-0.jpg', [32, 40, 3], 1], ['photo-3.jpg', [50, 20, 1], 1], ['full-chroma.jpg', [16, 16, 3], 1],
  ['progressive.jpg', [16, 16, 3], 1], ['grey.jpg', [16, 16, 3], 1], ['grey.jpg', [16, 16, 1], 1],
  ['turned.jpg', [16, 16, 3], 0], ['cmyk.jpg', [16, 16, 3], 0], ['rgb.png', [16, 16, 3], 0],
]
for (const [name, shape, times] of cases) {
  test(`TensorFlow reads ${name} to ${shape.join('×')} as sharp does, bit for bit`, { skip: withoutTensorFlow }, async () => {
    const { plain, pixels, decoded } = await both(fixture(name), shape)
    assert.deepEqual(pixels, plain)
    assert.equal(decoded, times)
  })
}

test('pixels that need no resizing outlive the memory they were decoded into', { skip: withoutTensorFlow }, async () => {
  const bytes = fixture('full-chroma.jpg')
  jpegs.decoder = null
  const { default: sharp } = await import('sharp'), { height, width } = await sharp(bytes).metadata()
  const { plain, pixels } = await both(bytes, [height, width, 3])
  for (let i = 0; i < 20; i++) await decodeImage(fixture('photo-1.jpg'), [height, width, 3])
  assert.deepEqual([...pixels], [...plain])
})

test('of a damaged JPEG sharp has the word', { skip: withoutTensorFlow }, async () => {
  const { plain, pixels, decoded } = await both(fixture('photo-0.jpg').subarray(0, 400), [8, 8, 3])
  assert.match(String(plain), /damaged/)
  assert.deepEqual([pixels, decoded], [plain, 0])
})
