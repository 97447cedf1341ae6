import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Page } from 'playwright-core'
import { readNotebook, writeNotebook } from '../../cli/notebook.ts'
import { examples, notebookOf } from '../../docs/examples.ts'
import { pythonOf, root, venv } from '../../install/place.js'
import { contrast } from '../../lib/show/palette.ts'
import { Lab, noBrowser, outputs, shots } from './lab.ts'

// Every display of the gallery, in JupyterLab: executed there, then opened again in both themes, trusted and not. Those that take
// seconds are left out, unless GRAFT_TEST_GALLERY is set; then there are screenshots of all cells too.
const shown = examples.filter(({ slow }) => !slow || process.env.GRAFT_TEST_GALLERY)
const folder = mkdtempSync(join(tmpdir(), 'graft-gallery-'))
let lab: Lab
let executed: string[] = []

before(async () => {
  if (noBrowser) return
  for (const name of ['images', 'models']) symlinkSync(join(root, 'notebooks', name), join(folder, name))
  writeNotebook(join(folder, 'gallery.ipynb'), notebookOf(shown))
  process.env.GRAFT_RUNS = join(folder, 'runs')
  lab = await Lab.start(folder)
})
after(async () => {
  await lab?.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** What a page shows: words and the widths of pictures, each cell scrolled into view, since outputs are drawn when one sees them. */
async function look(page: Page, name: string): Promise<{ words: string[], widths: number[] }> {
  for (const [i, { about }] of shown.entries()) {
    if (!about) continue
    const cell = page.locator('.jp-CodeCell').nth(i)
    await cell.scrollIntoViewIfNeeded()
    await cell.locator('.jp-OutputArea-output').first().waitFor({ state: 'attached' })
    if (process.env.GRAFT_TEST_GALLERY) await lab.shootCell(page, i, `gallery-${name}-${String(i).padStart(2, '0')}`)
  }
  const pictures = '.jp-OutputArea-output img'
  await page.waitForFunction(which => [...document.querySelectorAll<HTMLImageElement>(which)].every(image => image.complete), pictures)
  const widths = await page.$$eval(pictures, images => images.map(image => (image as HTMLImageElement).naturalWidth))
  return { words: await outputs(page), widths }
}

/** The least contrast of letters that are shown as HTML, and the letters. */
async function faintest(page: Page): Promise<{ ratio: number, words: string }> {
  const pairs = await page.$$eval('.jp-RenderedHTML *, .graft-widget *', all => {
    type Color = [number, number, number, number]
    const read = (color: string): Color => {
      const [r, g, b, a = 1] = color.match(/[\d.]+/g)!.map(Number)
      return [r, g, b, a]
    }
    const over = (top: Color, under: Color): Color =>
      [0, 1, 2].map(i => Math.round(top[i] * top[3] + under[i] * (1 - top[3]))).concat(1) as Color
    const hex = (color: Color) => `#${color.slice(0, 3).map(value => value.toString(16).padStart(2, '0')).join('')}`
    return all.flatMap(element => {
      const words = [...element.childNodes].filter(node => node.nodeType === 3).map(node => node.textContent!.trim()).join('')
      if (!words || !(element as HTMLElement).offsetParent || element.closest('[disabled]')) return []
      const parents: Element[] = []
      for (let at: Element | null = element; at; at = at.parentElement) parents.unshift(at)
      let ground: Color = [255, 255, 255, 1], opacity = 1
      for (const parent of parents) {
        const style = getComputedStyle(parent)
        opacity *= Number(style.opacity)
        ground = over(read(style.backgroundColor), ground)
      }
      const [r, g, b, a] = read(getComputedStyle(element).color)
      return [{ ink: hex(over([r, g, b, a * opacity], ground)), ground: hex(ground), words }]
    })
  })
  assert.ok(pairs.length > 100, `${pairs.length} pieces of text`)
  return pairs.map(({ ink, ground, words }) => ({ ratio: contrast(ink, ground), words: `${words} (${ink} on ${ground})` }))
    .reduce((a, b) => (b.ratio < a.ratio ? b : a))
}

test('every display is shown by the cells that make it, without a complaint', { skip: noBrowser, timeout: 300_000 }, async () => {
  const page = await lab.open('gallery.ipynb')
  await lab.runAll(page)
  const complaints = page.locator('[data-mime-type="application/vnd.jupyter.stderr"], [data-mime-type="application/vnd.jupyter.error"]')
  assert.deepEqual(await complaints.allInnerTexts(), [])
  const { words, widths } = await look(page, 'light')
  const { ratio, words: least } = await faintest(page)
  executed = words
  await lab.save(page)
  await lab.endKernel(page)
  await page.close()
  assert.ok(widths.every(width => width > 100), `pictures: ${widths}`)
  assert.ok(ratio >= 4.5, `contrast ${ratio.toFixed(2)} of ${least}`)
})

for (const [name, theme, trusted] of [
  ['dark', 'JupyterLab Dark', true], ['dark-untrusted', 'JupyterLab Dark', false], ['light-untrusted', 'JupyterLab Light', false],
] as const) {
  test(`opened again, ${name}: every table and figure is there, readable`, { skip: noBrowser, timeout: 120_000 }, async () => {
    const saved = readNotebook(join(folder, 'gallery.ipynb'))
    // Another notebook than the one that was executed here, as a copy from elsewhere is.
    if (!trusted) saved.metadata.title = name
    writeNotebook(join(folder, `${name}.ipynb`), saved)
    const page = await lab.open(trusted ? 'gallery.ipynb' : `${name}.ipynb`, { theme })
    const isTrusted = await page.evaluate(() => (window as any).jupyterapp.shell.currentWidget.content.model.cells.get(1).trusted)
    assert.equal(isTrusted, trusted)
    const { words, widths } = await look(page, name)
    const expected = saved.cells.flatMap(cell => cell.outputs).filter(({ data = {} }) =>
      data['image/png'] ?? data['image/jpeg'] ?? String(data['text/html']).includes('<img')).length
    assert.ok(expected > 10, `${expected} pictures are saved`)
    // JupyterLab draws the SVG of a figure where it trusts it.
    if (!trusted) assert.equal(widths.length, expected)
    assert.ok(widths.every(width => width > 100), `pictures: ${widths}`)
    for (const word of ['GlobalAveragePooling2D', 'predictions', 'removed', 'Mean ± deviation', 'val accuracy', 'WASM SIMD']) {
      assert.ok(words.some(all => all.includes(word)), `'${word}' is shown`)
    }
    assert.doesNotMatch(words.join('\n'), /model not found|Loading widget/)
    for (const [i, all] of executed.entries()) assert.equal(words[i] === '', all === '', `cell ${i + 1}: ${shown[i].code}`)
    const { ratio, words: least } = await faintest(page)
    assert.ok(ratio >= 4.5, `contrast ${ratio.toFixed(2)} of ${least}`)
    await page.close()
  })
}

test("nbconvert's HTML: every picture is drawn, every table readable, without the network", { skip: noBrowser, timeout: 120_000 }, async () => {
  execFileSync(pythonOf(venv), ['-m', 'nbconvert', '--to', 'html', 'gallery.ipynb'], { cwd: folder, stdio: 'pipe' })
  const page = await lab.openFile(join(folder, 'gallery.html'))
  const { words, widths } = await look(page, 'nbconvert'), { ratio, words: least } = await faintest(page)
  const cut = await page.$$eval('.jp-OutputArea-output td', all => all.filter(cell => cell.scrollWidth > cell.clientWidth + 1).map(cell => cell.textContent))
  await page.screenshot({ path: join(shots, 'gallery-nbconvert.png'), fullPage: true })
  await page.close()
  assert.ok(widths.length > 10 && widths.every(width => width > 100), `pictures: ${widths}`)
  assert.ok(ratio >= 4.5, `contrast ${ratio.toFixed(2)} of ${least}`)
  assert.deepEqual(cut, [], 'what does not fit into its column')
  for (const [i, all] of executed.entries()) assert.equal(words[i] === '', all === '', `cell ${i + 1}: ${shown[i].code}`)
})
