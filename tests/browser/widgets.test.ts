import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import type { Page } from 'playwright-core'
import { readNotebook } from '../../cli/notebook.ts'
import { writeNotebook } from '../notebooks/write.ts'
import { Lab, noBrowser, outputs } from './lab.ts'

const folder = mkdtempSync(join(tmpdir(), 'graft-widgets-'))
let lab: Lab

const leftFrozen = /first\s+Conv2D\s+\(None, 14, 14, 4\)\s+112[^]*?frozen/

const notebook = (name: string, ...cells: string[]) => writeNotebook(join(folder, name), ...cells)

before(async () => {
  process.env.GRAFT_RUNS = join(folder, 'runs')
  if (!noBrowser) lab = await Lab.start(folder)
})
after(async () => {
  await lab?.stop()
  rmSync(folder, { recursive: true, force: true })
})

const model = `const model = tf.sequential({ name: 'small', layers: [
  tf.layers.conv2d({ inputShape: [16, 16, 3], filters: 4, kernelSize: 3, name: 'first' }),
  ...[1, 2].flatMap(i => [tf.layers.conv2d({ filters: 4, kernelSize: 1, name: \`block_\${i}_conv\` }), tf.layers.batchNormalization({ name: \`block_\${i}_bn\` }), tf.layers.reLU({ name: \`block_\${i}_relu\` })]),
  ...Array.from({ length: 14 }, (_, i) => tf.layers.reLU({ name: \`late_\${i}\` })),
  tf.layers.globalAveragePooling2d({ name: 'pool' }), tf.layers.dense({ units: 3, activation: 'softmax', name: 'head' })] })`

for (const theme of ['JupyterLab Light', 'JupyterLab Dark']) {
  test(
    `the live layer table: search, fold, freeze by a click, the code that does the same; ${theme}`,
    { skip: noBrowser, timeout: 180_000 },
    async () => {
      notebook(
        'layers.ipynb',
        model,
        'show.layers(model, { live: true })',
        'model.layers.filter(layer => layer.weights.length && !layer.trainable).map(layer => layer.name).join()',
      )
      const page = await lab.open('layers.ipynb', { theme })
      await lab.runAll(page)
      const table = page.locator('.graft-widget')
      await table.waitFor({ timeout: 20_000 })
      assert.equal(await table.locator('tr[data-layer="block_1_conv"]').count(), 0, 'blocks are folded')
      await table.locator('tr[data-block="block_1"]').click()
      assert.equal(await table.locator('tr[data-layer^="block_1_"]').count(), 3, 'a click unfolds')
      await table.locator('tr[data-layer="first"] button[aria-pressed]').click()
      await table.locator('tr[data-layer="first"] button[aria-pressed="false"]').waitFor()
      assert.match(await table.locator('.code').innerText(), /1 layer with weights changed:\s*freeze\(model, 'first'\)/)
      await table.locator('tr[data-block="block_2"] button[aria-pressed="true"]').click()
      await table.locator('tr[data-block="block_2"] button[aria-pressed="false"]').waitFor()
      assert.match(await table.locator('.code').innerText(), /freeze\(model, 'block block_2'\)/)
      await table.locator('tr[data-layer="pool"] button[aria-label="tap pool"]').click()
      await table.getByText("tap(model, 'pool')").waitFor()
      await table.locator('input[type=search]').fill('batch')
      assert.deepEqual(
        await table.locator('tr[data-layer]').evaluateAll(rows => rows.map(row => (row as HTMLElement).dataset.layer)),
        ['block_1_bn', 'block_2_bn'],
      )
      await lab.shoot(page, `widget-layers-${theme.split(' ')[1].toLowerCase()}`)
      // The model itself was changed: a cell that is run after the clicks says so.
      await page.evaluate(() => {
        const { content } = (window as any).jupyterapp.shell.currentWidget
        content.activeCellIndex = 2
        return (window as any).jupyterapp.commands.execute('notebook:run-cell')
      })
      await page.getByText("'first,block_2_conv,block_2_bn'").waitFor({ timeout: 20_000 })
      assert.ok((await outputs(page))[2].includes('first,block_2_conv,block_2_bn'))
      await page.close()
    },
  )
}

