/** An image in memory: rows of pixels, `channels` bytes each. */
export interface Bitmap {
  data: Uint8Array
  height: number
  width: number
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
  const rows = weights(image.height, height), columns = weights(image.width, width)
  // For each value of a row: where its two neighbours are, and how far it is from the left one to the right one.
  const left = new Int32Array(across), right = new Int32Array(across), part = new Float64Array(across)
  for (let i = 0; i < across; i++) {
    const x = Math.floor(i / channels), channel = i % channels
    left[i] = columns.lower[x] * channels + channel
    right[i] = columns.upper[x] * channels + channel
    part[i] = columns.fraction[x]
  }
  const out = new Uint8Array(height * across)
  for (let y = 0, at = 0; y < height; y++) {
    const top = rows.lower[y] * stride, bottom = rows.upper[y] * stride, dy = rows.fraction[y]
    for (let i = 0; i < across; i++) {
      const l = left[i], r = right[i], dx = part[i], a = data[top + l], b = data[bottom + l]
      const above = a + (data[top + r] - a) * dx, below = b + (data[bottom + r] - b) * dx
      out[at++] = above + (below - above) * dy + 0.5
    }
  }
  return { data: out, height, width, channels }
}

function weights(from: number, to: number) {
  const lower = new Int32Array(to), upper = new Int32Array(to), fraction = new Float64Array(to)
  const scale = from / to
  for (let i = 0; i < to; i++) {
    const at = (i + 0.5) * scale - 0.5, floor = Math.floor(at)
    lower[i] = Math.max(floor, 0)
    upper[i] = Math.min(Math.ceil(at), from - 1)
    fraction[i] = at - floor
  }
  return { lower, upper, fraction }
}
