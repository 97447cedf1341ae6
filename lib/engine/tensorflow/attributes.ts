import type { AttributeKind, OpDefinition } from './op-definitions.ts'
import type { Library, Pointer } from './library.ts'
import { typeNumbers } from './types.ts'
import type { TypeName } from './types.ts'

/** A value as a kernel gives it; its kind comes from the operation's definition. Types are named as in TensorFlow.js. */
export type Attribute = string | number | boolean | number[]
export type Attributes = Record<string, Attribute | undefined>

const encoder = new TextEncoder()

/** Sets the attributes of an operation that is run at once (`TFE_Op`) or of a node in a graph (`TF_`). */
export function setAttributes(library: Library, way: 'TFE_Op' | 'TF_', op: Pointer, name: string, definition: OpDefinition, attributes: Attributes): void {
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined) continue
    const kind = definition.attributes.get(key)
    if (!kind) throw new Error(`operation ${name} has no attribute '${key}'`)
    set[kind]?.(library, way, op, key, value)
  }
}

type Set = (library: Library, way: 'TFE_Op' | 'TF_', op: Pointer, key: string, value: Attribute) => void

const set: Partial<Record<AttributeKind, Set>> = {
  string(library, way, op, key, value) {
    const bytes = encoder.encode(String(value))
    library[`${way}SetAttrString`](op, key, bytes, bytes.length)
  },
  int: (library, way, op, key, value) => library[`${way}SetAttrInt`](op, key, BigInt(value as number)),
  float: (library, way, op, key, value) => library[`${way}SetAttrFloat`](op, key, value),
  bool: (library, way, op, key, value) => library[`${way}SetAttrBool`](op, key, value ? 1 : 0),
  type: (library, way, op, key, value) => library[`${way}SetAttrType`](op, key, typeNumbers[value as TypeName]),
  'list(int)'(library, way, op, key, value) {
    const list = value as number[]
    library[`${way}SetAttrIntList`](op, key, BigInt64Array.from(list, BigInt), list.length)
  },
}
