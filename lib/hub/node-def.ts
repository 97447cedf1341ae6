import { type BinaryReader, WireType } from '@bufbuild/protobuf/wire'
import { int64, readEntry, readMessage, readRepeated, text } from './proto.ts'
import { dataType, type DenseTensor, readShape, readTensor } from './tensor.ts'

/** One operation of a graph or function body; attributes are decoded when asked for. */
export interface NodeDef {
  name: string
  op: string
  /** `node`, `node:1`, `node:output:0` (in functions) or `^node` (control). */
  inputs: string[]
  attrs: Map<string, Uint8Array>
}

/** A decoded `AttrValue`: only the field that was set. */
export interface AttrValue {
  text?: string
  int?: number
  float?: number
  bool?: boolean
  type?: string
  shape?: number[] | null
  tensor?: DenseTensor
  /** The name of a function. */
  func?: string
  ints?: number[]
  texts?: string[]
}

/** Reads a `NodeDef`. */
export function readNode(bytes: Uint8Array): NodeDef {
  const node: NodeDef = { name: '', op: '', inputs: [], attrs: new Map() }
  readMessage(bytes, {
    1: r => { node.name = r.string() },
    2: r => { node.op = r.string() },
    3: r => { node.inputs.push(r.string()) },
    5: r => { const [key, value] = readEntry(r.bytes()); node.attrs.set(key, value) },
  })
  return node
}

/** Decodes one attribute. SavedModels strip attributes at their default: a missing one gives an empty value. */
export function readAttr(node: NodeDef, name: string): AttrValue {
  const bytes = node.attrs.get(name), value: AttrValue = {}
  if (!bytes) return value
  readMessage(bytes, {
    1: r => readList(r.bytes(), value),
    2: r => { value.text = text(r.bytes()) },
    3: r => { value.int = int64(r) },
    4: r => { value.float = r.float() },
    5: r => { value.bool = r.bool() },
    6: r => { value.type = dataType(r.int32()) },
    7: r => { value.shape = readShape(r.bytes()) },
    8: r => { value.tensor = readTensor(r.bytes()) },
    10: r => readMessage(r.bytes(), { 1: f => { value.func = f.string() } }),
  })
  return value
}

function readList(bytes: Uint8Array, value: AttrValue): void {
  value.ints = []
  readMessage(bytes, {
    2: (r: BinaryReader) => { (value.texts ??= []).push(text(r.bytes())) },
    3: (r: BinaryReader, wire: WireType) => readRepeated(r, wire, int64, value.ints!),
  })
}
