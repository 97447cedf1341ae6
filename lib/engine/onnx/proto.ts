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

/** The bytes of an `.onnx` file. */
export function encodeModel({ nodes, constants, inputs, outputs }: OnnxModel): Uint8Array {
  const writer = new BinaryWriter()
  int(writer, 1, irVersion)
  text(writer, 2, 'graft')
  message(writer, 7, (graph) => {
    for (const node of nodes) message(graph, 1, (w) => writeNode(w, node))
    text(graph, 2, 'graft')
    for (const tensor of constants) message(graph, 5, (w) => writeTensor(w, tensor))
    for (const value of inputs) message(graph, 11, (w) => writeValue(w, value))
    for (const value of outputs) message(graph, 12, (w) => writeValue(w, value))
  })
  message(writer, 8, (w) => int(w, 2, opset))
  return writer.finish()
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

function writeTensor(writer: BinaryWriter, { name, dims, data }: OnnxTensor): void {
  for (const side of dims) int(writer, 1, side)
  int(writer, 2, data instanceof Float32Array ? elementType.float : elementType.int64)
  text(writer, 8, name)
  writer.tag(9, WireType.LengthDelimited).bytes(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
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
