import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { isMainThread } from 'node:worker_threads'
import { isTurned } from './exif.ts'
import type { Bitmap } from './resize.ts'

/**
 * Decodes a JPEG of 8 bits, grey or in colours, with libjpeg-turbo, off the main thread: the pixels of Pillow and of sharp in
 * less than half of sharp's time, for nothing goes through a pipeline. `use` makes of the picture what is wanted; the picture's
 * memory serves the next one afterwards.
 *
 * @returns null where this is no such JPEG, its EXIF turns it, or it is damaged: sharp reads it, or says what is wrong
 */
export async function decodeJpeg(
  bytes: Uint8Array, channels: number, use: (image: Bitmap) => Uint8Array,
): Promise<Uint8Array | null> {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8 || isTurned(bytes)) return null
  const turbo = await loaded()
  if (!turbo) return null
  const seat = seats.pop() ?? { handle: turbo.tj3Init(decompress), memory: none }
  try {
    const head = readHead(turbo, seat.handle, bytes)
    if (!head) return null
    const { height, width, grey } = head, depth = grey && channels === 1 ? 1 : 3, size = height * width * depth
    if (seat.memory.length < size) seat.memory = new Uint8Array(Buffer.allocUnsafeSlow(size).buffer)
    const picture = [seat.handle, bytes, bytes.length, seat.memory, 0, depth === 1 ? format.grey : format.rgb] as const
    // A thread that is there for reading may wait.
    const code = isMainThread ? await promisify(turbo.tj3Decompress8.async)(...picture) : turbo.tj3Decompress8(...picture)
    if (code) return null
    const data = seat.memory.subarray(0, size), made = use({ data, height, width, channels: depth })
    return made === data ? made.slice() : made
  } finally {
    if (seats.length < spare) seats.push({ ...seat, memory: seat.memory.length > mostKept ? none : seat.memory })
    else turbo.tj3Destroy(seat.handle)
  }
}

/** Size and colours; null for what the decoder does not take: CMYK, other depths than 8 bits, more pixels than anyone means. */
function readHead(turbo: Turbo, handle: bigint, bytes: Uint8Array): { height: number, width: number, grey: boolean } | null {
  if (turbo.tj3DecompressHeader(handle, bytes, bytes.length)) return null
  const of = (name: keyof typeof parameters) => turbo.tj3Get(handle, parameters[name])
  const height = of('height'), width = of('width'), space = of('space')
  if (of('precision') !== 8 || space > spaces.grey || height * width > mostPixels) return null
  return { height, width, grey: space === spaces.grey }
}

// Of turbojpeg.h 3.1: enums TJINIT, TJPARAM, TJCS and TJPF.
const decompress = 1, parameters = { width: 5, height: 6, precision: 7, space: 8 }
const spaces = { grey: 2 }, format = { rgb: 0, grey: 6 }
const mostPixels = 500e6

/** A decoder and the memory it writes to. Fresh memory costs a third of the decoding, for the system clears it page by page. */
interface Seat { handle: bigint, memory: Uint8Array }
const none = new Uint8Array(0), seats: Seat[] = [], spare = 4, mostKept = 2 ** 24

/** A decoder, a file and its length, where the pixels go, how far its rows are apart (0: not), and the order of the channels. */
type Target = readonly [handle: bigint, bytes: Uint8Array, length: number, pixels: Uint8Array, pitch: number, format: number]

/** The functions of libjpeg-turbo that are used, as in turbojpeg.h. */
interface Turbo {
  tj3Init(kind: number): bigint
  tj3Destroy(handle: bigint): void
  tj3Get(handle: bigint, parameter: number): number
  tj3DecompressHeader(handle: bigint, bytes: Uint8Array, length: number): number
  tj3Decompress8: ((...picture: Target) => number) & {
    async(...picture: [...Target, done: (error: unknown, code: number) => void]): void
  }
}

let turbo: Promise<Turbo | null> | null = null
/** Without it sharp reads all. */
const loaded = () => turbo ??= load().catch(() => null)

/**
 * libjpeg-turbo as the package brings it: a library for Linux, a module for macOS that exports the same functions; that for
 * Windows exports none. The package's own functions know the fast cosine transform alone, which makes white 254.
 */
async function load(): Promise<Turbo | null> {
  const home = dirname(createRequire(import.meta.url).resolve('@julusian/jpeg-turbo/package.json'))
  const here = join(home, 'prebuilds', `jpeg-turbo-${process.platform}-${process.arch}`)
  const { koffi } = await import('../engine/tensorflow/foreign.ts')
  const name = 'libturbojpeg.so.0', places = [join(here, name), join(`${here}-musl`, name), join(here, 'node-napi-v10.node')]
  for (const file of places) {
    try {
      const library = koffi.load(file)
      return {
        tj3Init: library.func('void *tj3Init(int)'),
        tj3Destroy: library.func('void tj3Destroy(void *)'),
        tj3Get: library.func('int tj3Get(void *, int)'),
        tj3DecompressHeader: library.func('int tj3DecompressHeader(void *, void *, size_t)'),
        tj3Decompress8: library.func('int tj3Decompress8(void *, void *, size_t, void *, int, int)'),
      }
    } catch {
      // Not there, or for another C library.
    }
  }
  return null
}
