import { GraftError } from '../error.ts'

/** A named array of numbers. */
export interface Entry { name: string, shape: number[], values: Float32Array }

/**
 * The bytes of a safetensors file (https://github.com/huggingface/safetensors, "Format"): a header of JSON that says where each
 * tensor lies, then the numbers, as 32-bit floats. Any reader of that format opens it.
 */
export function encodeTensors(entries: Entry[], metadata: Record<string, string> = {}): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: metadata }
  let at = 0
  for (const { name, shape, values } of entries) {
    header[name] = { dtype: 'F32', shape, data_offsets: [at, at + values.byteLength] }
    at += values.byteLength
  }
  const json = Buffer.from(JSON.stringify(header))
  // The numbers begin at a multiple of eight bytes.
  const length = Math.ceil(json.length / 8) * 8, out = Buffer.alloc(8 + length + at, ' ')
  out.writeBigUInt64LE(BigInt(length), 0)
  json.copy(out, 8)
  let place = 8 + length
  for (const { values } of entries) {
    out.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), place)
    place += values.byteLength
  }
  return out
}

interface Described { dtype: string, shape: number[], data_offsets: [number, number] }

/**
 * What such a file holds.
 *
 * @throws GraftError where the bytes are no whole safetensors file of 32-bit floats
 */
export function decodeTensors(bytes: Uint8Array): { entries: Entry[], metadata: Record<string, string> } {
  const damaged = (why: string) => new GraftError(`no whole safetensors file: ${why}.`)
  if (bytes.length < 8) throw damaged(`${bytes.length} bytes`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), length = Number(view.getBigUint64(0, true))
  if (!(length <= bytes.length - 8)) throw damaged('it ends within its header')
  let header: Record<string, Described>
  try {
    header = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset + 8, length).toString())
  } catch (error) {
    throw damaged((error as Error).message)
  }
  const { __metadata__: metadata = {}, ...tensors } = header as Record<string, never>
  const body = 8 + length
  const entries = Object.entries<Described>(tensors).map(([name, { dtype, shape, data_offsets: [from, to] }]) => {
    const size = shape.reduce((product, side) => product * side, 1)
    if (dtype !== 'F32' || to - from !== size * 4 || from < 0 || body + to > bytes.length) throw damaged(`'${name}' does not fit`)
    // Copied: the numbers may begin at any byte, and a Buffer shares its memory with others.
    return { name, shape, values: new Float32Array(Uint8Array.from(bytes.subarray(body + from, body + to)).buffer) }
  })
  return { entries, metadata }
}
