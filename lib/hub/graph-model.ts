import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import { GraftError } from '../error.ts'
import { isObject, type Json } from '../save/keras/types.ts'
import type { NodeDef } from './node-def.ts'
import type { SavedModel, Signature, TensorInfo } from './saved-model.ts'
import { dataTypes, type DenseTensor } from './tensor.ts'
import type { TfjsModel } from './tfjs.ts'
import { unfused } from './unfuse.ts'

type JsonObject = { [key: string]: Json }

/**
 * A TensorFlow.js GraphModel in the form in which SavedModels are lifted: its GraphDef, which is JSON there, with the weights as
 * its constants and the operations apart that the converter fused.
 *
 * @throws GraftError for a damaged graph
 */
export function savedModelOf({ folder, json, topology, weights }: TfjsModel): SavedModel {
  const nodes = unfused(listOf(topology.node).map(node => nodeOf(node, weights, folder)))
  const named = withoutCalls(nodes)
  return {
    folder, tags: ['serve'], version: String(isObject(json) ? json.generatedBy ?? '' : ''), nodes: () => named.nodes,
      functions: new Map(),
    signatures: new Map([['default', signatureOf(json, nodes, named.rename)]]), objects: [], concrete: new Map(), hub1: false,
  }
}

function nodeOf(value: Json, weights: Map<string, DenseTensor>, folder: string): NodeDef {
  if (!isObject(value) || typeof value.name !== 'string' || typeof value.op !== 'string') {
    throw new GraftError(`${folder}/model.json is damaged: its graph holds ${JSON.stringify(value)?.slice(0, 80)}. Download it anew, or ` +
      'open an intact copy with hub.load(\'./folder\').')
  }
  const attrs = new Map(Object.entries(isObject(value.attr) ? value.attr : {}).map(([name, attr]) => [name, attribute(attr)]))
  const weight = value.op === 'Const' ? weights.get(value.name) : undefined
  if (weight) attrs.set('value', constant(weight))
  return { name: value.name, op: value.op, inputs: listOf(value.input).map(String), attrs }
}

const listOf = (value: Json | undefined): Json[] => Array.isArray(value) ? value : []

/** An `AttrValue` in protobuf, from its JSON form. */
export function attribute(value: Json): Uint8Array {
  const writer = new BinaryWriter()
  if (!isObject(value)) return writer.finish()
  if (isObject(value.list)) {
    const list = new BinaryWriter(), { s, i, f, b, type, shape } = value.list
    for (const text of listOf(s)) list.tag(2, WireType.LengthDelimited).bytes(Buffer.from(String(text), 'base64'))
    for (const number of listOf(i)) list.tag(3, WireType.Varint).int64(whole(number))
    for (const number of listOf(f)) list.tag(4, WireType.Bit32).float(Math.fround(Number(number)))
    for (const flag of listOf(b)) list.tag(5, WireType.Varint).bool(flag === true)
    for (const name of listOf(type)) list.tag(6, WireType.Varint).int32(typeNumber(name))
    for (const one of listOf(shape)) list.tag(7, WireType.LengthDelimited).bytes(shapeOf(one))
    writer.tag(1, WireType.LengthDelimited).bytes(list.finish())
  }
  if ('s' in value) writer.tag(2, WireType.LengthDelimited).bytes(Buffer.from(String(value.s), 'base64'))
  if ('i' in value) writer.tag(3, WireType.Varint).int64(whole(value.i))
  if ('f' in value) writer.tag(4, WireType.Bit32).float(Math.fround(Number(value.f)))
  if ('b' in value) writer.tag(5, WireType.Varint).bool(value.b === true)
  if ('type' in value) writer.tag(6, WireType.Varint).int32(typeNumber(value.type))
  if ('shape' in value) writer.tag(7, WireType.LengthDelimited).bytes(shapeOf(value.shape))
  return writer.finish()
}

const whole = (value: Json): string => /^-?\d{1,18}$/.test(String(value)) ? String(value) : '0'

/** TensorFlow.js writes types by name or by number. */
function typeNumber(value: Json): number {
  if (typeof value === 'number') return Number.isInteger(value) && value >= 0 && value < 2 ** 31 ? value : 0
  const name = String(value).replace(/^DT_/, '').toLowerCase()
  const full = { float: 'float32', double: 'float64', half: 'float16' }[name] ?? name
  return Number(Object.entries(dataTypes).find(([, known]) => known === full)?.[0] ?? 0)
}

