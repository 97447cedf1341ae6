import { beyondPlain } from '../../../layers/resizing.ts'
import { Unsupported } from '../emitter.ts'
import type { Emitter, Rule, Value } from '../emitter.ts'

type Margins = [[top: number, bottom: number], [left: number, right: number]]

/** Refuses what resizing of a whole image, bilinear or nearest, does not do. */
function plainResize(config: Record<string, unknown>): void {
  const beyond = beyondPlain(config)
  if (beyond) throw new Unsupported(beyond)
}

/** The value's data in TensorFlow's order, cut anew; the batch is kept. */
function reshape(e: Emitter, x: Value, shape: Value['shape']): Value {
  const free = shape.slice(1).filter((side) => side === null).length
  if (free > 1) throw new Unsupported('a reshape with several unknown sides')
  const target = e.constant([0, ...shape.slice(1).map((side) => side ?? -1)])
  return { name: e.node('Reshape', [e.last(x), target]), shape, channelsFirst: false }
}

function channelsLast(config: Record<string, unknown>): void {
  if (config.dataFormat === 'channelsFirst') throw new Unsupported('channels-first data')
}

function margins(value: unknown): Margins {
  if (typeof value === 'number') return [[value, value], [value, value]]
  return (value as (number | [number, number])[]).map((side) => typeof side === 'number' ? [side, side] : side) as Margins
}

/** Passes its input on, in inference. */
const identity: Rule = (_e, _layer, [x]) => x

export const shapeRules: Record<string, Rule> = {
  Flatten: (e, layer, [x], shape) => {
    channelsLast(layer.getConfig())
    return reshape(e, x, shape)
  },

  Reshape: (e, _layer, [x], shape) => reshape(e, x, shape),

  Permute: (e, layer, [x], shape) => {
    const perm = [0, ...layer.getConfig().dims as number[]]
    return { name: e.node('Transpose', [e.last(x)], { perm }), shape, channelsFirst: false }
  },

  ZeroPadding2D: (e, layer, [x], shape) => {
    const config = layer.getConfig(), [[top, bottom], [left, right]] = margins(config.padding)
    channelsLast(config)
    const name = e.node('Pad', [e.first(x), e.constant([0, 0, top, left, 0, 0, bottom, right])])
    return { name, shape, channelsFirst: true, margin: e.nodes.at(-1) }
  },

  Cropping2D: (e, layer, [x], shape) => {
    const config = layer.getConfig(), [[top, bottom], [left, right]] = margins(config.cropping)
    channelsLast(config)
    const far = 2 ** 31 - 1, end = (margin: number) => margin === 0 ? far : -margin
    const name = e.node('Slice', [e.first(x), e.constant([top, left]), e.constant([end(bottom), end(right)]), e.constant([2, 3])])
    return { name, shape, channelsFirst: true }
  },

  UpSampling2D: (e, layer, [x], shape) => {
    const config = layer.getConfig(), [height, width] = config.size as [number, number]
    channelsLast(config)
    plainResize(config)
    // Pixels' centres lie at halves, as Keras has it; the nearest of a whole multiple is then the one below.
    const attributes: Record<string, string> = config.interpolation === 'bilinear'
      ? { mode: 'linear', coordinate_transformation_mode: 'half_pixel' }
      : { mode: 'nearest', nearest_mode: 'floor', coordinate_transformation_mode: 'asymmetric' }
    const name = e.node('Resize', [e.first(x), '', e.constant(Float32Array.of(1, 1, height, width))], attributes)
    return { name, shape, channelsFirst: true }
  },

  Resizing: (e, layer, [x], shape) => {
    const config = layer.getConfig(), { height, width, interpolation } = config as { height: number, width: number, interpolation: string }
    plainResize(config)
    const attributes: Record<string, string> = interpolation === 'bilinear' ? { mode: 'linear' } : { mode: 'nearest', nearest_mode: 'round_prefer_ceil' }
    const sizes = e.constant([1, x.shape[3]!, height, width].slice(2))
    const name = e.node('Resize', [e.first(x), '', '', sizes], { axes: [2, 3], ...attributes, coordinate_transformation_mode: 'half_pixel' })
    return { name, shape, channelsFirst: true }
  },

  Dropout: identity,
  SpatialDropout1D: identity,
  SpatialDropout2D: identity,
  AlphaDropout: identity,
  GaussianDropout: identity,
  GaussianNoise: identity,
  ActivityRegularization: identity,
}
