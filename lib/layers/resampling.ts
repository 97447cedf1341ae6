import * as tf from '@tensorflow/tfjs'

/** How an image gets another size, by TensorFlow's name. */
export type Interpolation = 'bilinear' | 'nearest' | 'bicubic' | 'area' | 'lanczos3' | 'lanczos5' | 'gaussian' | 'mitchellcubic'

/** A way to weigh the old pixels around a new one by their distance, zero from `radius` on. */
interface Kernel { radius: number; weigh(distance: number): number }

/** For each new pixel along one side, which old pixels it is made of, and their shares. */
export type Rows = [pixel: number, share: number][][]

const lanczos = (radius: number): Kernel => ({
  radius,
  weigh: x => x > radius ? 0 : x <= 1e-3 ? 1
    : radius * Math.sin(Math.PI * x) * Math.sin(Math.PI * x / radius) / (Math.PI * Math.PI * x * x),
})
const keysCubic = (x: number) => x >= 2 ? 0 : x >= 1 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : (1.5 * x - 2.5) * x * x + 1

/** Source: tensorflow/core/kernels/image/sampling_kernels.h. */
const kernels: Partial<Record<Interpolation, Kernel>> = {
  bilinear: { radius: 1, weigh: x => Math.max(0, 1 - x) },
  bicubic: { radius: 2, weigh: keysCubic },
  lanczos3: lanczos(3),
  lanczos5: lanczos(5),
  gaussian: { radius: 1.5, weigh: x => x >= 1.5 ? 0 : Math.exp(-x * x / 0.5) },
  mitchellcubic: {
    radius: 2,
    weigh: x => x >= 2 ? 0 : x >= 1 ? (((-7 / 18) * x + 2) * x - 10 / 3) * x + 16 / 9 : (((7 / 6) * x - 2) * x) * x + 8 / 9,
  },
}

/**
 * What each new pixel along one side is made of, as `tf.image.resize` has it: pixels' centres at halves; with `antialias` a
 * smaller image looks at all old pixels.
 */
export function resampled(interpolation: Interpolation, from: number, to: number, antialias: boolean): Rows {
  const each = (of: (i: number) => Rows[number]): Rows => Array.from({ length: to }, (_, i) => of(i))
  if (interpolation === 'nearest') return each(i => [[Math.min(Math.floor((i + 0.5) * from / to), from - 1), 1]])
  if (interpolation === 'area') return each(i => covered(from, i * from / to, (i + 1) * from / to))
  if (antialias || /^(lanczos|gauss|mitchell)/.test(interpolation))
    return each(i => spanned(kernels[interpolation]!, from, (i + 0.5) * from / to, antialias ? Math.max(from / to, 1) : 1))
  if (interpolation === 'bicubic') return each(i => cubic(from, (i + 0.5) * Math.fround(from / to) - 0.5))
  return each(i => {
    const at = Math.max((i + 0.5) * from / to - 0.5, 0), low = Math.min(Math.floor(at), from - 1), share = at - Math.floor(at)
    return [[low, 1 - share], [Math.min(low + 1, from - 1), share]]
  })
}

/** The mean of what lies between two places (`ResizeArea`). */
function covered(size: number, start: number, end: number): Rows[number] {
  const row: Rows[number] = []
  for (let pixel = Math.floor(start); pixel < Math.min(Math.ceil(end), size); pixel++)
    row.push([pixel, (Math.min(pixel + 1, end) - Math.max(pixel, start)) / (end - start)])
  return row
}

/** The pixels that a kernel reaches round a place (`ScaleAndTranslate`). */
function spanned({ radius, weigh }: Kernel, size: number, at: number, scale: number): Rows[number] {
  const first = Math.max(0, Math.ceil(at - radius * scale - 0.5)), last = Math.min(size - 1, Math.floor(at + radius * scale - 0.5))
  const row: Rows[number] = []
  for (let pixel = first; pixel <= last; pixel++) row.push([pixel, weigh(Math.abs(pixel + 0.5 - at) / scale)])
  return normalized(row)
}

/** Four pixels round a place, which TensorFlow's `ResizeBicubic` rounds to 1/1024 of a pixel. */
function cubic(size: number, at: number): Rows[number] {
  const low = Math.floor(at), beyond = Math.round((at - low) * 1024) / 1024
  const around: Rows[number] = [-1, 0, 1, 2].map(step => [low + step, keysCubic(Math.abs(step - beyond))])
  return normalized(around.filter(([pixel]) => pixel >= 0 && pixel < size))
}

function normalized(row: Rows[number]): Rows[number] {
  const total = row.reduce((sum, [, share]) => sum + share, 0)
  return row.map(([pixel, share]) => [pixel, share / total])
}

/** The rows as a matrix [1, new pixels, old pixels], or turned round [1, old pixels, new pixels]. */
export function matrixOf(rows: Rows, from: number, transposed = false): tf.Tensor3D {
  const to = rows.length, numbers = new Float32Array(from * to)
  rows.forEach((row, i) => {
    for (const [pixel, share] of row) numbers[transposed ? pixel * to + i : i * from + pixel] += share
  })
  return tf.tensor3d(numbers, transposed ? [1, from, to] : [1, to, from])
}

/** Multiplies an image [batch, height, width, channels] by one matrix along its height and one along its width. */
export function alongSides(x: tf.Tensor4D, byHeight: tf.Tensor3D, byWidth: tf.Tensor3D): tf.Tensor4D {
  const [batch, height, width, channels] = x.shape, newHeight = byHeight.shape[1], newWidth = byWidth.shape[1]
  const high = tf.matMul(byHeight, tf.reshape(x, [batch, height, width * channels]))
  const wide = tf.matMul(byWidth, tf.reshape(high, [batch * newHeight, width, channels]))
  return tf.reshape(wide, [batch, newHeight, newWidth, channels])
}
