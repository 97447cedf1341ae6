// Takes README's picture: cells of the first lesson with their outputs, as JupyterLab shows them. node docs/picture.ts
import { join } from 'node:path'
import sharp from 'sharp'
import { Lab } from '../tests/browser/lab.ts'

const wanted = ['customize.extract(', 'await train(model', 'await show.predictions(']
const lab = await Lab.start(join(import.meta.dirname, '..', 'notebooks'))
try {
  const page = await lab.open('1-feature-extraction.ipynb')
  const pictures: Buffer[] = []
  for (const words of wanted) {
    const cell = page.locator('.jp-CodeCell', { hasText: words }).first()
    await cell.scrollIntoViewIfNeeded()
    await cell.locator('.jp-OutputArea-output').first().waitFor()
    pictures.push(await cell.screenshot())
  }
  const sizes = await Promise.all(pictures.map(picture => sharp(picture).metadata())), gap = 6
  const width = Math.max(...sizes.map(size => size.width!)), height = sizes.reduce((sum, size) => sum + size.height! + gap, gap)
  let top = 0
  const placed = pictures.map((input, i) => {
    const at = { input, left: 0, top: top + gap }
    top = at.top + sizes[i].height!
    return at
  })
  await sharp({ create: { width, height, channels: 3, background: '#ffffff' } }).composite(placed)
    .png({ palette: true, quality: 80, effort: 10 }).toFile(join(import.meta.dirname, 'pictures', 'lesson-1.png'))
} finally {
  await lab.stop()
}
process.exit(0)