test(
  'a live table that was saved: live again in a page loaded anew, static where its kernel is gone',
  { skip: noBrowser, timeout: 180_000 },
  async () => {
    notebook('saved.ipynb', model, 'show.layers(model, { live: true })')
    let page = await lab.open('saved.ipynb')
    await lab.runAll(page)
    await page.locator('.graft-widget tr[data-layer="first"] button[aria-pressed="true"]').click()
    await page.locator('.graft-widget tr[data-layer="first"] button[aria-pressed="false"]').waitFor()
    assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('aria-label')), 'first: frozen, let it train', 'the focus stays')
    await page.keyboard.press('Enter')
    await page.locator('.graft-widget tr[data-layer="first"] button[aria-pressed="true"]').waitFor()
    await page.keyboard.press('Enter')
    await page.locator('.graft-widget tr[data-layer="first"] button[aria-pressed="false"]').waitFor()
    // What is saved follows a moment later.
    for (let i = 0; i < 50 && !leftFrozen.test((await outputs(page))[1]); i++) await wait(100)
    await lab.save(page)
    await page.reload()
    await page.locator('.graft-widget tr[data-block="block_1"] .fold').press('Enter')
    assert.equal(await page.locator('.graft-widget tr[data-layer^="block_1_"]').count(), 3, 'live again')
    await lab.endKernel(page)
    await page.close()
    page = await lab.open('saved.ipynb')
    await page.locator('.jp-OutputArea-output details').first().waitFor()
    const [, shown] = await outputs(page)
    assert.match(shown, leftFrozen, 'the static table, as the clicks left it')
    assert.equal(await page.locator('.graft-widget').count(), 0)
    assert.doesNotMatch(shown, /model not found/)
    await lab.shoot(page, 'widget-layers-saved')
    await page.close()
  },
)

test(
  'buttons under a run that is awaited: pause, another learning rate, stop; nothing of them stays',
  { skip: noBrowser, timeout: 180_000 },
  async () => {
    notebook(
      'training.ipynb',
      `const small = tf.sequential({ layers: [tf.layers.flatten({ inputShape: [8, 8, 3] }), tf.layers.dense({ units: 2, activation: 'softmax' })] })
const x = tf.randomUniform([512, 8, 8, 3]), set = await data.tensors(x, Array.from({ length: 512 }, (_, i) => i % 2))
const run = await train(small, set, { epochs: 100000, batch: 16, learningRate: 0.01, log: false })
run.stopped + ' ' + (run.epochs > run.history.loss.length) + ' ' + run.learningRate`,
    )
    const page = await lab.open('training.ipynb')
    await page.evaluate(() => void (window as any).jupyterapp.commands.execute('notebook:run-cell'))
    const buttons = page.locator('.graft-widget button'),
      bar = page.locator('.graft-widget')
    await buttons.first().waitFor({ timeout: 60_000 })
    await page.getByText('❚❚ Pause').click()
    await page.getByText('· paused').waitFor()
    await page.getByText('▶ Go on').click()
    await page.getByText('❚❚ Pause').waitFor()
    await page.getByText('rate ÷ 2').click()
    await bar.getByText('learning rate 0.0050').waitFor()
    await lab.shoot(page, 'widget-training')
    await page.getByText('■ Stop').click()
    await page.getByText("'stopped true 0.005'").waitFor({ timeout: 20_000 })
    await page.waitForFunction(() => !document.querySelector('.graft-widget'))
    await page.close()
  },
)

/** The drawings that a page shows, as text. */
const drawings = (page: Page): Promise<string[]> => page.$$eval('.jp-OutputArea-output img', images =>
  images.map(image => decodeURIComponent((image as HTMLImageElement).src)).filter(source => source.startsWith('data:image/svg+xml')))

