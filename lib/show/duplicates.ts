import sharp from 'sharp'
import type { ImageSet } from '../data/set.ts'
import type { ImageData } from '../data/images.ts'
import { host, type MimeBundle } from '../host.ts'
import { columns, plural } from './format.ts'
import { pictureCards } from './picture-cards.ts'

/** Two images that look alike: where they are, and in how many of 64 places they differ. */
export interface Pair {
  a: { part: string; index: number }
  b: { part: string; index: number }
  distance: number
}

/**
 * The difference hash of an image (Krawetz 2013): grey, 9 × 8, a bit where a pixel is brighter than its left neighbour.
 * Images that were resized or compressed anew keep it.
 */
export async function differenceHash(set: ImageSet, index: number): Promise<bigint> {
  const { data, width, height, channels } = await set.bitmap(index)
  const grey = await sharp(data, { raw: { width, height, channels: channels as 1 | 3 } })
    .greyscale()
    .resize(9, 8, { fit: 'fill' })
    .raw()
    .toBuffer()
  let hash = 0n
  for (let y = 0; y < 8; y++) for (let x = 0; x < 8; x++) hash = (hash << 1n) | (grey[y * 9 + x + 1] > grey[y * 9 + x] ? 1n : 0n)
  return hash
}

/** Pairs of images, across and within the parts of a data set, whose hashes differ in `most` bits or less; the closest first. */
export async function alike(parts: Record<string, ImageSet>, most = 4): Promise<Pair[]> {
  const all: { part: string; index: number; hash: bigint; flat: boolean }[] = []
  for (const [part, set] of Object.entries(parts)) {
    for (let index = 0; index < set.length; index++) {
      if (index % 64 === 0) host().signal.throwIfAborted()
      const hash = await differenceHash(set, index)
      // A plain ground has no differences at all: it is like any other plain ground, which says nothing.
      all.push({ part, index, hash, flat: bits(hash) < 4 || bits(hash) > 60 })
    }
  }
  const pairs: Pair[] = []
  for (let i = 0; i < all.length; i++) {
    for (let j = i + 1; j < all.length; j++) {
      if (all[i].flat || all[j].flat) continue
      const distance = bits(all[i].hash ^ all[j].hash)
      if (distance <= most) pairs.push({ a: all[i], b: all[j], distance })
    }
  }
  return pairs.sort((x, y) => x.distance - y.distance || Number(y.a.part !== y.b.part) - Number(x.a.part !== x.b.part))
}

function bits(hash: bigint): number {
  let low = Number(hash & 0xffffffffn),
    high = Number(hash >> 32n),
    count = 0
  for (; low; low &= low - 1) count++
  for (; high; high &= high - 1) count++
  return count
}

/** The pairs as pictures: those across parts leak from training into the test, those of two classes contradict each other. */
export async function duplicatesBundle(data: ImageData, most: number): Promise<MimeBundle> {
  const parts = data.parts as Record<string, ImageSet>,
    pairs = await alike(parts)
  const across = pairs.filter(({ a, b }) => a.part !== b.part).length
  const label = ({ part, index }: Pair['a']) => parts[part].classes[parts[part].labels[index]]
  const two = pairs.filter(({ a, b }) => label(a) !== label(b)).length
  const title = pairs.length ? `${plural(pairs.length, 'pair')} of images that look alike` : 'No two images look alike'
  const detail = !pairs.length ? `${plural(Object.values(parts).reduce((sum, { length }) => sum + length, 0), 'image')} compared`
    : `${across} across parts, which makes a test easier than it seems · ${two} of two classes, of which one may be wrong`
  const shown = pairs.slice(0, most),
    cards = await Promise.all(
      shown.map(async ({ a, b }) => ({
        pictures: [await parts[a.part].bitmap(a.index), await parts[b.part].bitmap(b.index)],
        label: `${a.part} ${label(a)} / ${b.part} ${label(b)}`,
      })),
    )
  const rows = shown.map(({ a, b, distance }) => [
    `${a.part}: ${parts[a.part].files[a.index]}`,
    `${b.part}: ${parts[b.part].files[b.index]}`,
    String(distance),
  ])
  return pictureCards({
    title,
    detail,
    cards,
    side: 84,
    text: `${title}: ${detail}\n${columns([['Image', 'Like', 'Bits apart'], [], ...rows], ['left', 'left', 'right'])}`,
  })
}
