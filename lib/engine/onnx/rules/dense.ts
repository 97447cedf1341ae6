import { weightsOf } from '../emitter.ts'
import type { Rule } from '../emitter.ts'
import { activate } from './activation.ts'

export const denseRules: Record<string, Rule> = {
  Dense: (e, layer, [x], shape) => {
    const { kernel, bias } = weightsOf(layer), weights = e.constant(kernel.data, kernel.shape)
    const name = x.shape.length === 2
      ? e.node('Gemm', [e.last(x), weights, ...(bias ? [e.constant(bias.data)] : [])])
      : bias ? e.node('Add', [e.node('MatMul', [e.last(x), weights]), e.constant(bias.data)]) : e.node('MatMul', [e.last(x), weights])
    return activate(e, { name, shape, channelsFirst: false }, layer.getConfig().activation)
  },
}