test('a run whose page was closed on the way: in a new page its plot is whole, and is saved so', { skip: noBrowser, timeout: 180_000 }, async () => {
  const epochs = 60
  const path = notebook(
    'closed.ipynb',
    `const flat = tf.sequential({ layers: [tf.layers.flatten({ inputShape: [8, 8, 3] }), tf.layers.dense({ units: 2, activation: 'softmax' })] })
const noise = await data.tensors(tf.randomUniform([512, 8, 8, 3]), Array.from({ length: 512 }, (_, i) => i % 2))
await train(flat, noise, { epochs: ${epochs}, batch: 8 })`,
    'await runs.attach(runs.last().id)',
  )
  let page = await lab.open('closed.ipynb')
  await page.evaluate(() => void (window as any).jupyterapp.commands.execute('notebook:run-cell'))
  await page.waitForFunction(() => [...document.querySelectorAll<HTMLImageElement>('.jp-OutputArea-output img')]
    .some(({ src }) => /epoch \d+ of/.test(decodeURIComponent(src))))
  await lab.save(page)
  await page.close()
  assert.match(JSON.stringify(readNotebook(path).cells[0].outputs), new RegExp(`epoch \\d+ of ${epochs}`), 'it was closed on the way')
  const record = () => readdirSync(join(folder, 'runs')).map(id => join(folder, 'runs', id, 'run.json')).find(existsSync)!
  while (!JSON.parse(readFileSync(record(), 'utf8')).run.finished) await wait(100)

  page = await lab.open('closed.ipynb')
  await page.evaluate(() => {
    const { content } = (window as any).jupyterapp.shell.currentWidget
    content.activeCellIndex = 1
    return (window as any).jupyterapp.commands.execute('notebook:run-cell')
  })
  const whole = new RegExp(`Training: ${epochs} epochs in `)
  assert.match((await drawings(page)).at(-1)!, whole)
  await lab.shoot(page, 'training-closed')
  await lab.save(page)
  const [, { outputs: saved }] = readNotebook(path).cells
  assert.match(JSON.stringify(saved[0].data), whole)
  assert.ok(saved[0].data!['image/png'])
  assert.deepEqual(Object.keys(saved[1].data!), ['text/plain'], 'the plot once, though the run is also what the cell gives')
  await page.close()
})

test("a widget of the user's own shares its state both ways", { skip: noBrowser, timeout: 180_000 }, async () => {
  notebook(
    'clicks.ipynb',
    `const clicks = graft.widget({
  esm: \`export default { render({ model, el }) {
    const button = document.createElement('button')
    const show = () => { button.textContent = 'clicked ' + model.get('count') }
    button.id = 'clicks'
    button.onclick = () => { model.set('count', model.get('count') + 1); model.save_changes(); model.send({ from: 'browser' }) }
    model.on('change:count', show)
    show()
    el.append(button)
  } }\`,
  state: { count: 3 },
})
const heard: unknown[] = []
clicks.onMessage(message => heard.push(message)).onChange(changed => heard.push(changed))
clicks`,
    'clicks.set({ count: clicks.state.count * 10 }); JSON.stringify(heard)',
  )
  const page = await lab.open('clicks.ipynb')
  await page.evaluate(() => (window as any).jupyterapp.commands.execute('notebook:run-cell'))
  await page.locator('#clicks').waitFor({ timeout: 30_000 })
  await page.locator('#clicks').click()
  await page.getByText('clicked 4').waitFor()
  await page.evaluate(() => {
    const { content } = (window as any).jupyterapp.shell.currentWidget
    content.activeCellIndex = 1
    return (window as any).jupyterapp.commands.execute('notebook:run-cell')
  })
  await page.getByText('clicked 40').waitFor({ timeout: 20_000 })
  assert.match((await outputs(page))[1], /\{"count":4\}.*\{"from":"browser"\}/)
  await page.close()
})
