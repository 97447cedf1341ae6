// Writes docs/gallery.md: what one looks at, each display with the line that makes it, executed in the kernel. node docs/gallery.ts
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { readNotebook, writeNotebook, type Cell } from '../cli/notebook.ts'
import { runNotebook } from '../cli/run.ts'
import { examples, notebookOf } from './examples.ts'

const pictures = join(import.meta.dirname, 'pictures', 'gallery')
const folder = mkdtempSync(join(tmpdir(), 'graft-gallery-'))
for (const name of ['images', 'models']) symlinkSync(join(import.meta.dirname, '..', 'notebooks', name), join(folder, name))
process.env.GRAFT_RUNS = join(folder, 'runs')
const notebook = join(folder, 'gallery.ipynb')
writeNotebook(notebook, notebookOf(examples))
const failed = await runNotebook(notebook, { out: notebook })

if (!failed) {
  rmSync(pictures, { recursive: true, force: true })
  mkdirSync(pictures, { recursive: true })
  const about = 'Every display has a text form too, for terminals and screen readers. This page is written by `node docs/gallery.ts`.'
  const parts = [`# Gallery\n\n${about}`]
  const { cells } = readNotebook(notebook)
  for (const [i, { code, title = code, about }] of examples.entries()) {
    if (about) parts.push(`## \`${title}\``, about, await shownBy(cells[i], String(i).padStart(2, '0')))
  }
  writeFileSync(join(import.meta.dirname, 'gallery.md'), `${parts.join('\n\n')}\n`)
}
rmSync(folder, { recursive: true, force: true })
process.exit(failed)

/** What a cell shows: its last picture at the size it is looked at, or else the text of its last display. */
async function shownBy({ outputs }: Cell, name: string): Promise<string> {
  const shown = outputs.flatMap(({ data }) => data ? [{ words: String(data['text/plain']), picture: pictureIn(data) }] : [])
  const last = shown.findLast(({ picture }) => picture) ?? shown.at(-1)!
  const lines = last.words.split('\n')
  if (!last.picture) {
    const some = lines.length > 40 ? [...lines.slice(0, 24), '…', ...lines.slice(-10)] : lines
    return ['```', ...some, '```'].join('\n')
  }
  const { mime, bytes } = last.picture, image = sharp(bytes), { width = 0 } = await image.metadata()
  const file = `${name}.${mime === 'image/jpeg' ? 'jpg' : 'png'}`, sized = image.resize(Math.round(Math.min(width / 2, 900)))
  await (mime === 'image/jpeg' ? sized.jpeg({ quality: 82 }) : sized.png({ palette: true })).toFile(join(pictures, file))
  return `![${lines[0].replace(/[[\]]/g, '')}](pictures/gallery/${file})`
}

/** The picture of a bundle, also where it stands in its HTML. */
function pictureIn(data: Record<string, unknown>): { mime: string, bytes: Buffer } | null {
  const inside = /<img[^>]+src="data:(image\/\w+);base64,([^"]+)"/.exec(String(data['text/html'] ?? ''))
  const mime = ['image/jpeg', 'image/png'].find(mime => typeof data[mime] === 'string')
  if (mime) return { mime, bytes: Buffer.from(String(data[mime]), 'base64') }
  return inside && { mime: inside[1], bytes: Buffer.from(inside[2], 'base64') }
}
