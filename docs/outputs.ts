// Executes the notebooks and keeps their outputs in them, so that they can be read on GitHub: node docs/outputs.ts
import { cpSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { readNotebook, writeNotebook, type CellOutput } from '../cli/notebook.ts'
import { runNotebook } from '../cli/run.ts'

const notebooks = join(import.meta.dirname, '..', 'notebooks')
const folder = mkdtempSync(join(tmpdir(), 'graft-outputs-'))
for (const name of ['images', 'models', 'exercises.ts']) symlinkSync(join(notebooks, name), join(folder, name))

let failed = 0
for (const name of readdirSync(notebooks).filter(name => name.endsWith('.ipynb') && !name.endsWith('.executed.ipynb'))) {
  cpSync(join(notebooks, name), join(folder, name))
  console.log(name)
  const out = join(folder, `out-${name}`)
  if (await runNotebook(join(folder, name), { out })) {
    failed = 1
    continue
  }
  const notebook = readNotebook(out)
  for (const cell of notebook.cells) for (const output of cell.outputs) await slim(output)
  writeNotebook(join(notebooks, name), notebook)
}
rmSync(folder, { recursive: true, force: true })
process.exit(failed)

/** A picture is kept once, at the size it is looked at: the file is read far more often than it is drawn anew. */
async function slim({ data, metadata }: CellOutput): Promise<void> {
  const mime = ['image/jpeg', 'image/png'].find(mime => typeof data?.[mime] === 'string')
  if (!data || !mime) return
  delete data['image/svg+xml']
  const { width } = (metadata?.[mime] ?? {}) as { width?: number }
  const picture = sharp(Buffer.from(String(data[mime]), 'base64')).resize(width ? Math.round(width * 1.25) : null)
  const bytes = await (mime === 'image/jpeg' ? picture.jpeg({ quality: 80 }) : picture.png({ palette: true })).toBuffer()
  data[mime] = bytes.toString('base64')
}
