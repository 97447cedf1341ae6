import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { decodeImage } from '../../lib/data/decode.ts'

const folder = new URL('../fixtures/images/', import.meta.url)
const read = (name: string) => readFileSync(new URL(name, folder))
const { height, width, offsets } = JSON.parse(read('expected.json').toString()) as { height: number, width: number,
  offsets: Record<string, number> }
const expected = read('expected.bin'), each = height * width * 3

for (const [name, offset] of Object.entries(offsets)) {
  test(`${name} decodes and resizes as Keras does`, async () => {
    const pixels = await decodeImage(read(name), [height, width, 3])
    assert.equal(pixels.length, each)
    let sum = 0
    for (let i = 0; i < each; i++) sum += Math.abs(pixels[i] - expected[offset + i])
    const mean = sum / each
    assert.ok(mean <= 0.5, `mean difference ${mean.toFixed(3)} of 255`)
  })
}
