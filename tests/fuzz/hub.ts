// Damages models at random and opens them: each must end in a model or a GraftError, soon and in bounded memory.
//
//     node tests/fuzz/hub.ts [mutants] [seed]
//
// A hundred thousand take half an hour where TMPDIR lies in memory, and hours on a disk.
// Half of the mutants pass the first parser: checkpoint blocks, tensors and archive headers get good checksums again, and graphs
// are damaged inside well-formed fields. A failure prints its seed and leaves the mutant in a folder.
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import { GraftError } from '../../lib/error.ts'
import { maskedCrc32c } from '../../lib/hub/crc32c.ts'
import { readTable } from '../../lib/hub/sstable.ts'
import { unpack } from '../../lib/hub/unpack.ts'
import { hub } from '../../lib/hub/index.ts'
import { lift } from '../../lib/lift/index.ts'
import { tf } from '../../lib/tf.ts'
import { thin, thinArchive } from '../fixtures/models/models.ts'
import { table } from '../unit/lib/hub/table.ts'
import { randomOf } from './random.ts'

const MODELS = [
  'thin_slim', 'thin_tf_keras', 'thin_keras3', 'thin_tf1', 'blocks_tf_keras', 'sized', 'batches', 'penalized_tf_keras',
]
const JSON_MODELS = ['graph', 'graph_uint8', 'layers', 'layers_uint16']
/** Of the processor's time, not the clock's: a machine may be busy with other things. */
const SLOWEST_SECONDS = 10

type Random = () => number
const below = (random: Random, limit: number) => Math.floor(random() * limit)

/** Flips, overwrites, cuts, repeats or removes some bytes. */
function damage(bytes: Uint8Array, random: Random): Uint8Array {
  let out = Buffer.from(bytes)
  if (!out.length) return out
  for (let times = 1 + below(random, 4); times > 0; times--) {
    const at = below(random, out.length), length = 1 + below(random, Math.min(64, Math.max(1, out.length - at)))
    switch (below(random, 6)) {
      case 0: out[at] ^= 1 << below(random, 8); break
      case 1: out[at] = [0, 1, 0x7f, 0x80, 0xff][below(random, 5)]; break
      case 2: out = out.subarray(0, at); break
      case 3: out = Buffer.concat([out.subarray(0, at), out.subarray(at + length)]); break
      case 4: out = Buffer.concat([out.subarray(0, at + length), out.subarray(at)]); break
      case 5: out.fill(0xff, at, at + Math.min(length, 10)); break
    }
    if (!out.length) break
  }
  return out
}

/** Damages one field somewhere inside a protobuf message and writes all lengths around it anew. */
function damageInside(bytes: Uint8Array, random: Random, depth = 0): Uint8Array {
  const fields: { tag: number, wire: WireType, raw: Uint8Array }[] = []
  try {
    const reader = new BinaryReader(bytes)
    while (reader.pos < reader.len) {
      const [tag, wire] = reader.tag()
      fields.push({ tag, wire, raw: reader.skip(wire, tag) })
    }
  } catch {
    return damage(bytes, random)
  }
  if (!fields.length || depth > 12) return damage(bytes, random)
  const at = below(random, fields.length), chosen = fields[at], writer = new BinaryWriter()
  if (random() < 0.15) fields.splice(at, 1)
  else if (random() < 0.15) fields.splice(below(random, fields.length), 0, chosen)
  else if (chosen.wire === WireType.LengthDelimited) {
    const inner = new BinaryReader(chosen.raw).bytes()
    chosen.raw = new BinaryWriter()
      .bytes(random() < 0.8 ? damageInside(inner, random, depth + 1) : damage(inner, random))
      .finish()
  } else
    chosen.raw =
      chosen.wire === WireType.Varint ? new BinaryWriter().uint32(below(random, 2 ** 32)).finish() : damage(chosen.raw, random)
  for (const { tag, wire, raw } of fields) writer.tag(tag, wire).raw(raw)
  return writer.finish()
}

/** Damages the entries of a checkpoint's index and seals it with good checksums. */
function damageTable(bytes: Uint8Array, random: Random): Uint8Array {
  const pairs = [...readTable(bytes)].map(([key, value]) => [key, value] as const), at = below(random, pairs.length)
  pairs[at] = [pairs[at][0], random() < 0.7 ? damageInside(pairs[at][1], random) : damage(pairs[at][1], random)]
  return table(pairs)
}

