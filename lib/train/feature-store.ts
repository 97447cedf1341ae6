import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { FrozenPrefix } from '../engine/prefix.ts'

/** Multiplications per image from which features are worth a file: fewer are done again in the time that it takes to read one. */
const worth = 1e8

/** So much is kept on disk; the frozen part that was used longest ago goes first. */
const most = 4 * 2 ** 30

/** Where features are kept: by frozen part, a file per image. */
export const featureFolder = (): string => join(process.env.GRAFT_CACHE_DIR ||
  join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'graft'), 'features')

/**
 * Features on disk, for later sessions and for other kernels that run at the same time. A file is named by what the frozen part
 * computes, what runs it, and what the image is; it is written beside its place and renamed, and ends in a checksum. A disk that
 * is full or read-only ends no training: the features are then computed again.
 */
export class FeatureStore {
  readonly #folder: string
  readonly #sizes: number[]
  #writable = true
  /** Bytes since room was last made; none has been made yet. */
  #written = 0
  #looked = false

  /** The store of a frozen part; `null` where what it computes is not worth a file. */
  static of(prefix: FrozenPrefix): FeatureStore | null {
    return prefix.work >= worth ? new FeatureStore(prefix) : null
  }

  private constructor({ hash, engine, shapes }: FrozenPrefix) {
    this.#folder = join(featureFolder(), digest(`${hash} ${engine}`))
    this.#sizes = shapes.map(shape => shape.reduce((n, size) => n * size, 1))
  }

  /** The features of an image, or nothing where there is no whole file of them. */
  async read(id: string): Promise<Float32Array[] | undefined> {
    const bytes = await readFile(this.#file(id)).catch(() => null), size = this.#sizes.reduce((n, each) => n + each, 0) * 4
    if (!bytes || bytes.length !== size + 4 || bytes.readUInt32LE(size) !== crc32(bytes.subarray(0, size))) return undefined
    const all = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + size))
    let at = 0
    return this.#sizes.map(each => all.slice(at, at += each))
  }

  /** Keeps the features of an image. */
  async write(id: string, features: Float32Array[]): Promise<void> {
    if (!this.#writable) return
    const parts = features.map(values => new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    const data = Buffer.concat(parts)
    const sum = Buffer.alloc(4), file = this.#file(id), beside = `${file}.${process.pid}.tmp`
    sum.writeUInt32LE(crc32(data))
    try {
      await mkdir(this.#folder, { recursive: true })
      await writeFile(beside, Buffer.concat([data, sum]))
      await rename(beside, file)
      this.#written += data.length
    } catch {
      this.#writable = false
      await rm(beside, { force: true }).catch(() => {})
    }
  }

  /**
   * Notes that the frozen part was used, and makes room where more is kept than shall be. All files are looked at for that, so it
   * is done at first and then only after every eighth part of the limit, however many batches there are.
   */
  async end(limit = most): Promise<void> {
    const now = new Date()
    await utimes(this.#folder, now, now).catch(() => {})
    if (this.#written === 0 || this.#looked && this.#written < limit / 8) return
    this.#written = 0
    this.#looked = true
    await makeRoom(limit, this.#folder)
  }

  #file(id: string): string {
    return join(this.#folder, featureKey(id))
  }
}

/** The name of an image's file among those of one frozen part. */
export const featureKey = (id: string): string => digest(id)

const digest = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 32)

async function makeRoom(limit: number, kept: string): Promise<void> {
  const names = await readdir(featureFolder()).catch(() => [] as string[])
  const folders = await Promise.all(names.map(async name => {
    const folder = join(featureFolder(), name), files = await readdir(folder).catch(() => [] as string[])
    const sizes = await Promise.all(files.map(file => stat(join(folder, file)).then(({ size }) => size, () => 0)))
    const used = await stat(folder).then(({ mtimeMs }) => mtimeMs, () => 0)
    return { folder, used, size: sizes.reduce((sum, size) => sum + size, 0) }
  }))
  let total = folders.reduce((sum, { size }) => sum + size, 0)
  for (const { folder, size } of folders.sort((a, b) => a.used - b.used)) {
    if (total <= limit) return
    if (folder === kept) continue
    await rm(folder, { recursive: true, force: true }).catch(() => {})
    total -= size
  }
}
