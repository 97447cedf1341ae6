import { readEntry, readMessage } from './proto.ts'
import { readShape } from './tensor.ts'

/** A TensorSpec inside a structure: where a callable takes or gives a tensor. */
export class TensorSpec {
  name = ''
  dtype = 1
  /** Unknown dimensions are -1; `null` is an unknown rank. */
  shape: number[] | null = []
}

/** A Python value as `struct.proto` keeps it: signatures of functions, and the arguments of their traces. */
export type Structure = null | number | string | boolean | TensorSpec | Structure[] | { [key: string]: Structure }

/** Reads a `StructuredValue`. Named tuples become objects; what models do not need (shapes, other specs) becomes `null`. */
export function readStructure(bytes: Uint8Array, depth = 0): Structure {
  if (depth > 50) throw new RangeError('a structure nested more than 50 deep')
  let value: Structure = null
  const list = (data: Uint8Array) => {
    const out: Structure[] = []
    readMessage(data, { 1: r => { out.push(readStructure(r.bytes(), depth + 1)) } })
    return out
  }
  readMessage(bytes, {
    11: r => { value = r.double() },
    12: r => { value = Number(r.sint64()) },
    13: r => { value = r.string() },
    14: r => { value = r.bool() },
    33: r => { value = readSpec(r.bytes()) },
    51: r => { value = list(r.bytes()) },
    52: r => { value = list(r.bytes()) },
    53: r => {
      const out: Record<string, Structure> = {}
      readMessage(r.bytes(), {
        1: entry => {
          const [key, data] = readEntry(entry.bytes())
          out[key] = readStructure(data, depth + 1)
        },
      })
      value = out
    },
    54: r => {
      const out: Record<string, Structure> = {}
      readMessage(r.bytes(), {
        2: pair => {
          let key = '', data: Uint8Array = new Uint8Array()
          readMessage(pair.bytes(), { 1: p => { key = p.string() }, 2: p => { data = p.bytes() } })
          out[key] = readStructure(data, depth + 1)
        },
      })
      value = out
    },
  })
  return value
}

function readSpec(bytes: Uint8Array): TensorSpec {
  const spec = new TensorSpec()
  readMessage(bytes, {
    1: r => { spec.name = r.string() }, 2: r => { spec.shape = readShape(r.bytes()) }, 3: r => { spec.dtype = r.int32() },
  })
  return spec
}

/** The tensors of a structure in TensorFlow's order: lists as they stand, dictionaries by sorted key. */
export function tensorSpecs(value: Structure | undefined, path = ''): { spec: TensorSpec, path: string }[] {
  if (value instanceof TensorSpec) return [{ spec: value, path: path || value.name }]
  if (Array.isArray(value)) return value.flatMap((item, i) => tensorSpecs(item, path ? `${path}.${i}` : ''))
  if (value && typeof value === 'object')
    return Object.keys(value)
      .sort()
      .flatMap(key => tensorSpecs(value[key], path ? `${path}.${key}` : key))
  return []
}
