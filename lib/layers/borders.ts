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

/** A layer whose sides grow (`sign` 1) or shrink (-1) by its setting `key`. `compute` is told the shape that comes out. */
function bordered(
  kind: string, rank: 1 | 3, key: 'padding' | 'cropping', sign: 1 | -1,
  compute: (x: tf.Tensor, sides: Sides, first: number, shape: number[]) => tf.Tensor,
): tf.serialization.SerializableConstructor<tf.layers.Layer> {
  return class extends OneInput<Bordered> {
    static className = `${kind}${rank}D`

    constructor(config: LayerConfig<Bordered>) {
      super(config, { [key]: written(sidesOf(config[key] ?? 1, rank)), ...formatOf(config, rank) })
    }

    protected override compute(x: tf.Tensor): tf.Tensor {
      const sides = sidesOf(this.settings[key]!, rank)
      return compute(x, sides, firstOf(this.settings.dataFormat), this.shapeAfter(x.shape) as number[])
    }

    protected override shapeAfter(shape: tf.Shape): tf.Shape {
      return changed(shape, sidesOf(this.settings[key]!, rank), firstOf(this.settings.dataFormat), sign)
    }
  } as never
}

const zeroPadding = (rank: 1 | 3) => bordered('ZeroPadding', rank, 'padding', 1, (x, sides, first) =>
  tf.pad(x, x.shape.map((_, d) => sides[d - first] ?? [0, 0])))

const cropping = (rank: 1 | 3) => bordered('Cropping', rank, 'cropping', -1, (x, sides, first, shape) =>
  tf.slice(x, x.shape.map((_, d) => sides[d - first]?.[0] ?? 0), shape))

/** Zeros round a sequence or a volume, and their ends cut off: Keras's layers, of which TensorFlow.js has those for images. */
export const borderLayers = [zeroPadding(1), zeroPadding(3), cropping(1), cropping(3)]
