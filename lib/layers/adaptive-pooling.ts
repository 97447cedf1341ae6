import * as tf from '@tensorflow/tfjs'
import { OneInput, type LayerConfig } from './one-input.ts'

interface Settings { outputSize: number | number[], dataFormat: string }

/** The windows along one side: from ⌊i·in/out⌋ up to ⌈(i + 1)·in/out⌉. */
const windows = (from: number, to: number): [start: number, size: number][] => Array.from({ length: to }, (_, i) => {
  const start = Math.floor(i * from / to)
  return [start, Math.ceil((i + 1) * from / to) - start]
})

/** Pools along dimension `d` into so many windows. */
function pooled(x: tf.Tensor, d: number, to: number, of: (x: tf.Tensor, axis: number, keep: boolean) => tf.Tensor): tf.Tensor {
  const parts = windows(x.shape[d], to).map(([start, size]) => {
    const part = tf.slice(x, x.shape.map((_, axis) => axis === d ? start : 0), x.shape.map((all, axis) => axis === d ? size : all))
    return size === 1 ? part : of(part, d, true)
  })
  return parts.length === 1 ? parts[0] : tf.concat(parts, d)
}

function adaptive(kind: 'Average' | 'Max', rank: 1 | 2 | 3): tf.serialization.SerializableConstructor<tf.layers.Layer> {
  return class AdaptivePooling extends OneInput<Settings> {
    static className = `Adaptive${kind}Pooling${rank}D`

    constructor(config: LayerConfig<Partial<Settings> & { outputSize: number | number[] }>) {
      const { outputSize, dataFormat = 'channelsLast' } = config
      const sizes = Array.isArray(outputSize) ? outputSize : Array.from({ length: rank }, () => outputSize)
      super(config, { outputSize: sizes, dataFormat })
    }

    get #sides(): [dimension: number, size: number][] {
      const first = this.settings.dataFormat === 'channelsFirst' ? 2 : 1
      return [this.settings.outputSize].flat().map((size, i) => [first + i, size])
    }

    protected override compute(x: tf.Tensor): tf.Tensor {
      return this.#sides.reduce((rest, [d, size]) => pooled(rest, d, size, kind === 'Max' ? tf.max : tf.mean), x)
    }

    protected override shapeAfter(shape: tf.Shape): tf.Shape {
      return this.#sides.reduce((sizes, [d, size]) => sizes.with(d, size), shape)
    }
  } as never
}

/** Keras 3's adaptive pooling, whose windows are as large as the wanted output asks; along one side after the other. */
export const adaptivePoolingLayers = ([1, 2, 3] as const).flatMap(rank => [adaptive('Average', rank), adaptive('Max', rank)])
