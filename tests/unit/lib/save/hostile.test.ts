import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { LayersModel } from '@tensorflow/tfjs'
import { GraftError } from '../../../../lib/error.ts'
import { fromKeras } from '../../../../lib/save/keras/decode.ts'
import type { Json } from '../../../../lib/save/keras/types.ts'
import * as files from '../../../../lib/files/index.ts'
import { load, save } from '../../../../lib/save/index.ts'
import { tf } from '../../../../lib/tf.ts'
import { zoo } from '../../../parity/save/zoo.ts'

/** How many damaged files are tried; `GRAFT_MUTANTS=5000 node --test tests/unit/lib/save/hostile.test.ts` for more. */
const most = Number(process.env.GRAFT_MUTANTS ?? 150)
const seed = Number(process.env.GRAFT_SEED ?? 1)

/** Mulberry32: the same numbers for the same seed. */
function random(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'graft-hostile-'))
})
after(() => rm(folder, { recursive: true, force: true }))

/** A model comes out, or a GraftError; whatever comes out is disposed. */
async function survives(work: () => LayersModel | Promise<LayersModel>, what: string): Promise<boolean> {
  const { numBytes } = tf.memory()
  try {
    ;(await work()).dispose()
    return true
  } catch (error) {
    assert.ok(error instanceof GraftError, `${what}: ${(error as Error)?.stack}`)
    assert.ok(tf.memory().numBytes - numBytes < 64 << 20, `${what} left ${tf.memory().numBytes - numBytes} bytes`)
    return false
  }
}

/** What looks into a file gives an answer or a GraftError. */
async function looks(work: () => Promise<unknown>, what: string): Promise<void> {
  await work().catch(error => assert.ok(error instanceof GraftError, `${what}: ${(error as Error)?.stack}`))
}

function damage(bytes: Buffer, next: () => number): Buffer {
  const result = Buffer.from(bytes),
    at = Math.floor(next() * bytes.length)
  // Most of a file is numbers; what steers the reader lies in its structures, so half of the damage is done near the start.
  const near = next() < 0.5 ? Math.floor(next() * Math.min(4096, bytes.length)) : at
  switch (Math.floor(next() * 6)) {
    case 0:
      result[near] ^= 1 << Math.floor(next() * 8)
      break
    case 1:
      for (let i = 0; i < 16; i++) result[Math.floor(next() * bytes.length)] = Math.floor(next() * 256)
      break
    case 2:
      result.fill(next() < 0.5 ? 0 : 0xff, near, Math.min(bytes.length, near + Math.floor(next() * 64)))
      break
    case 3:
      return result.subarray(0, at)
    case 4:
      result.copy(result, near, at, at + Math.floor(next() * 256))
      break
    default:
      if (near + 8 <= bytes.length)
        result.writeBigUInt64LE([0n, 1n, 2n ** 31n, 2n ** 40n, 2n ** 63n, 2n ** 64n - 1n][Math.floor(next() * 6)], near & ~7)
  }
  return result
}

for (const [extension, mutants, damaged = ''] of [
  ['.h5', most],
  ['.keras', Math.ceil(most / 2)],
  ['/model.json', most],
  ['/1/saved_model.pb', Math.ceil(most / 3)],
  ['/2/saved_model.pb', Math.ceil(most / 3), '../variables/variables.index'],
  ['/3/saved_model.pb', Math.ceil(most / 3), '../assets.extra/graft.json'],
] as const) {
  test(
    `${mutants} damaged ${extension}${damaged && ` (${damaged})`} files: a model or a GraftError, never a crash, a hang or a heap of memory`,
    { timeout: 600_000 },
    async context => {
      const path = join(folder, `model${extension}`),
        next = random(seed)
      await save(extension.endsWith('.pb') ? zoo.sequential() : zoo.branches(), path)
      const target = join(path, damaged), whole = await readFile(target)
      let opened = 0
      const before = process.memoryUsage().rss
      for (let i = 0; i < mutants; i++) {
        await writeFile(target, damage(whole, next))
        if (await survives(() => load(path), `mutant ${i} of seed ${seed}`)) opened++
        if (i % 5 === 0) await looks(() => files.verify(path), `mutant ${i} of seed ${seed}, verified`)
      }
      context.diagnostic(`${opened} opened, ${mutants - opened} were refused`)
      assert.ok(process.memoryUsage().rss - before < 1 << 30, 'memory grew by more than 1 GiB')
    },
  )
}

