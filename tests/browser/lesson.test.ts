import assert from 'node:assert/strict'
import { copyFileSync, cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { root } from '../../install/place.js'
import { Lab, noBrowser, outputs } from './lab.ts'

const folder = mkdtempSync(join(tmpdir(), 'graft-notebooks-'))
const lesson = '1-feature-extraction.ipynb'
let lab: Lab

before(async () => {
  if (noBrowser) return
  for (const name of ['images', 'models']) cpSync(join(root, 'notebooks', name), join(folder, name), { recursive: true })
  for (const name of [lesson, 'exercises.ts']) copyFileSync(join(root, 'notebooks', name), join(folder, name))
  lab = await Lab.start(folder)
})
after(async () => {
  await lab?.stop()
  rmSync(folder, { recursive: true, force: true })
})

test('the first lesson runs in JupyterLab, every cell, and leaves the .h5', { skip: noBrowser, timeout: 300_000 }, async () => {
  const page = await lab.open(lesson)
  await lab.runAll(page)
  const shown = await outputs(page)
  const complaints = await page.locator('[data-mime-type="application/vnd.jupyter.stderr"], [data-mime-type="application/vnd.jupyter.error"]').allInnerTexts()
  assert.deepEqual(complaints, [])
  const all = shown.join('\n')
  for (const word of ['Engine:', 'GlobalAveragePooling2D', 'Dense', 'load_model', 'byte for byte']) assert.ok(all.includes(word), `'${word}' is shown`)
  // Each picture is really drawn, not a broken image.
  const widths = await page.$$eval('.jp-OutputArea-output img', images => images.map(image => (image as HTMLImageElement).naturalWidth))
  assert.ok(widths.length >= 3 && widths.every(width => width > 100), `pictures: ${widths}`)
  const file = readFileSync(join(folder, 'custom_mobilenet_feature_extraction.h5'))
  assert.equal(file.subarray(1, 4).toString(), 'HDF')
  const cells = await page.locator('.jp-CodeCell').count()
  for (let i = 0; i < cells; i++) {
    await page.locator('.jp-CodeCell').nth(i).scrollIntoViewIfNeeded()
    await lab.shoot(page, `lesson-1-cell-${String(i + 1).padStart(2, '0')}`)
  }
  await page.close()
})
