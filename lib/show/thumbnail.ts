import type { Bitmap } from '../data/resize.ts'

/**
 * An 8-bit image in a data URI, at most `side` pixels wide and high; a smaller one stays as it is. As JPEG, a quarter of the
 * PNG's size, as the pictures of a notebook are saved with it. One to be enlarged, and one with transparent parts, is a PNG and
 * keeps its pixels sharp.
 */
export async function thumbnail({ data, width, height, channels }: Bitmap, side: number, enlarge = false): Promise<string> {
  const { default: sharp } = await import('sharp')
  const image = sharp(data, { raw: { width, height, channels: channels as 1 | 3 | 4 } }).resize(side, side, {
    fit: 'inside',
    withoutEnlargement: !enlarge,
    kernel: enlarge ? 'nearest' : 'lanczos3',
  })
  const type = enlarge || channels === 4 ? 'png' : 'jpeg'
  const bytes = await (type === 'png' ? image.png() : image.jpeg({ quality: 88, chromaSubsampling: '4:4:4' })).toBuffer()
  return `data:image/${type};base64,${bytes.toString('base64')}`
}
