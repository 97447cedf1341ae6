import { type FileHandle, open, readFile } from 'node:fs/promises'
import { BinaryReader } from '@bufbuild/protobuf/wire'
import { GraftError } from '../error.ts'
import { maskedCrc32c } from './crc32c.ts'
import { int64, readMessage } from './proto.ts'
import { readTable } from './sstable.ts'
import { dataType, type DenseTensor, numbersOf, readShape, sizeOf } from './tensor.ts'

/** Where one tensor of a checkpoint lies. */
export interface Entry {
  dtype: string
  shape: number[]
  shard: number
  offset: number
  size: number
  crc: number
  /** A TF1 variable that was saved in parts: where each part starts and how long it is, by dimension. */
  slices: { start: number, length: number }[][]
}

/** One node of the object graph inside a checkpoint. */
export interface CheckpointObject {
  children: Map<string, number>
  /** Checkpoint keys by attribute, e.g. `VARIABLE_VALUE`. */
  keys: Map<string, string>
}

/**
 * A checkpoint as TensorFlow writes it (a "tensor bundle"): an index table beside data shards. Tensors are read when asked for
 * and checked by their CRC-32C. Close it after use.
 *
 * @example
 * const checkpoint = await Checkpoint.open('./mobilenet/variables/variables')
 * const kernel = await checkpoint.read('MobilenetV2/Conv/weights')
 */
export class Checkpoint {
  readonly prefix: string
  readonly #entries: Map<string, Entry>
  #shards: number
  #files = new Map<number, Promise<FileHandle>>()

  private constructor(prefix: string, entries: Map<string, Entry>, shards: number) {
    this.prefix = prefix
    this.#entries = entries
    this.#shards = shards
  }

  /** Opens `prefix.index`. Throws a GraftError where it is missing or damaged. */
  static async open(prefix: string): Promise<Checkpoint> {
    const bytes = await readFile(`${prefix}.index`).catch((error: NodeJS.ErrnoException) => {
      throw new GraftError(
        error.code === 'ENOENT'
          ? `the model has no weights: ${prefix}.index is missing. Expected a SavedModel with variables/; ` +
            'download it anew or open another one with hub.load(\'./folder\').'
          : `cannot read ${prefix}.index: ${error.message}.`,
      )
    })
    try {
      const entries = new Map<string, Entry>()
      let shards = 1
      for (const [key, value] of readTable(bytes)) {
        if (key) entries.set(key, readEntryProto(value))
        else shards = readHeader(value)
      }
      return new Checkpoint(prefix, entries, shards)
    } catch (error) {
      if (error instanceof GraftError) throw error
      throw damaged(`${prefix}.index`, (error as Error).message)
    }
  }

