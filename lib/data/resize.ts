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
  const { data, channels } = image
  const rows = weights(image.height, height), columns = weights(image.width, width)
  const out = new Uint8Array(height * width * channels)
  const stride = image.width * channels
  let at = 0
  for (let y = 0; y < height; y++) {
    const top = rows.lower[y] * stride, bottom = rows.upper[y] * stride, dy = rows.fraction[y]
    for (let x = 0; x < width; x++) {
      const left = columns.lower[x] * channels, right = columns.upper[x] * channels, dx = columns.fraction[x]
      for (let c = 0; c < channels; c++) {
        const a = data[top + left + c], b = data[top + right + c]
        const d = data[bottom + left + c], e = data[bottom + right + c]
        const above = a + (b - a) * dx, below = d + (e - d) * dx
        out[at++] = above + (below - above) * dy + 0.5
      }
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
