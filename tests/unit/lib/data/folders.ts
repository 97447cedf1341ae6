import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import sharp from 'sharp'

/** A folder with the given files; its removal when the test ends. */
export function folderOf(files: Record<string, Uint8Array | string>): { folder: string, [Symbol.dispose](): void } {
  const folder = mkdtempSync(join(tmpdir(), 'graft-test-'))
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), content)
  }
  return { folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) }
}

/** A PNG of one colour, with the number in it, so that no two are the same. */
export function png(number: number, [r, g, b] = [200, 80, 40], side = 12): Promise<Buffer> {
  const data = Buffer.alloc(side * side * 3)
  for (let i = 0; i < data.length; i += 3) data.set([r, g, b], i)
  data.writeUInt16BE(number, 0)
  return sharp(data, { raw: { width: side, height: side, channels: 3 } }).png().toBuffer()
}

/** Class folders with some images each, told apart by colour: `{ 'red/0.png': …, … }`. */
export async function classFolders(counts: Record<string, number>, prefix = ''): Promise<Record<string, Buffer>> {
  const files: Record<string, Buffer> = {}
  for (const [c, [name, count]] of Object.entries(counts).entries()) {
    for (let i = 0; i < count; i++) files[`${prefix}${name}/${i}.png`] =
      await png(c * 1000 + i, [60 + 60 * (c % 3), 40 * c % 255, 250 - 70 * (c % 4)])
  }
  return files
}