  /** The names of the tensors it holds. */
  get names(): string[] {
    return [...this.#entries.keys()].filter(key => !key.startsWith('\0')).map(key => Buffer.from(key, 'latin1').toString())
  }

  /** Whether it holds tensor `key`. */
  has(key: string): boolean {
    return this.#entries.has(byteString(key))
  }

  /** Reads one tensor. Throws a GraftError where the checkpoint has none of that name, or its bytes are cut off or damaged. */
  async read(key: string): Promise<DenseTensor> {
    return await this.#read(byteString(key), key)
  }

  async #read(stored: string, key: string): Promise<DenseTensor> {
    const entry = this.#entries.get(stored)
    if (!entry) throw damaged(`${this.prefix}.index`, `it has no tensor '${key}'`)
    if (entry.slices.length) return this.#assemble(key, entry)
    const bytes = await this.#bytes(key, entry)
    try {
      if (entry.dtype === 'string')
        return { dtype: 'string', shape: entry.shape, data: new Uint8Array(), strings: readStrings(bytes, sizeOf(entry.shape)) }
      return { dtype: entry.dtype, shape: entry.shape, data: numbersOf(entry.dtype, bytes, sizeOf(entry.shape)) }
    } catch (error) {
      throw damaged(this.#file(entry.shard), `tensor '${key}': ${(error as Error).message}`)
    }
  }

  /** The object graph (`trackable_object_graph.proto`) of a TF2 checkpoint; `null` in a TF1 one. */
  async objects(): Promise<CheckpointObject[] | null> {
    if (!this.has('_CHECKPOINTABLE_OBJECT_GRAPH')) return null
    const { strings } = await this.read('_CHECKPOINTABLE_OBJECT_GRAPH')
    const objects: CheckpointObject[] = []
    try {
      readMessage(strings![0], { 1: r => { objects.push(readObject(r.bytes())) } })
    } catch (error) {
      throw damaged(this.prefix, `its object graph: ${(error as Error).message}`)
    }
    return objects
  }

  /** Closes the shards. */
  async close(): Promise<void> {
    for (const file of this.#files.values()) await (await file.catch(() => null))?.close()
    this.#files.clear()
  }

  #file(shard: number): string {
    const pad = (n: number) => String(n).padStart(5, '0')
    return `${this.prefix}.data-${pad(shard)}-of-${pad(this.#shards)}`
  }

  async #bytes(key: string, entry: Entry): Promise<Uint8Array> {
    const path = this.#file(entry.shard)
    let handle = this.#files.get(entry.shard)
    if (!handle) this.#files.set(entry.shard, handle = open(path))
    const file = await handle.catch((error: NodeJS.ErrnoException) => {
      throw damaged(path, error.code === 'ENOENT' ? 'the file is missing' : error.message)
    })
    const { size } = await file.stat()
    if (entry.offset + entry.size > size)
      throw damaged(path, `it is cut off: tensor '${key}' ends at byte ${entry.offset + entry.size} of ${size}`)
    const bytes = new Uint8Array(entry.size)
    let done = 0
    while (done < entry.size) {
      const { bytesRead } = await file.read(bytes, done, entry.size - done, entry.offset + done)
      if (!bytesRead) throw damaged(path, `tensor '${key}' is cut off`)
      done += bytesRead
    }
    if (entry.dtype !== 'string' && maskedCrc32c(bytes) !== entry.crc)
      throw damaged(path, `the checksum of tensor '${key}' does not match`)
    return bytes
  }

  async #assemble(key: string, entry: Entry): Promise<DenseTensor> {
    const whole = { dtype: entry.dtype, shape: entry.shape, data: new Float32Array(sizeOf(entry.shape)) }
    if (entry.dtype !== 'float32')
      throw damaged(this.prefix, `tensor '${key}' of ${entry.dtype} is stored in parts, which only float32 may be`)
    for (const slice of entry.slices) {
      const part = await this.#read(sliceKey(key, slice), key)
      if (part.shape.some((size, d) => slice[d].start + size > entry.shape[d]))
        throw damaged(this.prefix, `a part of tensor '${key}' lies outside it`)
      copyInto(whole, part, slice.map(({ start }) => start))
    }
    return whole
  }
}

const byteString = (key: string): string => Buffer.from(key).toString('latin1')

const damaged = (file: string, what: string) =>
  new GraftError(`the model's weights are damaged: ${file}: ${what}. Delete the model's folder and load it anew, `
    + 'or open an intact copy with hub.load(\'./folder\').')

function readHeader(bytes: Uint8Array): number {
  let shards = 1, big = false
  readMessage(bytes, { 1: r => { shards = r.int32() }, 2: r => { big = r.int32() === 1 } })
  if (big) throw new RangeError('it was written by a big-endian machine')
  return shards
}

