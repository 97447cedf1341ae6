import { beyondPlain } from '../../../layers/resizing.ts'
import { boolAttr, intAttr } from '../attributes.ts'
import { Unsupported, type Body, type Rule, type Value } from '../body.ts'
import { transpose } from './activation.ts'
import { channelsLast, pair } from './convolution.ts'

/** Margins above, below, left and right, however a layer's config has them. */
function margins(value: unknown): [number, number][] {
  return (Array.isArray(value) ? value : [value, value]).map(side => pair(side))
}

/** Refuses what resizing of a whole image, bilinear or nearest, does not do. */
function plainResize(config: Record<string, unknown>): void {
  const beyond = beyondPlain(config)
  if (beyond) throw new Unsupported(beyond)
}

function resize(b: Body, x: Value, interpolation: unknown, size: Value, shape: Value['shape']): Value {
  const op = interpolation === 'bilinear' ? 'ResizeBilinear' : 'ResizeNearestNeighbor'
  return b.node(op, [x, size], shape, { half_pixel_centers: boolAttr(true) }, 'float32')
}

const reshape: Rule = (b, layer, [x], shape) => {
  channelsLast(layer.getConfig())
  return b.reshape(x, shape)
}

export const shapeRules: Record<string, Rule> = {
  Flatten: reshape,
  Reshape: reshape,

  Permute: (b, layer, [x]) => transpose(b, x, [0, ...layer.getConfig().dims as number[]]),

  RepeatVector: (b, layer, [x], shape) => {
    const row = b.reshape(x, [null, 1, x.shape[1]])
    return b.node('Tile', [row, b.integers([1, layer.getConfig().n as number, 1])], shape)
  },

  ZeroPadding2D: (b, layer, [x], shape) => {
    const config = layer.getConfig(), [rows, columns] = margins(config.padding)
    channelsLast(config)
    return b.node('Pad', [x, b.constant([0, 0, ...rows, ...columns, 0, 0], 'int32', [4, 2])], shape)
  },

  Cropping2D: (b, layer, [x], shape) => {
    const config = layer.getConfig(), [[top, bottom], [left, right]] = margins(config.cropping)
    channelsLast(config)
    // A side's end counts from behind; where nothing is cut there, the mask leaves it open.
    const open = [true, bottom === 0, right === 0, true].reduce((mask, each, d) => mask | Number(each) << d, 0)
    const bounds = [[0, top, left, 0], [0, -bottom, -right, 0], [1, 1, 1, 1]].map(bound => b.integers(bound))
    return b.node('StridedSlice', [x, ...bounds], shape,
      { Index: b.int, begin_mask: intAttr(0b1001), end_mask: intAttr(open) })
  },

  UpSampling2D: (b, layer, [x], shape) => {
    const config = layer.getConfig(), factors = pair(config.size, 2)
    channelsLast(config)
    plainResize(config)
    const known = shape.slice(1, 3).every(side => side !== null)
    const size = known ? b.integers(shape.slice(1, 3) as number[])
      : b.sizes([1, 2].map((axis, d) => b.node('Mul', [b.side(x, axis), b.constant([factors[d]], 'int32', [])], [])))
    return resize(b, x, config.interpolation, size, shape)
  },

  Resizing: (b, layer, [x], shape) => {
    const config = layer.getConfig(), { height, width, interpolation } = config as { height: number, width: number, interpolation: string }
    plainResize(config)
    return resize(b, x, interpolation, b.integers([height, width]), shape)
  },
}
