import { Unsupported } from '../emitter.ts'
import type { Emitter, Rule, Value } from '../emitter.ts'

/** The values' names in one common layout: channels first where any of them lies so. */
function together(e: Emitter, values: Value[]): { names: string[], channelsFirst: boolean } {
  if (values.some(({ shape }) => shape.length !== values[0].shape.length)) throw new Unsupported('a merge of different ranks')
  const channelsFirst = values.some((value) => value.channelsFirst)
  return { channelsFirst, names: values.map((value) => channelsFirst ? e.first(value) : e.last(value)) }
}

function chain(op: 'Add' | 'Mul' | 'Sub'): Rule {
  return (e, _layer, values, shape) => {
    const { names, channelsFirst } = together(e, values)
    return { name: names.reduce((sum, name) => e.node(op, [sum, name])), shape, channelsFirst }
  }
}

function variadic(op: 'Max' | 'Min' | 'Mean'): Rule {
  return (e, _layer, values, shape) => {
    const { names, channelsFirst } = together(e, values)
    return { name: e.node(op, names), shape, channelsFirst }
  }
}

export const mergeRules: Record<string, Rule> = {
  Add: chain('Add'),
  Multiply: chain('Mul'),
  Subtract: chain('Sub'),
  Maximum: variadic('Max'),
  Minimum: variadic('Min'),
  Average: variadic('Mean'),

  Concatenate: (e, layer, values, shape) => {
    const { names, channelsFirst } = together(e, values), rank = shape.length
    const axis = ((layer.getConfig().axis as number | undefined) ?? -1) + rank
    if (axis % rank === 0) throw new Unsupported('a concatenation of batches')
    return { name: e.node('Concat', names, { axis: channelsFirst ? [0, 2, 3, 1][axis % rank] : axis % rank }), shape, channelsFirst }
  },
}
