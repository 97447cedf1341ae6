import type { ImageShape } from './decode.ts'
import { rangeTable, type Range, type Source } from './set.ts'

/** A source of images that are decoded and in memory: `height · width · channels` bytes each. */
export function memorySource(pictures: Uint8Array[], classes: string[], shape: ImageShape, range: Range): Source {
  const [height, width, channels] = shape, each = height * width * channels, table = rangeTable(range)
  return {
    classes, shape, range,
    bitmap: async key => ({ data: pictures[key], height, width, channels }),
    pixels: async keys => {
      const out = new Float32Array(keys.length * each)
      keys.forEach((key, n) => pictures[key].forEach((value, i) => { out[n * each + i] = table[value] }))
      return out
    },
  }
}
