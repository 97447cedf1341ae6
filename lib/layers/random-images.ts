import * as tf from '@tensorflow/tfjs'

type Config = Record<string, unknown>

/** Numbers between 0 and 1, new ones at each call. */
export type Uniform = (shape: number[]) => tf.Tensor

/** Changes images [batch, height, width, channels], each by numbers of its own. */
type Change = (x: tf.Tensor4D, config: Config, uniform: Uniform) => tf.Tensor

/** `0.2` or `[-0.1, 0.3]`, as Keras allows: the least and the largest. */
function range(factor: unknown, least: (value: number) => number = value => -Math.abs(value)): [number, number] {
  if (Array.isArray(factor)) return [Number(factor[0]), Number(factor[1])]
  return [least(Number(factor)), Math.abs(Number(factor))]
}

const between = ([least, most]: [number, number], drawn: tf.Tensor): tf.Tensor => tf.add(tf.mul(drawn, most - least), least)

/** Each image takes its pixels from (a0·x + a1·y + a2, b0·x + b1·y + b2); `rows` are a0, a1, a2, b0, b1, b2, each [batch, 1]. */
function moved(x: tf.Tensor4D, rows: (tf.Tensor | number)[], config: Config): tf.Tensor {
  const { interpolation = 'bilinear', fill_mode: fill = 'reflect', fill_value: value = 0 } = config
  const [count, height, width] = x.shape
  const columns = [...rows, 0, 0].map(row => typeof row === 'number' ? tf.fill([count, 1], row) : tf.reshape(row, [count, 1]))
  // WASM reflects wrongly what lies before an image. A reflected image is the same again after two of it.
  for (const [i, size] of [[2, width], [5, height]]) if (fill === 'reflect') columns[i] = tf.add(columns[i], 4 * size)
  const matrices = tf.concat(columns, 1) as tf.Tensor2D
  return tf.image.transform(x, matrices, interpolation as 'bilinear', fill as 'reflect', Number(value))
}

/** How far a side's middle moves where the side is scaled. */
const offset = (size: number, scale: tf.Tensor): tf.Tensor => tf.mul(tf.sub(1, scale), (size - 1) / 2)

const changes: Record<string, Change> = {
  RandomFlip(x, { mode = 'horizontal_and_vertical' }, uniform) {
    const turned = tf.cast(tf.lessEqual(uniform([x.shape[0], 1, 1, 1]), 0.5), 'float32')
    const flipped = (y: tf.Tensor, axis: number) => tf.add(tf.mul(tf.reverse(y, axis), turned), tf.mul(y, tf.sub(1, turned)))
    const across = String(mode).includes('horizontal') ? flipped(x, 2) : x
    return String(mode).includes('vertical') ? flipped(across, 1) : across
  },
  RandomRotation(x, config, uniform) {
    const [count, height, width] = x.shape, angle = tf.mul(between(range(config.factor), uniform([count, 1])), 2 * Math.PI)
    const cos = tf.cos(angle), sin = tf.sin(angle), [cx, cy] = [(width - 1) / 2, (height - 1) / 2]
    return moved(x, [cos, tf.neg(sin), tf.sub(cx, tf.sub(tf.mul(cos, cx), tf.mul(sin, cy))),
      sin, cos, tf.sub(cy, tf.add(tf.mul(sin, cx), tf.mul(cos, cy)))], config)
  },
  RandomZoom(x, config, uniform) {
    const [count, height, width] = x.shape, scale = (factor: unknown) => tf.add(between(range(factor), uniform([count, 1])), 1)
    const tall = scale(config.height_factor), wide = (config.width_factor ?? null) === null ? tall : scale(config.width_factor)
    return moved(x, [wide, 0, offset(width, wide), 0, tall, offset(height, tall)], config)
  },
  RandomTranslation(x, config, uniform) {
    const [count, height, width] = x.shape
    const by = (factor: unknown, size: number) => tf.mul(between(range(factor), uniform([count, 1])), -size)
    const down = by(config.height_factor, height)
    return moved(x, [1, 0, by(config.width_factor, width), 0, 1, down], config)
  },
  RandomContrast(x, config, uniform) {
    const [lower, upper] = range(config.factor, Math.abs), mean = tf.mean(x, [1, 2], true)
    const factor = between([1 - lower, 1 + upper], uniform([x.shape[0], 1, 1, 1]))
    return within(tf.add(tf.mul(tf.sub(x, mean), factor), mean), config)
  },
  RandomBrightness(x, config, uniform) {
    const [low, high] = valuesOf(config)
    return within(tf.add(x, tf.mul(between(range(config.factor), uniform([x.shape[0], 1, 1, 1])), high - low)), config)
  },
}

const valuesOf = ({ value_range: values = [0, 255] }: Config): [number, number] => values as [number, number]

function within(x: tf.Tensor, config: Config): tf.Tensor {
  const [low, high] = valuesOf(config)
  return tf.clipByValue(x, low, high)
}

/**
 * What Keras's augmenting layer of this class and configuration does with images in training; undefined where that is not known.
 * Source: keras/src/layers/preprocessing/image_preprocessing.
 */
export function changeOf(className: string, config: Config): ((x: tf.Tensor4D, uniform: Uniform) => tf.Tensor) | undefined {
  const change = Object.hasOwn(changes, className) ? changes[className] : undefined
  return change && config.data_format !== 'channels_first' ? (x, uniform) => change(x, config, uniform) : undefined
}
