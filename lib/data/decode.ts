import { GraftError } from '../error.ts'
import { decodeJpeg } from './jpeg.ts'
import { resizeBilinear, type Bitmap } from './resize.ts'

/** What a decoded picture looks like: height, width and 3 (RGB) or 1 (grey) channels. */
export type ImageShape = [height: number, width: number, channels: number]

/**
 * Decodes an image file's bytes and resizes them, as `keras.utils.load_img` and `image_dataset_from_directory` do: alpha is
 * dropped, grey becomes RGB, 16 bits become 8, colour profiles are ignored, the first frame of an animation counts. Unlike Keras,
 * a photo is turned upright by its EXIF orientation. The decoding runs off the main thread: common JPEGs in libjpeg-turbo, all
 * else in libvips through sharp.
 *
 * @returns `height · width · channels` bytes.
 * @throws GraftError where the bytes are no picture that can be read; the message says why, without the file's name.
 */
export async function decodeImage(bytes: Uint8Array, [height, width, channels]: ImageShape): Promise<Uint8Array> {
  const refused = unreadable(bytes)
  if (refused) throw new GraftError(refused)
  const finish = (image: Bitmap) => resizeBilinear(withChannels(image, channels), height, width).data
  if (isBitmapFile(bytes)) return finish(decodeBmp(bytes))
  return await decodeJpeg(bytes, channels, finish) ?? decodeWithSharp(bytes, finish)
}

async function decodeWithSharp(bytes: Uint8Array, use: (image: Bitmap) => Uint8Array): Promise<Uint8Array> {
  const { default: sharp } = await import('sharp')
  try {
    const image = sharp(bytes, { failOn: 'error', ignoreIcc: true, limitInputPixels: 500e6 })
    const { space, depth, hasAlpha, orientation = 1 } = await image.metadata()
    // Steps that change nothing are left out: each takes as long as a third of the decoding.
    if (orientation !== 1) image.autoOrient()
    if (space === 'cmyk') image.pipelineColourspace('cmyk').toColourspace('cmyk')
    else {
      if (hasAlpha) image.removeAlpha()
      if (space !== 'srgb' || depth !== 'uchar') image.toColourspace('srgb')
    }
    const { data, info } = await image.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true })
    const decoded = { data, height: info.height, width: info.width, channels: info.channels }
    return use(space === 'cmyk' ? withoutInks(decoded) : decoded)
  } catch (error) {
    const reason = (error as Error).message.replace(/\s+/g, ' ').trim()
    throw new GraftError(/unsupported image format/i.test(reason)
      ? 'not an image, or damaged at its start' : `damaged: ${reason}`)
  }
}

/** CMYK → RGB by Pillow's formula, so without a printer's profile: each ink darkens what black leaves. */
function withoutInks({ data, height, width, channels }: Bitmap): Bitmap {
  const out = new Uint8Array(height * width * 3)
  for (let i = 0, p = 0; i < out.length; i += 3, p += channels) {
    const light = 255 - data[p + 3]
    for (let c = 0; c < 3; c++) out[i + c] = Math.max(0, light - Math.round(data[p + c] * light / 255))
  }
  return { data: out, height, width, channels: 3 }
}

/** Why these bytes cannot be a picture we read, or null. */
function unreadable(bytes: Uint8Array): string | null {
  if (bytes.length === 0) return 'the file is empty'
  const brands = ascii(bytes, 4, 40)
  if (/^ftyp(hei[cxms]|hev[cxms])/.test(brands) || (/^ftyp(mif1|msf1)/.test(brands) && !brands.includes('avif'))) {
    return 'HEIC, which needs a licensed decoder: save it as JPEG (on an iPhone: Settings > Camera > Formats > Most Compatible)'
  }
  return null
}

const ascii = (bytes: Uint8Array, from: number, to: number) => String.fromCharCode(...bytes.subarray(from, to))

/** Grey ↔ RGB; the grey of a colour is Pillow's `L` (ITU-R 601-2 luma), which Keras uses. */
function withChannels(image: Bitmap, channels: number): Bitmap {
  if (image.channels === channels) return image
  const { data, height, width } = image, n = height * width, out = new Uint8Array(n * channels)
  if (channels === 3) for (let i = 0; i < n; i++) out.fill(data[i * image.channels], i * 3, i * 3 + 3)
  else for (let i = 0, p = 0; i < n; i++, p += image.channels) {
    out[i] = (data[p] * 19595 + data[p + 1] * 38470 + data[p + 2] * 7471 + 0x8000) >> 16
  }
  return { data: out, height, width, channels }
}

const isBitmapFile = (bytes: Uint8Array) => bytes[0] === 0x42 && bytes[1] === 0x4d

/** Windows bitmaps, which libvips does not read: uncompressed, 8-bit palette, 24 or 32 bits. */
function decodeBmp(bytes: Uint8Array): Bitmap {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < 54) throw new GraftError('damaged: a BMP header takes 54 bytes')
  const start = view.getUint32(10, true), header = view.getUint32(14, true)
  const width = view.getInt32(18, true), signed = view.getInt32(22, true), height = Math.abs(signed)
  const bits = view.getUint16(28, true), compression = view.getUint32(30, true)
  if (![8, 24, 32].includes(bits) || ![0, 3].includes(compression)) {
    throw new GraftError(`a BMP of ${bits} bits, compression ${compression}: save it as PNG`)
  }
  const stride = Math.ceil(width * bits / 32) * 4
  if (width <= 0 || height === 0 || start + stride * height > bytes.length) {
    throw new GraftError('damaged: the BMP ends before its last row')
  }
  const palette = 14 + header, step = bits / 8, data = new Uint8Array(width * height * 3)
  for (let y = 0; y < height; y++) {
    const row = start + stride * (signed > 0 ? height - 1 - y : y)
    for (let x = 0; x < width; x++) {
      const p = bits === 8 ? palette + bytes[row + x] * 4 : row + x * step
      data.set([bytes[p + 2], bytes[p + 1], bytes[p]], (y * width + x) * 3)
    }
  }
  return { data, height, width, channels: 3 }
}