const junk: Json[] = [
  null,
  true,
  -1,
  0,
  1e9,
  1e308,
  NaN,
  '',
  'x',
  '__proto__',
  'constructor',
  [],
  [[]],
  {},
  { class_name: 'Dense' },
  [null, 1e9, 1e9],
  'a'.repeat(1000),
]

function mutateJson(value: Json, next: () => number): Json {
  const places: [owner: { [key: string]: Json }, key: string][] = []
  const walk = (at: Json) => {
    if (typeof at !== 'object' || at === null) return
    for (const key of Object.keys(at)) {
      places.push([at as { [key: string]: Json }, key])
      walk((at as { [key: string]: Json })[key])
    }
  }
  const copy = structuredClone(value)
  walk(copy)
  for (let n = 1 + Math.floor(next() * 3); n > 0; n--) {
    const [owner, key] = places[Math.floor(next() * places.length)]
    const kind = next()
    if (kind < 0.2) delete owner[key]
    else if (kind < 0.4) owner[key] = structuredClone(places[Math.floor(next() * places.length)][0])
    else owner[key] = junk[Math.floor(next() * junk.length)]
  }
  // A file holds JSON: no holes, no NaN.
  return JSON.parse(JSON.stringify(copy)) as Json
}

for (const name of ['branches', 'nested', 'bidirectional', 'mobilenet']) {
  test(`${most} damaged configurations of ${name}: a model or a GraftError`, { timeout: 600_000 }, async context => {
    const { toKeras } = await import('../../../../lib/save/keras/encode.ts')
    const model = zoo[name](),
      config = toKeras(model),
      next = random(seed)
    let built = 0
    for (let i = 0; i < most; i++) {
      const mutant = mutateJson(config, next)
      if (await survives(() => fromKeras(mutant, 'keras3', model.countParams()), `mutant ${i} of seed ${seed}`)) built++
    }
    context.diagnostic(`${built} were built, ${most - built} refused`)
  })
}

test('JSON of a hundred thousand brackets is refused', async () => {
  let deep: Json = 1
  for (let i = 0; i < 100_000; i++) deep = [deep]
  await assert.rejects(async () => fromKeras({ class_name: 'Functional', config: { layers: deep } }, 'keras3'), GraftError)
})

test(`${most} damaged .onnx files are looked into: an answer or a GraftError`, { timeout: 600_000 }, async () => {
  const path = join(folder, 'model.onnx'), next = random(seed)
  await save(zoo.sequential(), path)
  const whole = await readFile(path)
  for (let i = 0; i < most; i++) {
    await writeFile(path, damage(whole, next))
    await looks(() => files.summary(path), `mutant ${i} of seed ${seed}`)
  }
})

test('code in a file is refused, not run', () => {
  const lambda = { class_name: 'Lambda', name: 'evil', config: { name: 'evil', function: ['4wEAAAAAAAAA', null, null] },
    inbound_nodes: [] }
  const model = { class_name: 'Sequential', config: { name: 'm', layers: [
    { class_name: 'InputLayer', config: { name: 'i', batch_input_shape: [null, 4] } }, lambda] } }
  assert.throws(() => fromKeras(model as unknown as Json, 'keras3'),
    { name: 'GraftError', message: /'evil' is a Lambda.*no code of a file is run/ })
})

test('a shard is looked for in the folder alone', async () => {
  const json = JSON.stringify({ modelTopology: {}, weightsManifest: [{ paths: ['../../etc/passwd'], weights: [] }] })
  await writeFile(join(folder, 'model.json'), json)
  await assert.rejects(load(join(folder, 'model.json')), { name: 'GraftError', message: /does not lie beside it/ })
})