/** Damages the numbers of the weights and gives every tensor's entry in the index the checksum of what is there now. */
async function damageWeights(folder: string, random: Random): Promise<void> {
  const file = (name: string) => join(folder, 'variables', `variables.${name}`)
  const data = Buffer.from(await readFile(file('data-00000-of-00001')))
  for (let times = 1 + below(random, 20); times > 0; times--) data[below(random, data.length)] = below(random, 256)
  const entries = [...readTable(await readFile(file('index')))]
    .map(([key, value]) => [key, key ? sealed(value, data) : value] as const)
  await writeFile(file('data-00000-of-00001'), data)
  await writeFile(file('index'), table(entries))
}

/** A tensor's entry (`BundleEntryProto`) with the checksum of its bytes in `data`; strings have another one, which they keep. */
function sealed(entry: Uint8Array, data: Uint8Array): Uint8Array {
  const reader = new BinaryReader(entry), writer = new BinaryWriter()
  let offset = 0, size = 0, isText = false
  while (reader.pos < reader.len) {
    const [tag, wire] = reader.tag(), raw = reader.skip(wire, tag), value = () => new BinaryReader(raw).uint32()
    if (tag === 1) isText = value() === 7
    if (tag === 4) offset = value()
    if (tag === 5) size = value()
    if (tag === 6 && !isText) writer.tag(6, WireType.Bit32).fixed32(maskedCrc32c(data.subarray(offset, offset + size)))
    else writer.tag(tag, wire).raw(raw)
  }
  return writer.finish()
}

/** Damages a tar archive and gives each header whose place is still found the checksum of what it says now. */
function damageTar(bytes: Uint8Array, random: Random): Uint8Array {
  const out = Buffer.from(bytes), headers: number[] = []
  const blocks = (at: number) => Math.ceil(parseInt(out.toString('latin1', at + 124, at + 136), 8) / 512)
  for (let at = 0; at + 512 <= out.length && out[at]; at += 512 + blocks(at) * 512) headers.push(at)
  for (let times = 1 + below(random, 4); times > 0; times--) {
    const header = headers[below(random, headers.length)], inHeader = random() < 0.7
    out[inHeader ? header + below(random, 345) : below(random, out.length)] = below(random, 256)
  }
  for (const at of headers) {
    out.fill(' ', at + 148, at + 156)
    const sum = out.subarray(at, at + 512).reduce((a, b) => a + b, 0)
    out.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148, 'latin1')
  }
  return out
}

/** Puts something else at one place of a JSON value, and leaves it well formed. */
function damageJson(text: string, random: Random): string {
  const whole = JSON.parse(text) as unknown
  for (let times = 1 + below(random, 3); times > 0; times--) {
    let at = whole as Record<string, unknown>
    for (let depth = 0; depth < 12; depth++) {
      const keys = Object.keys(at)
      if (!keys.length) break
      const key = keys[below(random, keys.length)], next = at[key]
      if (next !== null && typeof next === 'object' && random() < 0.85) { at = next as typeof at; continue }
      const odd = [
        null, -1, 0, 2 ** 31, 1e308, '', 'float32', true, [], {}, [[]], '__proto__', next, [next, next], { [key]: next },
      ]
      if (random() < 0.2) Reflect.deleteProperty(at, key)
      else at[key] = odd[below(random, odd.length)]
      break
    }
  }
  return JSON.stringify(whole)
}

const JSON_KINDS: Record<string, (folder: string, random: Random) => Promise<void>> = {
  'model.json': (folder, random) => change(join(folder, 'model.json'), bytes => damage(bytes, random)),
  'inside model.json': (folder, random) =>
    change(join(folder, 'model.json'), bytes => Buffer.from(damageJson(Buffer.from(bytes).toString(), random))),
}

