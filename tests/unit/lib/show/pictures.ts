import assert from 'node:assert/strict'
import sharp from 'sharp'
import { metadataSymbol, type MimeBundle } from '../../../../lib/host.ts'

/** A bundle's PNG or JPEG, checked: twice the size the front end is told to show it at, a white card, and drawn upon. */
export async function checkPicture(bundle: MimeBundle): Promise<void> {
  const mime = 'image/jpeg' in bundle ? 'image/jpeg' : 'image/png'
  const image = sharp(Buffer.from(bundle[mime] as string, 'base64'))
  const { width, height } = await image.metadata(), { data, info } = await image.raw().toBuffer({ resolveWithObject: true })
  const told = (bundle as Record<symbol, Record<string, { width: number, height: number }>>)[metadataSymbol][mime]
  assert.deepEqual([width, height], [2 * told.width, 2 * told.height])
  const at = (Math.floor(info.height / 2) * info.width + 20) * info.channels
  assert.deepEqual([...data.subarray(at, at + 3)], [255, 255, 255], 'the card is white')
  assert.ok(new Set(data).size > 20, 'something is drawn')
}
