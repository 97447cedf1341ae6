import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'

// The messages of onnx.proto (onnx/onnx, IR version 8) that a model of layers needs. The numbers are its field numbers.

export type Attribute = number | number[] | string | { float: number }

export interface OnnxNode {
  op: string
  name: string
  inputs: string[]
  outputs: string[]
  attributes: Record<string, Attribute>
}

export interface OnnxTensor {
  name: string
  dims: number[]
  data: Float32Array | BigInt64Array
}

/** A tensor that goes in or comes out; `null` marks the free batch. */
export interface OnnxValue {
  name: string
  shape: (number | null)[]
}

export interface OnnxModel {
  nodes: OnnxNode[]
  constants: OnnxTensor[]
  inputs: OnnxValue[]
  outputs: OnnxValue[]
}

const opset = 18
const irVersion = 8
const elementType = { float: 1, int64: 7 }
const attributeType = { float: 1, int: 2, string: 3, ints: 7 }

/** The bytes of an `.onnx` file. The constants, which are most of it, are copied once. */
export function encodeModel({ nodes, constants, inputs, outputs }: OnnxModel): Uint8Array {
  const start = written((w) => {
    int(w, 1, irVersion)
    text(w, 2, 'graft')
    message(w, 8, (w) => int(w, 2, opset))
  })
  const graph = written((w) => {
    for (const node of nodes) message(w, 1, (w) => writeNode(w, node))
    text(w, 2, 'graft')
    for (const value of inputs) message(w, 11, (w) => writeValue(w, value))
    for (const value of outputs) message(w, 12, (w) => writeValue(w, value))
  })
  return Buffer.concat([start, ...delimited(7, [graph, ...constants.flatMap((tensor) => delimited(5, tensorParts(tensor)))])])
}

function written(write: (writer: BinaryWriter) => void): Uint8Array {
  const writer = new BinaryWriter()
  write(writer)
  return writer.finish()
}

/** A field of bytes that stand in several places: its tag and length, then those. */
function delimited(field: number, parts: Uint8Array[]): Uint8Array[] {
  const length = parts.reduce((sum, { byteLength }) => sum + byteLength, 0)
  return [written((w) => w.tag(field, WireType.LengthDelimited).uint32(length)), ...parts]
}

function writeNode(writer: BinaryWriter, { op, name, inputs, outputs, attributes }: OnnxNode): void {
  for (const input of inputs) text(writer, 1, input)
  for (const output of outputs) text(writer, 2, output)
  text(writer, 3, name)
  text(writer, 4, op)
  for (const [key, value] of Object.entries(attributes)) message(writer, 5, (w) => writeAttribute(w, key, value))
}

function writeAttribute(writer: BinaryWriter, name: string, value: Attribute): void {
  text(writer, 1, name)
  if (typeof value === 'number') {
    int(writer, 3, value)
    int(writer, 20, attributeType.int)
  } else if (typeof value === 'string') {
    text(writer, 4, value)
    int(writer, 20, attributeType.string)
  } else if (Array.isArray(value)) {
    for (const item of value) int(writer, 8, item)
    int(writer, 20, attributeType.ints)
  } else {
    writer.tag(2, WireType.Bit32).float(value.float)
    int(writer, 20, attributeType.float)
  }
}

function tensorParts({ name, dims, data }: OnnxTensor): Uint8Array[] {
  const head = written((w) => {
    for (const side of dims) int(w, 1, side)
    int(w, 2, data instanceof Float32Array ? elementType.float : elementType.int64)
    text(w, 8, name)
  })
  return [head, ...delimited(9, [new Uint8Array(data.buffer, data.byteOffset, data.byteLength)])]
}

function writeValue(writer: BinaryWriter, { name, shape }: OnnxValue): void {
  text(writer, 1, name)
  message(writer, 2, (type) => message(type, 1, (tensor) => {
    int(tensor, 1, elementType.float)
    message(tensor, 2, (dims) => {
      shape.forEach((side, axis) => message(dims, 1, (dim) => side === null ? text(dim, 2, axis === 0 ? 'batch' : `side${axis}`) : int(dim, 1, side)))
    })
  }))
}

function int(writer: BinaryWriter, field: number, value: number): void {
  writer.tag(field, WireType.Varint).int64(value)
}

function text(writer: BinaryWriter, field: number, value: string): void {
  writer.tag(field, WireType.LengthDelimited).string(value)
}

function message(writer: BinaryWriter, field: number, write: (writer: BinaryWriter) => void): void {
  writer.tag(field, WireType.LengthDelimited).fork()
  write(writer)
  writer.join()
}
