import { createHash } from 'node:crypto'
import { readFile } from 'node:fs'
import { promisify } from 'node:util'
import { GraftError } from '../error.ts'
import { decodeImage, type ImageShape } from './decode.ts'

/** An image file that was read: its pixels in the shape that was wanted, and a hash of its bytes. */
export interface Picture { pixels: Uint8Array, content: string }

// In half of the time that the one of `node:fs/promises` takes.
const bytesOf = promisify(readFile)

/** Reads and decodes an image file. @throws GraftError with the reason, without the file's name */
export async function readPicture(file: string, shape: ImageShape): Promise<Picture> {
  const bytes = await bytesOf(file).catch(({ code }: NodeJS.ErrnoException) => {
    throw new GraftError(code === 'ENOENT' ? 'no such file' : `cannot be read (${code})`)
  })
  return { pixels: await decodeImage(bytes, shape), content: createHash('sha256').update(bytes).digest('hex').slice(0, 32) }
}
