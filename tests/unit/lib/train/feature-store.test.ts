import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, beforeEach, test } from 'node:test'
import type { FrozenPrefix } from '../../../../lib/engine/prefix.ts'
import { FeatureStore, featureFolder } from '../../../../lib/train/feature-store.ts'

const scratch = mkdtempSync(join(tmpdir(), 'graft-features-'))
process.env.GRAFT_CACHE_DIR = scratch
beforeEach(() => rmSync(featureFolder(), { recursive: true, force: true }))
after(() => rmSync(scratch, { recursive: true }))

const prefix = (hash = 'a', work = 3e8) => ({ hash, engine: 'ONNX Runtime 1', shapes: [[2, 2], [3]], work }) as unknown as FrozenPrefix
const features = () => [Float32Array.of(1, 2, 3, 4), Float32Array.of(5, 6, 7)]
const files = () => readdirSync(featureFolder(), { recursive: true, withFileTypes: true }).filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name))

test('features come back as they were, in another store of the same frozen part, and of no other', async () => {
  await FeatureStore.of(prefix())!.write('image one', features())
  assert.deepEqual(await FeatureStore.of(prefix())!.read('image one'), features())
  assert.equal(await FeatureStore.of(prefix())!.read('image two'), undefined)
  assert.equal(await FeatureStore.of(prefix('b'))!.read('image one'), undefined)
  assert.deepEqual(files().filter(file => file.endsWith('.tmp')), [])
})

test('what is computed as fast as it is read is not kept', () => assert.equal(FeatureStore.of(prefix('a', 1e6)), null))

test('a file that was cut off or changed is not believed', async () => {
  const store = FeatureStore.of(prefix())!
  await store.write('image', features())
  const [file] = files(), whole = readFileSync(file)
  whole[3] ^= 1
  writeFileSync(file, whole)
  assert.equal(await store.read('image'), undefined)
  truncateSync(file, 10)
  assert.equal(await store.read('image'), undefined)
})

test('where too much is kept, the frozen part used longest ago goes', async () => {
  for (const hash of ['a', 'b', 'c']) {
    const store = FeatureStore.of(prefix(hash))!
    await store.write('image', features())
    await store.end(hash === 'c' ? 2 * 32 : undefined)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  const left = await Promise.all(['a', 'b', 'c'].map(hash => FeatureStore.of(prefix(hash))!.read('image')))
  assert.deepEqual(left.map(Boolean), [false, true, true])
})

test('room is made at first and after every eighth part of the limit, not after every batch', async () => {
  const store = FeatureStore.of(prefix('new'))!, other = FeatureStore.of(prefix('other'))!
  const write = async (some: FeatureStore, count: number) => {
    for (let i = 0; i < count; i++) await some.write(`image ${i}`, features())
  }
  // Each image takes 28 bytes, and 4 for its checksum.
  for (const [limit, looked] of [[9 * 32, true], [9 * 32, false], [4 * 32, true]] as const) {
    await write(other, 10)
    await write(store, 1)
    await store.end(limit)
    assert.equal(await other.read('image 0') === undefined, looked, `limit ${limit}`)
  }
})

test('a folder that cannot be written to is passed over', async () => {
  writeFileSync(featureFolder(), 'in the way')
  const store = FeatureStore.of(prefix())!
  await store.write('image', features())
  await store.end()
  assert.equal(await store.read('image'), undefined)
  rmSync(featureFolder())
  assert.ok(!existsSync(featureFolder()))
})