const KINDS: Record<string, (folder: string, random: Random) => Promise<void>> = {
  graph: (folder, random) => change(join(folder, 'saved_model.pb'), bytes => damage(bytes, random)),
  'inside the graph': (folder, random) => change(join(folder, 'saved_model.pb'), bytes => damageInside(bytes, random)),
  index: (folder, random) => change(join(folder, 'variables', 'variables.index'), bytes => damage(bytes, random)),
  'inside the index': (folder, random) =>
    change(join(folder, 'variables', 'variables.index'), bytes => damageTable(bytes, random)),
  weights: (folder, random) => change(join(folder, 'variables', 'variables.data-00000-of-00001'), bytes => damage(bytes, random)),
  'inside the weights': damageWeights,
}

async function change(file: string, how: (bytes: Uint8Array) => Uint8Array): Promise<void> {
  await writeFile(file, how(await readFile(file)))
}

/** Opens `count` mutants; returns how they ended. Throws at the first that ends in anything but a model or a GraftError. */
export async function fuzz(
  count: number,
  seed: number,
  begins: (mutant: string) => void = () => {},
): Promise<{ models: number, errors: number, inner: Map<string, number> }> {
  const scratch = await mkdtemp(join(tmpdir(), 'graft-fuzz-')),
    result = { models: 0, errors: 0, inner: new Map<string, number>() }
  const intact = new Map(JSON_MODELS.map(name => [name, join(import.meta.dirname, '..', 'fixtures', 'tfjs', name)]))
  for (const name of MODELS) intact.set(name, (await thin(name)).folder)
  const tars = await Promise.all(MODELS.map(async name => gunzipSync(await readFile(thinArchive(name)))))
  const kinds = [...Object.keys(KINDS), 'archive', 'inside the archive', ...Object.keys(JSON_KINDS)]
  for (let i = 0; i < count; i++) {
    const random = randomOf(seed + i),
      kind = kinds[(seed + i) % kinds.length],
      models = JSON_KINDS[kind] ? JSON_MODELS : MODELS,
      which = below(random, models.length),
      mutant = join(scratch, `${seed + i}`)
    begins(`seed ${seed + i} (${kind} of ${models[which]})`)
    const before = process.cpuUsage(), tensors = tf.memory().numTensors
    try {
      if (JSON_KINDS[kind] ?? KINDS[kind]) {
        await cp(intact.get(models[which])!, mutant, { recursive: true })
        await (JSON_KINDS[kind] ?? KINDS[kind])(mutant, random)
      } else {
        const tar = tars[which]
        const level = { level: 1 }
        const archive = kind === 'archive' ? damage(gzipSync(tar, level), random) : gzipSync(damageTar(tar, random), level)
        await mkdir(mutant)
        await writeFile(join(mutant, 'archive'), archive)
      }
      const folder = kind.endsWith('archive') ? await unpack(join(mutant, 'archive'), join(mutant, 'model'), 'mutant') : mutant
      ;(JSON_KINDS[kind] ? await hub.load(folder, { fresh: true }) : (await lift(folder)).model).dispose()
      result.models++
    } catch (error) {
      const { cause, message } = error as Error, tellsTheInside = cause instanceof TypeError && message.includes(cause.message)
      if (!(error instanceof GraftError) || tellsTheInside)
        throw new Error(`seed ${seed + i} (${kind} of ${models[which]}, left in ${mutant})`, { cause: error })
      result.errors++
      if (cause instanceof TypeError) result.inner.set(String(cause.stack).split('\n').slice(0, 2).join(''), seed + i)
    }
    const seconds = process.cpuUsage(before).user / 1e6, left = tf.memory().numTensors - tensors
    if (seconds > SLOWEST_SECONDS) throw new Error(`seed ${seed + i} (${kind} of ${models[which]}) took ${seconds} s`)
    if (left) throw new Error(`seed ${seed + i} (${kind} of ${models[which]}) left ${left} tensors behind`)
    await rm(mutant, { recursive: true })
  }
  await rm(scratch, { recursive: true })
  return result
}

if (process.argv[1] === import.meta.filename) {
  const [count = 1000, seed = 1] = process.argv.slice(2).map(Number)
  let mutant = ''
  process.on('exit', code => {
    if (code) console.error(`ended at ${mutant}`)
  })
  const { models, errors, inner } = await fuzz(count, seed, name => { mutant = name })
  for (const [where, which] of inner) console.log(`seed ${which}: ${where}`)
  console.log(
    `${count} mutants: ${models} models, ${errors} errors that say why;`,
    `${Math.round(process.resourceUsage().maxRSS / 1024)} MB at most`,
  )
}
