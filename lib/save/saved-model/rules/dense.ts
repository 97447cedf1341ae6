import type { Rule } from '../body.ts'
import { finish } from './convolution.ts'

export const denseRules: Record<string, Rule> = {
  Dense: (b, layer, [x], shape) => {
    const kernel = b.weight(layer, 'kernel')!
    if (x.shape.length === 2) return finish(b, layer, b.node('MatMul', [x, kernel], shape))
    const flat = b.within('Tensordot', () => {
      const rows = b.node('Reshape', [x, b.integers([-1, x.shape.at(-1)!])], [null, x.shape.at(-1)!])
      return b.reshape(b.node('MatMul', [rows, kernel], [null, shape.at(-1)!]), shape)
    })
    return finish(b, layer, flat)
  },

  Embedding: (b, layer, [x], shape) => {
    const rows = b.node('Cast', [x], x.shape, { SrcT: b.float, DstT: b.int }, 'int32')
    const types = { Tparams: b.float, Tindices: b.int, Taxis: b.int }
    return b.node('GatherV2', [b.weight(layer, 'embeddings')!, rows, b.constant([0], 'int32', [])], shape, types)
  },
}
