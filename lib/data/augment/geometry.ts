import type { Picture } from './picture.ts'

/**
 * Where a pixel of the result comes from: `(x, y)` from `(a·x + b·y + c, d·x + e·y + f)`. TensorFlow's
 * `ImageProjectiveTransformV3` takes the same six numbers.
 */
export type Affine = readonly [a: number, b: number, c: number, d: number, e: number, f: number]

/**
 * What lies beyond the edge: `reflect` mirrors the image (`dcba|abcd|dcba`), `nearest` repeats its last pixels, `constant` is
 * black.
 */
export type Fill = 'reflect' | 'nearest' | 'constant'

export const identity: Affine = [1, 0, 0, 0, 1, 0]

/** First one, then the other. */
export const then = ([a, b, c, d, e, f]: Affine, [g, h, i, j, k, l]: Affine): Affine =>
  [a * g + b * j, a * h + b * k, a * i + b * l + c, d * g + e * j, d * h + e * k, d * i + e * l + f]

/** Turned about its centre; positive turns are counterclockwise. `turn` is a part of a full one (keras.layers.RandomRotation). */
export function rotation(turn: number, height: number, width: number): Affine {
  const cos = Math.cos(turn * 2 * Math.PI), sin = Math.sin(turn * 2 * Math.PI), cx = (width - 1) / 2, cy = (height - 1) / 2
  return [cos, -sin, cx - cx * cos + cy * sin, sin, cos, cy - cx * sin - cy * cos]
}

/** Smaller for factors above 1, larger below, about its centre (keras.layers.RandomZoom: 1 + its factor). */
export const zoom = (vertical: number, horizontal: number, height: number, width: number): Affine =>
  [horizontal, 0, (width - 1) / 2 * (1 - horizontal), 0, vertical, (height - 1) / 2 * (1 - vertical)]

/** Moved down and to the right, in pixels (keras.layers.RandomTranslation). */
export const translation = (down: number, right: number): Affine => [1, 0, -right, 0, 1, -down]

/** Slanted: rows moved by `x` times their number, columns by `y` times theirs (keras.layers.RandomShear). */
export const shear = (x: number, y: number): Affine => [1, x, 0, y, 1, 0]

export const flipX = (width: number): Affine => [-1, 0, width - 1, 0, 1, 0]
export const flipY = (height: number): Affine => [1, 0, 0, 0, -1, height - 1]

/**
 * A window of the image, its corner at `(left, top)` and `part` of its sides long, stretched to the whole as `tf.image.resize`
 * does.
 */
export const crop = (part: number, top: number, left: number): Affine =>
  [part, 0, left + part / 2 - 0.5, 0, part, top + part / 2 - 0.5]

/**
 * The image after the transform, between pixels bilinear. It computes what TensorFlow's `ImageProjectiveTransformV3` does
 * (tensorflow/core/kernels/image/image_ops.h).
 */
export function transform({ values, height, width, channels }: Picture, [a, b, c, d, e, f]: Affine, fill: Fill): Picture {
  const out = new Float32Array(values.length), map = maps[fill], row = width * channels
  let at = 0
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const px = map(a * x + b * y + c, width), py = map(d * x + e * y + f, height)
      const x0 = Math.floor(px), y0 = Math.floor(py), dx = px - x0, dy = py - y0
      // Beyond the edge lies black; the three others never look there with a weight above 0.
      const left = x0 >= 0 && x0 < width, right = x0 + 1 >= 0 && x0 + 1 < width
      const above = y0 >= 0 && y0 < height, below = y0 + 1 >= 0 && y0 + 1 < height, p = y0 * row + x0 * channels
      for (let k = 0; k < channels; k++, at++) {
        const p00 = above && left ? values[p + k] : 0, p01 = above && right ? values[p + channels + k] : 0
        const p10 = below && left ? values[p + row + k] : 0, p11 = below && right ? values[p + row + channels + k] : 0
        out[at] = (1 - dy) * ((1 - dx) * p00 + dx * p01) + dy * ((1 - dx) * p10 + dx * p11)
      }
    }
  }
  return { values: out, height, width, channels }
}

const within = (at: number, size: number) => Math.min(Math.max(at, 0), size - 1)

const maps: Record<Fill, (at: number, size: number) => number> = {
  constant: at => at,
  nearest: within,
  reflect(at, size) {
    if (at >= 0 && at <= size - 1) return at
    const period = 2 * size, inside = at - period * Math.floor(at / period)
    return within(inside >= size ? period - inside - 1 : inside, size)
  },
}
