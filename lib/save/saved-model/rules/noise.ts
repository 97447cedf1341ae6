import type { layers } from '@tensorflow/tfjs'
import type { Body, Rule, Value } from '../body.ts'
import { elementwise } from './activation.ts'

/** In training each number is 0 with a probability of `rate` and else larger by 1 / (1 − rate), as Keras draws it. */
function drop(b: Body, layer: layers.Layer, x: Value, together: (number | null | undefined)[]): Value {
  const { rate } = layer.getConfig() as { rate: number }
  if (!b.training || rate === 0) return x
  const sizes = x.shape.map((side, d) => together[d] ?? side ?? b.side(x, d))
  const shape = x.shape.map((side, d) => together[d] ?? side)
  const random = b.node('RandomUniform', [b.sizes(sizes)], shape, { dtype: b.float }, 'float32')
  const kept = b.node('GreaterEqual', [random, b.number(rate)], shape, {}, 'bool')
  const larger = elementwise(b, 'Mul', x, b.number(1 / (1 - rate)))
  return b.node('SelectV2', [kept, larger, b.number(0)], x.shape, { T: b.float }, 'float32')
}

const identity: Rule = (_b, _layer, [x]) => x

/** Acts in training alone, where TensorFlow has no operation for it: it is left out, and the receipt says so. */
const leftOut: Rule = (b, layer, [x]) => {
  b.leftOut.add(layer.name)
  return x
}

export const noiseRules: Record<string, Rule> = {
  Dropout: (b, layer, [x]) => drop(b, layer, x, (layer.getConfig().noiseShape as (number | null)[] | null) ?? []),
  SpatialDropout1D: (b, layer, [x]) => drop(b, layer, x, [null, 1]),
  SpatialDropout2D: (b, layer, [x]) => drop(b, layer, x, [null, 1, 1]),
  ActivityRegularization: identity,
  AlphaDropout: leftOut,
  GaussianDropout: leftOut,
  GaussianNoise: leftOut,
  KerasAugmentation: leftOut,
}
