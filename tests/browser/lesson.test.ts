import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFileSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { pythonOf, root, venv } from '../../install/place.js'
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

test('executed elsewhere and opened untrusted, it still shows its tables and pictures', { skip: noBrowser, timeout: 300_000 }, async () => {
  const done = spawnSync(pythonOf(venv), [join(root, 'install', 'execute.py'), join(folder, lesson), join(folder, 'executed.ipynb'), 'epochs=2', 'fromScratch=false'],
    { encoding: 'utf8', env: { ...process.env, JUPYTER_PREFER_ENV_PATH: '1' } })
  assert.equal(done.status, 0, done.stderr)
  assert.ok(existsSync(join(folder, 'executed.ipynb')))
  const page = await lab.open('executed.ipynb', { theme: 'JupyterLab Dark' })
  const trusted = await page.evaluate(() => (window as any).jupyterapp.shell.currentWidget.content.model.cells.get(1).trusted)
  assert.equal(trusted, false, 'the notebook is untrusted')
  // A cell's output is rendered when it comes into view.
  const cells = await page.locator('.jp-CodeCell').count()
  for (let i = 0; i < cells; i++) {
    await page.locator('.jp-CodeCell').nth(i).scrollIntoViewIfNeeded()
    await page.waitForTimeout(150)
    await lab.shoot(page, `lesson-1-untrusted-${String(i + 1).padStart(2, '0')}`)
  }
  const all = (await outputs(page)).join('\n')
  for (const word of ['GlobalAveragePooling2D', 'Dense', 'load_model']) assert.ok(all.includes(word), `'${word}' is shown`)
  assert.ok(await page.locator('.jp-OutputArea-output table').count() >= 2, 'layer tables')
  const widths = await page.$$eval('.jp-OutputArea-output img', images => images.map(image => (image as HTMLImageElement).naturalWidth))
  assert.ok(widths.length >= 3 && widths.every(width => width > 100), `pictures: ${widths}`)
  await page.close()
})
