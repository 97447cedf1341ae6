import { intAttr } from '../attributes.ts'
import { type Rule, Unsupported } from '../body.ts'
import { elementwise } from './activation.ts'

/** One operation on all inputs, two at a time; smaller ones are spread. */
const chain = (op: string): Rule => (b, _layer, values, shape) => values.reduce((sum, value) => b.node(op, [sum, value], shape))

export const mergeRules: Record<string, Rule> = {
  Add: chain('AddV2'),
  Multiply: chain('Mul'),
  Subtract: chain('Sub'),
  Maximum: chain('Maximum'),
  Minimum: chain('Minimum'),

  Average: (b, layer, values, shape, step) => {
    const sum = chain('AddV2')(b, layer, values, shape, step)
    return elementwise(b, 'RealDiv', Array.isArray(sum) ? sum[0] : sum, b.number(values.length))
  },

  Concatenate: (b, layer, values, shape) => {
    const { axis = -1 } = layer.getConfig() as { axis?: number }, at = axis < 0 ? axis + shape.length : axis
    if (at === 0) throw new Unsupported('a concatenation of batches')
    return b.node('ConcatV2', [...values, b.constant([at], 'int32', [])], shape, { N: intAttr(values.length) })
  },

  /** The first input plus the second times a number. */
  CustomScaleLayer: (b, layer, [x, y], shape) =>
    b.node('AddV2', [x, elementwise(b, 'Mul', y, b.number(layer.getConfig().scale as number))], shape),
}
