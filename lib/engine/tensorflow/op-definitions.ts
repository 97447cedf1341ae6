import { BinaryReader } from '@bufbuild/protobuf/wire'

/** The kinds of attributes that the kernels set. */
export type AttributeKind = 'string' | 'int' | 'float' | 'bool' | 'type' | 'shape' | 'tensor' | 'list(int)' | 'func'

/** What is needed of an operation's definition: the kinds of its attributes. */
export interface OpDefinition { attributes: Map<string, AttributeKind> }

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
  const definition: OpDefinition = { attributes: new Map() }
  each(bytes, (field, reader) => {
    if (field === 1) name = reader.string()
    else if (field === 4) {
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

/** Goes through a message's fields; `read` tells whether it has taken one. */
function each(bytes: Uint8Array, read: (field: number, reader: BinaryReader) => boolean): void {
  const reader = new BinaryReader(bytes)
  while (reader.pos < reader.len) {
    const [field, wire] = reader.tag()
    if (!read(field, reader)) reader.skip(wire, field)
  }
}
