import { BinaryReader } from '@bufbuild/protobuf/wire'

/** The kinds of attributes that the kernels set. */
export type AttributeKind = 'string' | 'int' | 'float' | 'bool' | 'type' | 'shape' | 'tensor' | 'list(int)' | 'func'

/** What is needed of an operation's definition: the kinds of its attributes, which outputs there are. */
export interface OpDefinition {
  attributes: Map<string, AttributeKind>
  /** Fixed number of outputs, or `null` where an attribute tells it. */
  outputs: number | null
}

/** Reads an `OpList` message (tensorflow/core/framework/op_def.proto), as `TF_GetAllOpList` gives it. */
export function readOpList(bytes: Uint8Array): Map<string, OpDefinition> {
  const ops = new Map<string, OpDefinition>()
  each(bytes, (field, reader) => {
    if (field !== 1) return false
    const [name, definition] = readOp(reader.bytes())
    ops.set(name, definition)
    return true
  })
  return ops
}

function readOp(bytes: Uint8Array): [string, OpDefinition] {
  let name = ''
  const definition: OpDefinition = { attributes: new Map(), outputs: 0 }
  each(bytes, (field, reader) => {
    if (field === 1) name = reader.string()
    else if (field === 3) {
      const list = isList(reader.bytes())
      if (list || definition.outputs === null) definition.outputs = null
      else definition.outputs++
    } else if (field === 4) {
      const attribute = { name: '', kind: '' }
      each(reader.bytes(), (field, reader) => {
        if (field === 1) attribute.name = reader.string()
        else if (field === 2) attribute.kind = reader.string()
        else return false
        return true
      })
      definition.attributes.set(attribute.name, attribute.kind as AttributeKind)
    } else return false
    return true
  })
  return [name, definition]
}

/** ArgDef: an attribute gives the number (field 5) or the types (field 6) of a list. */
function isList(bytes: Uint8Array): boolean {
  let list = false
  each(bytes, (field, reader) => {
    if (field !== 5 && field !== 6) return false
    list ||= reader.string() !== ''
    return true
  })
  return list
}

/** Goes through a message's fields; `read` tells whether it has taken one. */
function each(bytes: Uint8Array, read: (field: number, reader: BinaryReader) => boolean): void {
  const reader = new BinaryReader(bytes)
  while (reader.pos < reader.len) {
    const [field, wire] = reader.tag()
    if (!read(field, reader)) reader.skip(wire, field)
  }
}
