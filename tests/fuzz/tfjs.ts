// Damages the model.json of TensorFlow.js models inside well-formed JSON and opens them: each must end in a model or a
// GraftError.
//
//     node tests/fuzz/tfjs.ts [mutants] [seed]
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GraftError } from '../../lib/error.ts'
import { host, installHost } from '../../lib/host.ts'
import { hub } from '../../lib/hub/index.ts'
import { randomOf } from './random.ts'

const fixtures = join(import.meta.dirname, '..', 'fixtures', 'tfjs'), models = ['graph', 'graph_slim', 'graph_uint8', 'layers',
  'layers_chain']
const values = [null, -1, 0, 1, 0.5, 1e9, 2 ** 31, '', 'x', '-1', 'Conv2D', '__proto__', true, [], [1e9, 1e9], {}, { size: '-1' }]
const slowest = 20_000

/** Removes, repeats or replaces something somewhere inside a value. */
function damage(value: Record<string, unknown>, random: () => number, depth = 0): void {
  const keys = Object.keys(value), key = keys[Math.floor(random() * keys.length)], inner = value[key]
  if (key === undefined) return
  if (typeof inner === 'object' && inner && depth < 14 && random() < 0.85) return damage(inner as Record<string, unknown>,
    random, depth + 1)
  const how = random()
  if (how < 0.2 && Array.isArray(value)) value.splice(Number(key), 1)
  else if (how < 0.2) delete value[key]
  else if (how < 0.4 && Array.isArray(value)) value.push(inner)
  else value[key] = values[Math.floor(random() * values.length)]
}

/** Opens `count` mutants; returns how they ended. Throws at the first that ends in anything but a model or a GraftError. */
export async function fuzzTfjs(count: number, seed: number): Promise<{ models: number, errors: number }> {
  const scratch = await mkdtemp(join(tmpdir(), 'graft-fuzz-')), result = { models: 0, errors: 0 }, before = host()
  installHost({ ...before, display() {}, update() {} })
  try {
    for (let i = 0; i < count; i++) {
      const random = randomOf(seed + i), name = models[Math.floor(random() * models.length)], folder = join(scratch, name)
      await cp(join(fixtures, name), folder, { recursive: true })
      const json = JSON.parse(await readFile(join(fixtures, name, 'model.json'), 'utf8')) as Record<string, unknown>
      for (let times = 1 + Math.floor(random() * 3); times > 0; times--) damage(json, random)
      await writeFile(join(folder, 'model.json'), JSON.stringify(json))
      const started = performance.now()
      try {
        ;(await hub.load(folder, { fresh: true })).dispose()
        result.models++
      } catch (error) {
        if (!(error instanceof GraftError)) throw new Error(`seed ${seed + i} (${name})`, { cause: error })
        result.errors++
      }
      if (performance.now() - started > slowest) throw new Error(`seed ${seed + i} (${name}) took more than ${slowest / 1000} s`)
    }
  } finally {
    installHost(before)
    await rm(scratch, { recursive: true })
  }
  return result
}

if (process.argv[1] === import.meta.filename) {
  const [count = 1000, seed = 1] = process.argv.slice(2).map(Number), { models: opened, errors } = await fuzzTfjs(count, seed)
  console.log(`${count} mutants: ${opened} models, ${errors} errors that say why`)
}
