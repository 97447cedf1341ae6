import type { Operand, TensorFlowOpConfig } from '../../../layers/tensorflow-op.ts'
import { boolAttr, type DType, floatAttr, intAttr, shapeAttr, textAttr } from '../attributes.ts'
import { type Body, type Rule, Unsupported, type Value } from '../body.ts'
import { bool, bytes, float, int, ints, message, nested } from '../message.ts'

type Json = Record<string, unknown>

/** Element types as layers compute: whatever a file had, they are of three kinds here. */
const types: Record<string, number> = {
  DT_FLOAT: 1, DT_DOUBLE: 1, DT_HALF: 1, DT_BFLOAT16: 1, DT_INT32: 3, DT_INT64: 3, DT_UINT8: 3, DT_BOOL: 10,
}

const typeNumber = (name: unknown): number => {
  const number = types[String(name)]
  if (!number) throw new Unsupported(`an attribute of type ${name}`)
  return number
}

const decode = (base64: unknown): string => Buffer.from(String(base64), 'base64').toString()
const sides = (shape: Json): number[] => ((shape.dim ?? []) as { size?: string }[]).map(({ size }) => Number(size ?? 0))

/** An attribute in protobuf's JSON form, as `attr_value.proto` writes it. */
function attribute(json: Json): Uint8Array {
  const [[kind, value] = ['list', {}]] = Object.entries(json)
  switch (kind) {
    case 's': return textAttr(decode(value))
    case 'i': return intAttr(Number(value))
    case 'f': return floatAttr(Number(value))
    case 'b': return boolAttr(value === true)
    case 'type': return message(int(6, typeNumber(value)))
    case 'shape': return shapeAttr(sides(value as Json).map(side => side < 0 ? null : side))
    case 'list': return list(value as Json)
    default: throw new Unsupported(`an attribute of kind ${kind}`)
  }
}

function list({ s = [], i = [], f = [], b = [], type = [] }: Record<string, unknown>): Uint8Array {
  return message(nested(1,
    ...(s as string[]).map(value => bytes(2, Buffer.from(value, 'base64'))),
    (i as unknown[]).length > 0 && ints(3, (i as unknown[]).map(Number)),
    ...(f as number[]).map(value => float(4, value)),
    ...(b as boolean[]).map(value => bool(5, value)),
    (type as unknown[]).length > 0 && ints(6, (type as unknown[]).map(typeNumber))))
}

/** The layer's operations are TensorFlow's own: they are written as they are. */
export const tensorFlowOpRule: Rule = (b, layer, inputs, shape) => {
  const { operations, operands, results } = (layer as unknown as { config: TensorFlowOpConfig }).config
  const known = new Map<string, Value>(), flowing = [...inputs], held = [...layer.weights]
  operands.forEach((operand, i) => known.set(`operand_${i}`, operandOf(b, operand, flowing, () => b.read(held.shift()!))))
  for (const { name, op, attributes, inputs: names } of operations) {
    const wanted = [...operations.flatMap(each => each.inputs), ...results]
    const count = Math.max(1, ...wanted.filter(each => each.startsWith(`${name}:`)).map(each => Number(each.split(':')[1]) + 1))
    const encoded = Object.fromEntries(Object.entries(attributes).map(([key, json]) => [key, attribute(json as Json)]))
    const values = b.nodeOf(op, names.map(each => known.get(each)!), new Array<typeof shape>(count).fill(shape), encoded)
    values.forEach((value, i) => known.set(i ? `${name}:${i}` : name, value))
  }
  return results.map(name => known.get(name)!)
}

function operandOf(b: Body, operand: Operand, flowing: Value[], read: () => Value): Value {
  if (operand.from === 'input') return flowing.shift()!
  return operand.from === 'weight' ? read() : b.constant(operand.values, operand.dtype as DType, operand.shape)
}

