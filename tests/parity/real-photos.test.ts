import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { decodeImage } from '../../lib/data/decode.ts'
import { runPython, skip } from './save/python.ts'

const cache = join(process.env.GRAFT_TEST_CACHE ?? join(import.meta.dirname, '..', '..', '.graft', 'test-cache'), 'photos-1')

test('20 JPEGs of a camera\'s size decode and resize to 224 × 224 as Keras does it, within 2 of 255 in the mean', { skip }, async () => {
  if (!existsSync(cache)) {
    const beside = `${cache}.${process.pid}`
    mkdirSync(beside, { recursive: true })
    await runPython(join(import.meta.dirname, 'real_photos.py'), [beside])
    renameSync(beside, cache)
  }
  const expected = readFileSync(join(cache, 'expected.bin')), each = 224 * 224 * 3
  for (let i = 0; i < 20; i++) {
    const pixels = await decodeImage(readFileSync(join(cache, `${i}.jpg`)), [224, 224, 3])
    let sum = 0
    for (let p = 0; p < each; p++) sum += Math.abs(pixels[p] - expected[i * each + p])
    assert.ok(sum / each <= 2, `${i}.jpg: mean difference ${(sum / each).toFixed(3)}`)
  }
})
