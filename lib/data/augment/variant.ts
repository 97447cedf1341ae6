import type { Source } from '../set.ts'
import type { Augmentation } from './augmentation.ts'
import type { Picture } from './picture.ts'

/** Pictures between two looks at what else waits. */
const atOnce = 8

/** What a set is made of: where the images come from, their keys there, what they are, and their classes. */
export interface Members { source: Source, keys: number[], ids: string[], labels: Int32Array }

/** One variant of each image of a set, as a source of its own; a key is the image's place in the set. */
export function variantSource({ source, keys, ids }: Members, augmentation: Augmentation, variant: number): Source {
  const [height, width, channels] = source.shape, each = height * width * channels, [low, high] = source.range
  const mixOf = (i: number) => augmentation.mix(ids[i], variant, keys.length, height, width)
  async function pixels(places: number[]): Promise<Float32Array> {
    const mixes = places.map(mixOf), needed = [...new Set([...places, ...mixes.flatMap(mix => mix ? [mix.partner] : [])])]
    const plain = await source.pixels(needed.map(i => keys[i])), changed = new Map<number, Picture>()
    for (const [n, i] of needed.entries()) {
      if (n && n % atOnce === 0) await new Promise(resolve => setImmediate(resolve))
      const values = plain.subarray(n * each, (n + 1) * each).map(value => (value - low) / (high - low))
      changed.set(i, augmentation.apply({ values, height, width, channels }, ids[i], variant))
    }
    const out = new Float32Array(places.length * each)
    places.forEach((i, n) => {
      const mix = mixes[n], own = changed.get(i)!, { values } = mix ? mix.put(own, changed.get(mix.partner)!) : own
      for (let v = 0, at = n * each; v < each; v++) out[at + v] = low + values[v] * (high - low)
    })
    return out
  }
  return {
    classes: source.classes, shape: source.shape, range: source.range, pixels,
    async bitmap(i) {
      const values = await pixels([i])
      return { data: Uint8Array.from(values, value => Math.round((value - low) / (high - low) * 255)), height, width, channels }
    },
  }
}

/** What tells a variant of an image from all others: equal ids mean equal pixels. */
export function variantIds({ source, ids }: Members, augmentation: Augmentation, variant: number): string[] {
  const [height, width] = source.shape
  return ids.map(id => {
    const mix = augmentation.mix(id, variant, ids.length, height, width)
    return `${id} ${augmentation.key} ${variant}${mix ? ` ${ids[mix.partner]}` : ''}`
  })
}

/** How much of each class is in the variant of an image. */
export function variantTruth(
  { source, ids, labels }: Members, augmentation: Augmentation, variant: number,
): (i: number) => Float32Array {
  const [height, width] = source.shape
  return i => {
    const mix = augmentation.mix(ids[i], variant, ids.length, height, width), truth = new Float32Array(source.classes.length)
    truth[labels[i]] += 1 - (mix?.share ?? 0)
    if (mix) truth[labels[mix.partner]] += mix.share
    return truth
  }
}