function readEntryProto(bytes: Uint8Array): Entry {
  const entry: Entry = { dtype: 'float32', shape: [], shard: 0, offset: 0, size: 0, crc: 0, slices: [] }
  readMessage(bytes, {
    1: r => { entry.dtype = dataType(r.int32()) },
    2: r => { entry.shape = readShape(r.bytes()) ?? [] },
    3: r => { entry.shard = r.int32() },
    4: r => { entry.offset = int64(r) },
    5: r => { entry.size = int64(r) },
    6: r => { entry.crc = r.fixed32() },
    7: r => {
      const slice: Entry['slices'][0] = []
      readMessage(r.bytes(), {
        1: s => {
          const extent = { start: 0, length: -1 }
          readMessage(s.bytes(), { 1: e => { extent.start = int64(e) }, 2: e => { extent.length = int64(e) } })
          slice.push(extent)
        },
      })
      entry.slices.push(slice)
    },
  })
  if (entry.offset < 0 || entry.size < 0 || entry.shape.some(d => d < 0)) throw new RangeError('an entry with a negative size')
  return entry
}

function readObject(bytes: Uint8Array): CheckpointObject {
  const object: CheckpointObject = { children: new Map(), keys: new Map() }
  readMessage(bytes, {
    1: r => {
      let id = 0, name = ''
      readMessage(r.bytes(), { 1: c => { id = c.int32() }, 2: c => { name = c.string() } })
      object.children.set(name, id)
    },
    2: r => {
      let name = '', key = ''
      readMessage(r.bytes(), { 1: a => { name = a.string() }, 3: a => { key = a.string() } })
      object.keys.set(name, key)
    },
  })
  return object
}

/** String tensors: the lengths as varints, their CRC, then the bytes one after the other. */
function readStrings(bytes: Uint8Array, count: number): Uint8Array[] {
  const reader = new BinaryReader(bytes), lengths: number[] = []
  for (let i = 0; i < count; i++) lengths.push(Number(reader.uint64()))
  const fixed = new Uint8Array(Uint32Array.from(lengths).buffer)
  if (reader.fixed32() !== maskedCrc32c(fixed)) throw new RangeError('the checksum of its lengths does not match')
  return lengths.map(length => {
    if (reader.pos + length > reader.len) throw new RangeError('a string is cut off')
    const start = reader.pos
    reader.pos += length
    return bytes.subarray(start, reader.pos)
  })
}

/** The key of one part: `EncodeTensorNameSlice` of TensorFlow's saved_tensor_slice_util, an ordered code. */
function sliceKey(name: string, slice: Entry['slices'][0]): string {
  const bytes: number[] = [0]
  const escaped = Buffer.from(name)
  for (const byte of escaped) bytes.push(byte, ...(byte === 0 ? [255] : byte === 255 ? [0] : []))
  bytes.push(0, 1, ...orderedNumber(slice.length))
  for (const { start, length } of slice) bytes.push(...orderedSigned(start), ...orderedSigned(length))
  return Buffer.from(bytes).toString('latin1')
}

function orderedNumber(value: number): number[] {
  const digits: number[] = []
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) digits.unshift(rest % 256)
  return [digits.length, ...digits]
}

/** A signed number whose bytes sort as the numbers do: as many leading ones as it has bytes, then the number, big-endian. */
function orderedSigned(value: number): number[] {
  if (value >= -64 && value < 64) return [0x80 ^ value & 255]
  const length = Math.ceil((Math.floor(Math.log2(Math.abs(value))) + 2) / 7), bytes: number[] = []
  for (let rest = value, i = 0; i < length; i++, rest = Math.floor(rest / 256)) bytes.unshift(rest & 255)
  bytes[0] ^= 0xff << 8 - length & 255
  return bytes
}

function copyInto(whole: DenseTensor, part: DenseTensor, starts: number[]): void {
  const rank = whole.shape.length, row = part.shape[rank - 1] ?? 1
  for (let from = 0; from < part.data.length; from += row) {
    let rest = from / row, to = 0, stride = 1
    const at = new Array<number>(rank).fill(0)
    for (let d = rank - 2; d >= 0; d--) { at[d] = rest % part.shape[d]; rest = Math.floor(rest / part.shape[d]) }
    for (let d = rank - 1; d >= 0; d--) { to += (at[d] + starts[d]) * stride; stride *= whole.shape[d] }
    whole.data.set(part.data.subarray(from, from + row), to)
  }
}
