/**
 * Whether a JPEG's EXIF says that the photo is to be turned or mirrored, or cannot be understood.
 *
 * Source: ITU-T T.81 annex B (segments), EXIF 2.32 sections 4.5 and 4.6 (tag 274).
 */
export function isTurned(jpeg: Uint8Array): boolean {
  const view = new DataView(jpeg.buffer, jpeg.byteOffset, jpeg.byteLength)
  for (let at = 2; at + 4 <= jpeg.length;) {
    const marker = view.getUint16(at), end = at + 2 + view.getUint16(at + 2)
    // From the scan on there are pixels; what is no segment ends the search as well.
    if (marker < 0xffc0 || marker === 0xffda || end < at + 4 || end > jpeg.length) return false
    const isExif = marker === 0xffe1 && end >= at + 10 && view.getUint32(at + 4) === exif
    if (isExif && orientation(view, at + 10, end) !== 1) return true
    at = end
  }
  return false
}

/** `Exif`, which two zeros follow. */
const exif = 0x45786966

/** The orientation in a TIFF structure, 1 where it says nothing, NaN where it is cut off. */
function orientation(view: DataView, start: number, end: number): number {
  if (start + 8 > end) return NaN
  const little = view.getUint16(start) === 0x4949, directory = start + view.getUint32(start + 4, little)
  if (directory + 2 > end) return NaN
  const fields = view.getUint16(directory, little)
  if (directory + 2 + fields * 12 > end) return NaN
  for (let at = directory + 2, i = 0; i < fields; i++, at += 12) {
    if (view.getUint16(at, little) === 274) return view.getUint16(at + 8, little) || 1
  }
  return 1
}
