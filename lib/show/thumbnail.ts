import sharp from 'sharp'
import type { Bitmap } from '../data/resize.ts'

/** An 8-bit image as a PNG in a data URI, at most `side` pixels wide and high; a smaller one stays as it is or, to be enlarged, keeps its pixels sharp. */
export async function thumbnail({ data, width, height, channels }: Bitmap, side: number, enlarge = false): Promise<string> {
  const png = await sharp(data, { raw: { width, height, channels: channels as 1 | 3 | 4 } })
    .resize(side, side, { fit: 'inside', withoutEnlargement: !enlarge, kernel: enlarge ? 'nearest' : 'lanczos3' }).png().toBuffer()
  return `data:image/png;base64,${png.toString('base64')}`
}
