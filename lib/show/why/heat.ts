import type { Bitmap } from '../../data/resize.ts'

/** Viridis (matplotlib) in steps of an eighth: dark is little, bright is much, for every common form of colour sight. */
const stops = [
  [68, 1, 84],
  [71, 44, 122],
  [59, 81, 139],
  [44, 113, 142],
  [33, 144, 141],
  [39, 173, 129],
  [92, 200, 99],
  [170, 220, 50],
  [253, 231, 37],
]

/** The colour of a value from 0 to 1. */
export function viridis(value: number): [number, number, number] {
  const at = Math.min(1, Math.max(0, value || 0)) * (stops.length - 1),
    i = Math.min(stops.length - 2, Math.floor(at))
  return [0, 1, 2].map(c => Math.round(stops[i][c] + (stops[i + 1][c] - stops[i][c]) * (at - i))) as [number, number, number]
}

/** Values of a map as a picture in colours, the least dark and the greatest bright; a map that is the same everywhere is dark. */
export function heatmap(values: ArrayLike<number>, width: number, height: number): Bitmap {
  let low = Infinity,
    high = -Infinity
  for (let i = 0; i < values.length; i++) {
    low = Math.min(low, values[i])
    high = Math.max(high, values[i])
  }
  const data = new Uint8Array(width * height * 3)
  for (let i = 0; i < width * height; i++) data.set(viridis((values[i] - low) / (high - low || 1)), i * 3)
  return { data, width, height, channels: 3 }
}

/**
 * A picture with a map over it: greyed and dimmed where the map is low, in its colours where it is high.
 * @param heat values from 0 to 1, `heatWidth` × `heatHeight`; between its points it is interpolated
 */
export function overlay(picture: Bitmap, heat: ArrayLike<number>, heatWidth: number, heatHeight: number): Bitmap {
  const { width, height, channels } = picture,
    data = new Uint8Array(width * height * 3)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = y * width + x
      const value = sample(
        heat,
        heatWidth,
        heatHeight,
        ((x + 0.5) / width) * heatWidth - 0.5,
        ((y + 0.5) / height) * heatHeight - 0.5,
      )
      const own = [0, 1, 2].map(c => picture.data[i * channels + (channels >= 3 ? c : 0)])
      const grey = 0.3 * own[0] + 0.59 * own[1] + 0.11 * own[2],
        color = viridis(value)
      for (let c = 0; c < 3; c++) data[i * 3 + c] = 0.45 * grey + 0.55 * color[c]
    }
  }
  return { data, width, height, channels: 3 }
}

/** The value between four points, the border's beyond the border. */
function sample(map: ArrayLike<number>, width: number, height: number, x: number, y: number): number {
  const clamp = (n: number, most: number) => Math.min(Math.max(n, 0), most)
  const x0 = Math.floor(x),
    y0 = Math.floor(y)
  const at = (i: number, j: number) => map[clamp(j, height - 1) * width + clamp(i, width - 1)]
  const mix = (a: number, b: number, t: number) => a + (b - a) * t
  return mix(mix(at(x0, y0), at(x0 + 1, y0), x - x0), mix(at(x0, y0 + 1), at(x0 + 1, y0 + 1), x - x0), y - y0)
}
