import type { Bitmap } from './resize.ts'

/**
 * Decodes a JPEG of one or three colours, run off the main thread: the same pixels as sharp's, in less time. `use` makes of the
 * picture what is wanted; the picture's memory lasts as long as it runs.
 *
 * @throws where the bytes are damaged, or something else than that
 */
export type JpegDecoder = (bytes: Uint8Array, use: (image: Bitmap) => Uint8Array) => Promise<Uint8Array>

/** A decoder that an engine brings, once it has been started. */
export const jpegs: { decoder: JpegDecoder | null } = { decoder: null }
