import * as tf from '@tensorflow/tfjs'
import { OneInput, type LayerConfig } from './one-input.ts'

type Sides = [before: number, after: number][]

/** `2`, `[1, 2]` or `[[1, 1], [2, 2], …]`, as Keras allows, for each of so many sides. In one dimension a pair is its two ends. */
function sidesOf(value: number | number[] | Sides, rank: number): Sides {
  if (typeof value === 'number') return Array.from({ length: rank }, () => [value, value])
  if (rank === 1) return [value.flat() as [number, number]]
  return value.map(each => typeof each === 'number' ? [each, each] : each)
}

/** As Keras writes it, for a sequence the two ends alone. */
const written = (sides: Sides): Sides | number[] => sides.length === 1 ? sides[0] : sides

interface Bordered { padding?: number | number[] | Sides, cropping?: number | number[] | Sides, dataFormat?: string }

/** Keras's layers of sequences say where the channels are only where those come first. */
const formatOf = ({ dataFormat = 'channelsLast' }: Bordered, rank: number): { dataFormat?: string } =>
  rank === 1 && dataFormat === 'channelsLast' ? {} : { dataFormat }

/** Along which dimensions the sides lie. */
const firstOf = (dataFormat?: string): number => dataFormat === 'channelsFirst' ? 2 : 1

const changed = (shape: tf.Shape, sides: Sides, first: number, sign: 1 | -1): tf.Shape => shape.map((size, d) => {
  const [before, after] = sides[d - first] ?? [0, 0]
  return size === null ? null : size + sign * (before + after)
})

function zeroPadding(rank: 1 | 3): tf.serialization.SerializableConstructor<tf.layers.Layer> {
  return class ZeroPadding extends OneInput<{ padding: Sides | number[], dataFormat?: string }> {
    static className = `ZeroPadding${rank}D`

    constructor(config: LayerConfig<Bordered>) {
      super(config, { padding: written(sidesOf(config.padding ?? 1, rank)), ...formatOf(config, rank) })
    }

    protected override compute(x: tf.Tensor): tf.Tensor {
      const { padding, dataFormat } = this.settings, sides = sidesOf(padding, rank), first = firstOf(dataFormat)
      return tf.pad(x, x.shape.map((_, d) => sides[d - first] ?? [0, 0]))
    }

    protected override shapeAfter(shape: tf.Shape): tf.Shape {
      return changed(shape, sidesOf(this.settings.padding, rank), firstOf(this.settings.dataFormat), 1)
    }
  } as never
}

function cropping(rank: 1 | 3): tf.serialization.SerializableConstructor<tf.layers.Layer> {
  return class Cropping extends OneInput<{ cropping: Sides | number[], dataFormat?: string }> {
    static className = `Cropping${rank}D`

    constructor(config: LayerConfig<Bordered>) {
      super(config, { cropping: written(sidesOf(config.cropping ?? 1, rank)), ...formatOf(config, rank) })
    }

    protected override compute(x: tf.Tensor): tf.Tensor {
      const { cropping, dataFormat } = this.settings, sides = sidesOf(cropping, rank), first = firstOf(dataFormat)
      return tf.slice(x, x.shape.map((_, d) => sides[d - first]?.[0] ?? 0), changed(x.shape, sides, first, -1) as number[])
    }

    protected override shapeAfter(shape: tf.Shape): tf.Shape {
      return changed(shape, sidesOf(this.settings.cropping, rank), firstOf(this.settings.dataFormat), -1)
    }
  } as never
}

/** Zeros round a sequence or a volume, and their ends cut off: Keras's layers, of which TensorFlow.js has those for images. */
export const borderLayers = [zeroPadding(1), zeroPadding(3), cropping(1), cropping(3)]
