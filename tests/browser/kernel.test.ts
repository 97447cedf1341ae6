import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Locator, Page } from 'playwright-core'
import { writeNotebook } from '../notebooks/write.ts'
import { Lab, noBrowser } from './lab.ts'

const folder = mkdtempSync(join(tmpdir(), 'graft-debugger-'))
let lab: Lab

before(async () => {
  if (!noBrowser) lab = await Lab.start(folder)
})
after(async () => {
  await lab?.stop()
  rmSync(folder, { recursive: true, force: true })
})

const command = (page: Page, id: string, values: object = {}) =>
  page.evaluate(([name, args]) => { void (window as any).jupyterapp.commands.execute(name, args) }, [id, values] as const)

const runCell = (page: Page, index: number) => page.evaluate(at => {
  const app = (window as any).jupyterapp
  const notebook = [...app.shell.widgets('main')].find(widget => widget.content?.activeCellIndex !== undefined)
  app.shell.activateById(notebook.id)
  notebook.content.activeCellIndex = at
  void app.commands.execute('notebook:run-cell')
}, index)

/** Waits for the stack as the panel lists it, innermost first: names and lines. */
async function waitForStack(page: Page, expected: string): Promise<void> {
  await page.waitForFunction(wanted => {
    const frames = [...document.querySelectorAll('.jp-DebuggerCallstack-body li')] as HTMLElement[]
    return frames.map(frame => frame.innerText.replace(/\n.*:(\d+)$/, ' $1')).join(', ') === wanted
  }, expected, { timeout: 20_000 })
}

const sums = `interface Item { price: number, count: number }
function total(items: Item[]): number {
  let sum = 0
  for (const { price, count } of items) {
    sum += price * count
  }
  return sum
}
const basket: Item[] = [{ price: 2, count: 3 }]
const due = total(basket)
due`

test('JupyterLab\'s debugger: a click beside a line stops there, the panel shows stack and variables, steps, goes on, and stops at what is thrown', { skip: noBrowser, timeout: 180_000 }, async () => {
  writeFileSync(join(folder, 'tax.ts'), 'export function taxed(price: number): number {\n  const rate: number = 0.5\n  return price * (1 + rate)\n}\n')
  writeNotebook(join(folder, 'debug.ipynb'), sums, 'import { taxed } from \'./tax\'\n\'ready\'', 'taxed(due)',
    'function refuse(price: number) {\n  const told = `${price} is too much`\n  throw new RangeError(told)\n}\nrefuse(7)')
  const page = await lab.open('debug.ipynb')
  // A file that opens at a stop may hide the notebook.
  const shown = (cell: number, text: string) => page.locator('.jp-CodeCell').nth(cell).locator('.jp-OutputArea-output', { hasText: text }).waitFor({ state: 'attached', timeout: 20_000 })
  await runCell(page, 1)
  await shown(1, 'ready')
  await page.locator('.jp-DebuggerBugButton').click()
  const gutterOf = (editor: Locator) => editor.locator('.cm-gutter.cm-breakpoint-gutter .cm-gutterElement')
  const gutter = gutterOf(page.locator('.jp-CodeCell').first())
  // The first element is for the width alone, so that this is line 5.
  await gutter.nth(5).click()
  const lines = page.locator('.jp-DebuggerBreakpoint-line')
  await lines.filter({ hasText: '5' }).waitFor({ timeout: 10_000 })
  await runCell(page, 0)
  await waitForStack(page, 'total 5, Cell 2 10')
  const variables = page.locator('.jp-DebuggerVariables-body')
  await variables.getByText('price').first().waitFor()
  await lab.shoot(page, 'debugger-stopped')
  // A value as it shows itself, beside the notebook.
  await command(page, 'debugger:render-mime-variable', { name: 'items' })
  await page.locator('.jp-VariableRendererPanel', { hasText: 'price: 2, count: 3' }).waitFor({ timeout: 10_000 })
  assert.deepEqual((await variables.first().innerText()).split('\n').filter((_, at) => at % 2 === 0).sort(), ['count', 'items', 'price', 'sum'])
  assert.equal(await page.locator('.jp-DebuggerEditor-highlight').count(), 1)
  for (const next of ['total 4, Cell 2 10', 'total 7, Cell 2 10', 'Cell 2 11']) {
    await command(page, 'debugger:next')
    await waitForStack(page, next)
  }
  await command(page, 'debugger:continue')
  await shown(0, '6')
  // A file that was loaded is listed; it opens beside the notebook, and stops at a click as well.
  await page.locator('.jp-DebuggerKernelSource-source', { hasText: 'tax.ts' }).click()
  const file = page.locator('[data-jp-debugger=true]', { hasText: 'price * (1 + rate)' })
  await file.waitFor({ timeout: 20_000 })
  await gutterOf(file).nth(3).click()
  await lines.filter({ hasText: '3' }).waitFor({ timeout: 10_000 })
  await runCell(page, 2)
  await waitForStack(page, 'taxed 3, Cell 3 1')
  await lab.shoot(page, 'debugger-module')
  await command(page, 'debugger:continue')
  await shown(2, '9')
  await page.evaluate(() => (window as any).jupyterapp.commands.execute('debugger:pause-on-exceptions', { filter: 'uncaught' }).then(() => {}))
  await runCell(page, 3)
  await waitForStack(page, 'refuse 3, Cell 4 5')
  await variables.getByText('told').first().waitFor()
  await lab.shoot(page, 'debugger-exception')
  await command(page, 'debugger:continue')
  await shown(3, 'RangeError: 7 is too much')
  await page.close()
})

test('JupyterLab\'s subshell console runs while a cell of the notebook waits', { skip: noBrowser, timeout: 180_000 }, async () => {
  writeNotebook(join(folder, 'subshell.ipynb'), 'let go = false\nwhile (!go) await new Promise(done => setTimeout(done, 20))\nconsole.log(\'the notebook goes on\')')
  const page = await lab.open('subshell.ipynb')
  await runCell(page, 0)
  await page.locator('.jp-CodeCell .jp-InputPrompt', { hasText: '[*]' }).waitFor({ timeout: 20_000 })
  await command(page, 'notebook:create-subshell-console')
  const prompt = page.locator('.jp-CodeConsole-promptCell .cm-content')
  await prompt.waitFor({ timeout: 20_000 })
  await page.waitForFunction(() => {
    const panel = [...(window as any).jupyterapp.shell.widgets('main')].find(widget => widget.console)
    return Boolean(panel?.sessionContext.session?.kernel?.subshellId)
  }, undefined, { timeout: 20_000 })
  await prompt.click()
  await page.keyboard.type('console.log("from the console"); go = true')
  await page.keyboard.press('Shift+Enter')
  await page.locator('.jp-CodeConsole .jp-OutputArea-output', { hasText: 'from the console' }).waitFor({ timeout: 20_000 })
  await page.waitForFunction(() => document.querySelector('.jp-Notebook .jp-OutputArea-output')?.textContent?.trim() === 'the notebook goes on', undefined, { timeout: 20_000 })
  await lab.shoot(page, 'subshell-console')
  await page.close()
})