function shapeOf(value: Json): Uint8Array {
  const writer = new BinaryWriter(), { dim, unknownRank } = isObject(value) ? value : {} as JsonObject
  for (const one of listOf(dim)) {
    const size = new BinaryWriter().tag(1, WireType.Varint).int64(whole(isObject(one) ? one.size ?? 0 : 0)).finish()
    writer.tag(2, WireType.LengthDelimited).bytes(size)
  }
  if (unknownRank === true) writer.tag(3, WireType.Varint).bool(true)
  return writer.finish()
}

/** A constant's `value`: an `AttrValue` with a `TensorProto`. */
function constant({ dtype, shape, data }: DenseTensor): Uint8Array {
  const sizes = new BinaryWriter()
  for (const size of shape) sizes.tag(2, WireType.LengthDelimited).bytes(new BinaryWriter().tag(1,
    WireType.Varint).int64(size).finish())
  const tensor = new BinaryWriter().tag(1, WireType.Varint).int32(typeNumber(dtype)).tag(2,
    WireType.LengthDelimited).bytes(sizes.finish())
    .tag(4, WireType.LengthDelimited).bytes(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
  return new BinaryWriter().tag(8, WireType.LengthDelimited).bytes(tensor.finish()).finish()
}

/** Nodes whose names go without the function calls that the converter inlined, where they stay different so. */
function withoutCalls(nodes: NodeDef[]): { nodes: NodeDef[], rename: (name: string) => string } {
  const short = (name: string) => name.split('/').filter((part, i, parts) => i === parts.length - 1
    || !/^(Stateful)?PartitionedCall(_\d+)?$/.test(part)).join('/')
  const names = nodes.map(({ name }) => short(name))
  if (new Set(names).size < names.length) return { nodes, rename: name => name }
  const rename = (reference: string) => {
    const control = reference.startsWith('^') ? '^' : '', [name, ...rest] = reference.slice(control.length).split(':')
    return control + [short(name), ...rest].join(':')
  }
  return { nodes: nodes.map(node => ({ ...node, name: short(node.name), inputs: node.inputs.map(rename) })), rename }
}

/** The model's signature; an older model has none: its placeholders go in, and what no operation takes comes out. */
function signatureOf(json: JsonObject, nodes: NodeDef[], rename: (name: string) => string): Signature {
  const metadata = isObject(json.userDefinedMetadata) ? json.userDefinedMetadata.signature : undefined
  const given = isObject(json.signature) ? json.signature : isObject(metadata) ? metadata : undefined
  const signature: Signature = { inputs: new Map(), outputs: new Map(), method: '' }
  const fill = (into: Map<string, TensorInfo>, tensors: Json | undefined) => {
    for (const [key, info] of Object.entries(isObject(tensors) ? tensors : {})) {
      if (isObject(info)) into.set(key, { name: rename(String(info.name ?? key)), dtype: typeNumber(info.dtype ?? 'DT_FLOAT'),
        shape: shapeOf(info.tensorShape ?? {}) })
    }
  }
  fill(signature.inputs, given?.inputs)
  fill(signature.outputs, given?.outputs)
  if (signature.inputs.size && signature.outputs.size) return signature
  const taken = new Set(nodes.flatMap(({ inputs }) => inputs.map(input => input.replace(/^\^/, '').split(':')[0])))
  const images = nodes.filter(({ op }) => op === 'Placeholder'), ends = nodes.filter(({ name, op }) => !taken.has(name)
    && !/^(Const|Placeholder|NoOp)$/.test(op))
  for (const node of images) signature.inputs.set(node.name, { name: rename(`${node.name}:0`), dtype: 1,
    shape: placeholderShape(node) })
  for (const { name } of ends) signature.outputs.set(name, { name: rename(`${name}:0`), dtype: 1, shape: new Uint8Array() })
  return signature
}

/** A placeholder's shape as it lies in its attribute: field 7 of an `AttrValue`; any image where it tells none. */
function placeholderShape({ attrs }: NodeDef): Uint8Array {
  const bytes = attrs.get('shape')
  if (bytes?.[0] === (7 << 3 | WireType.LengthDelimited) && bytes.length > 4 && bytes[1] < 128) return bytes.subarray(2)
  return shapeOf({ dim: [-1, -1, -1, 3].map(size => ({ size: String(size) })) })
}
