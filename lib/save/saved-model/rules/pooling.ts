import { boolAttr, intsAttr } from '../attributes.ts'
import type { Rule } from '../body.ts'
import { channelsLast, pair, windowOf } from './convolution.ts'

const pool = (op: string): Rule => (b, layer, [x], shape) => {
  const config = layer.getConfig(), size = pair(config.poolSize, 2)
  return b.node(op, [x], shape, { ksize: intsAttr([1, ...size, 1]), ...windowOf(config, config.strides ?? size) })
}

const poolAll = (op: string): Rule => (b, layer, [x], shape) => {
  channelsLast(layer.getConfig())
  const axes = x.shape.map((_, d) => d).slice(1, -1)
  return b.node(op, [x, b.integers(axes)], shape, shape.length === x.shape.length ? { keep_dims: boolAttr(true) } : {})
}

export const poolingRules: Record<string, Rule> = {
  MaxPooling2D: pool('MaxPool'),
  AveragePooling2D: pool('AvgPool'),
  GlobalMaxPooling1D: poolAll('Max'),
  GlobalMaxPooling2D: poolAll('Max'),
  GlobalAveragePooling1D: poolAll('Mean'),
  GlobalAveragePooling2D: poolAll('Mean'),
}
