import { mixRow, room } from './pixels.ts'

/** An image in memory: rows of pixels, `channels` bytes each. */
export interface Bitmap {
  data: Uint8Array
  height: number
  width: number
  /** Up to four. */
  channels: number
}

/**
 * Resizes as TensorFlow's `ResizeBilinear` does with half-pixel centres and without antialiasing: the default of
 * `keras.utils.image_dataset_from_directory` and `tf.image.resize`. The result is rounded to whole pixel values.
 * A picture that has the size already is returned as it is.
 */
export function resizeBilinear(image: Bitmap, height: number, width: number): Bitmap {
  if (image.height === height && image.width === width) return image
  const { data, channels } = image, stride = image.width * channels, across = width * channels
  const rows = neighbours(image.height, height), columns = neighbours(image.width, width)
  // Two rows of the picture and one of the result, with room for what is read and written behind their ends; then the columns.
  const above = 0, below = stride + 4, made = below + stride + 4
  const left = (made + across + 7) & ~3, right = left + width * 4, parts = right + width * 4
  const memory = room(parts + width * 4), bytes = new Uint8Array(memory), out = new Uint8Array(height * across)
  new Int32Array(memory, left).set(columns.lower.map(x => x * channels))
  new Int32Array(memory, right).set(columns.upper.map(x => x * channels))
  new Float32Array(memory, parts).set(columns.fraction)
  for (let y = 0; y < height; y++) {
    const top = rows.lower[y] * stride, bottom = rows.upper[y] * stride
    bytes.set(data.subarray(top, top + stride), above)
    bytes.set(data.subarray(bottom, bottom + stride), below)
    mixRow(made, above, below, left, right, parts, width, channels, rows.fraction[y])
    out.set(bytes.subarray(made, made + across), y * across)
  }
  return { data: out, height, width, channels }
}

/** For each place in the result its two neighbours in the picture, and how far it is from the lower one to the upper one. */
function neighbours(from: number, to: number) {
  const lower = new Int32Array(to), upper = new Int32Array(to), fraction = new Float32Array(to)
  const scale = from / to
  for (let i = 0; i < to; i++) {
    const at = (i + 0.5) * scale - 0.5, floor = Math.floor(at)
    lower[i] = Math.max(floor, 0)
    upper[i] = Math.min(Math.ceil(at), from - 1)
    fraction[i] = at - floor
  }
  return { lower, upper, fraction }
}
