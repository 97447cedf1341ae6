import type { ImageShape } from './decode.ts'
import { batchOf, rangeTable, type Range, type Source } from './set.ts'

/** A source of images that are decoded and in memory: `height · width · channels` bytes each. */
export function memorySource(pictures: Uint8Array[], classes: string[], shape: ImageShape, range: Range): Source {
  const [height, width, channels] = shape, table = rangeTable(range)
  return {
    classes, shape, range,
    bitmap: async key => ({ data: pictures[key], height, width, channels }),
    pixels: async keys => batchOf(keys.map(key => pictures[key]), shape, table),
  }
}
