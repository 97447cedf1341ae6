import { readFileSync } from 'node:fs'

/** What pixels.wasm exports; pixels.as.ts says what the arguments are. */
interface Pixels {
  mixRow(
    out: number, above: number, below: number, left: number, right: number, across: number, width: number, channels: number,
    down: number,
  ): void
  lookUp(out: number, bytes: number, table: number, count: number): void
}

const memory = new WebAssembly.Memory({ initial: 16 })
const code = new WebAssembly.Module(readFileSync(new URL('./pixels.wasm', import.meta.url)))

/** Functions on the bytes of {@link room}, several times as fast as JavaScript's. */
export const { mixRow, lookUp } = new WebAssembly.Instance(code, { env: { memory } }).exports as unknown as Pixels

/** At least so many bytes, for one calculation: the next one writes over them. */
export function room(bytes: number): ArrayBuffer {
  const more = bytes - memory.buffer.byteLength
  if (more > 0) memory.grow(Math.ceil(more / 2 ** 16))
  return memory.buffer
}
