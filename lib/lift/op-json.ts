import { int64, readMessage, readRepeated, text } from '../hub/proto.ts'
import { readShape } from '../hub/tensor.ts'
import type { Node } from './graph.ts'

/** An attribute as TensorFlow.js's graph executor reads it: protobuf's JSON form. */
export type JsonAttr = Record<string, unknown>

const TYPES: Record<number, string> = {
  1: 'DT_FLOAT',
  2: 'DT_DOUBLE',
  3: 'DT_INT32',
  4: 'DT_UINT8',
  7: 'DT_STRING',
  9: 'DT_INT64',
  10: 'DT_BOOL',
  14: 'DT_BFLOAT16',
  19: 'DT_HALF',
  20: 'DT_RESOURCE',
}
const typeName = (number: number) => TYPES[number % 100] ?? 'DT_FLOAT'
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')
const shapeJson = (bytes: Uint8Array) => {
  const shape = readShape(bytes)
  return shape ? { dim: shape.map(size => ({ size: String(size) })) } : { unknownRank: true }
}

/** TensorFlow's defaults, which SavedModels leave out and TensorFlow.js's executor does not know. */
const ones = { dilations: { list: { i: ['1', '1', '1', '1'] } } }
const epsilon = { epsilon: { f: 1e-4 } }
const DEFAULTS: Record<string, Record<string, JsonAttr>> = {
  Conv2D: ones, DepthwiseConv2dNative: ones, Conv2DBackpropInput: ones,
  FusedBatchNorm: epsilon, FusedBatchNormV2: epsilon, FusedBatchNormV3: epsilon,
}

/** All attributes of `node`, but for TensorFlow's own (`_output_shapes` and the like). */
export function attributesOf(node: Node): Record<string, JsonAttr> {
  const told = [...node.def.attrs].filter(([name]) => !name.startsWith('_'))
    .map(([name, bytes]) => [name, attrJson(bytes)] as const)
  return { ...(Object.hasOwn(DEFAULTS, node.op) ? DEFAULTS[node.op] : {}), ...Object.fromEntries(told) }
}

function attrJson(bytes: Uint8Array): JsonAttr {
  const out: JsonAttr = {}
  readMessage(bytes, {
    1: r => { out.list = listJson(r.bytes()) },
    2: r => { out.s = base64(r.bytes()) },
    3: r => { out.i = String(int64(r)) },
    4: r => { out.f = r.float() },
    5: r => { out.b = r.bool() },
    6: r => { out.type = typeName(r.int32()) },
    7: r => { out.shape = shapeJson(r.bytes()) },
    10: r => readMessage(r.bytes(), { 1: f => { out.func = { name: text(f.bytes()) } } }),
  })
  return out
}

function listJson(bytes: Uint8Array): JsonAttr {
  const s: string[] = [], i: number[] = [], f: number[] = [], b: number[] = [], type: number[] = [], shape: unknown[] = []
  readMessage(bytes, {
    2: r => { s.push(base64(r.bytes())) },
    3: (r, wire) => readRepeated(r, wire, int64, i),
    4: (r, wire) => readRepeated(r, wire, x => x.float(), f),
    5: (r, wire) => readRepeated(r, wire, x => Number(x.bool()), b),
    6: (r, wire) => readRepeated(r, wire, x => x.int32(), type),
    7: r => { shape.push(shapeJson(r.bytes())) },
  })
  const all: JsonAttr = { s, i: i.map(String), f, b: b.map(Boolean), type: type.map(typeName), shape }
  return Object.fromEntries(Object.entries(all).filter(([, values]) => (values as unknown[]).length))
}
