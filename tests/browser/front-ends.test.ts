import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, test } from 'node:test'
import { pythonOf } from '../../install/place.js'
import { writeNotebook } from '../notebooks/write.ts'
import { Lab, noBrowser, outputs } from './lab.ts'

// Front ends that set-up does not install, in a browser.
const skip = noBrowser || (process.env.GRAFT_TEST_HOSTS ? false : 'installs Notebook 7 and jupyter-resource-usage from PyPI, a minute the first time: GRAFT_TEST_HOSTS=1')
const environment = join(resolve(process.env.GRAFT_TEST_CACHE ?? '.graft/test-cache'), 'front-ends')
const folder = mkdtempSync(join(tmpdir(), 'graft-front-ends-'))

before(() => {
  if (skip || existsSync(join(environment, 'bin', 'jupyter'))) return
  execFileSync(process.env.GRAFT_PYTHON ?? 'python3', ['-m', 'venv', environment])
  execFileSync(pythonOf(environment), ['-m', 'pip', 'install', '-q', 'jupyterlab==4.6.6', 'notebook==7.6.5', 'jupyter-resource-usage==1.3.0'], { stdio: 'ignore' })
})
after(() => rmSync(folder, { recursive: true, force: true }))

test('jupyter-resource-usage shows what the notebook\'s kernel uses, all of its processes', { skip, timeout: 180_000 }, async () => {
  const lab = await Lab.start(folder, { environment })
  try {
    writeNotebook(join(folder, 'usage.ipynb'), 'const held = new Uint8Array(400e6).fill(1)\nheld.length')
    const page = await lab.open('usage.ipynb')
    await lab.runAll(page)
    await page.evaluate(() => (window as any).jupyterapp.shell.activateById('kernelusage-panel-id'))
    const panel = page.locator('#kernelusage-panel-id')
    await panel.getByText(/usage\.ipynb/).waitFor({ timeout: 20_000 })
    // It asks every few seconds, and has nothing to compare the first answer with.
    const told = await page.waitForFunction(() => {
      const text = (document.querySelector('#kernelusage-panel-id') as HTMLElement).innerText
      return /CPU/.test(text) && Number(/Memory: ([\d.]+) MB/.exec(text)?.[1]) > 400 && text
    }, undefined, { timeout: 30_000 })
    const text = String(await told.jsonValue())
    assert.match(text, /Process ID: \d+/i)
    assert.match(text, /CPU: [\d.]+/)
    await lab.shoot(page, 'resource-usage')
    await page.close()
  } finally {
    await lab.stop()
  }
})

test('Notebook 7 runs cells, shows their errors, completes', { skip, timeout: 180_000 }, async () => {
  const lab = await Lab.start(folder, { environment, app: 'notebook' })
  try {
    writeNotebook(join(folder, 'seven.ipynb'), 'const a: number = 20\na + 1', 'const layer = tf.layers.dense({ units: 2, inputShape: [3] })\nshow.layers(tf.sequential({ layers: [layer] }))', 'const wrong: string = a')
    const page = await lab.open('seven.ipynb')
    await lab.runAll(page)
    const [sum, table, error] = await outputs(page)
    assert.equal(sum.trim(), '21')
    assert.match(table, /dense[^]*8/i)
    assert.match(error, /Type 'number' is not assignable to type 'string'[^]*Cell 3, line 1/)
    await lab.shoot(page, 'notebook-7')
    const editor = page.locator('.jp-CodeCell .cm-content').first()
    await editor.click()
    await page.keyboard.press('Control+End')
    await page.keyboard.type('\na.toFix')
    await page.keyboard.press('Tab')
    await page.locator('.jp-Completer', { hasText: 'toFixed' }).waitFor({ timeout: 20_000 })
    await page.close()
  } finally {
    await lab.stop()
  }
})
