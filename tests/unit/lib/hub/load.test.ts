import assert from 'node:assert/strict'
import { cp, mkdtemp, open, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { cardOf } from '../../../../lib/card.ts'
import { hub } from '../../../../lib/hub/index.ts'
import { thin, thinArchive } from '../../../fixtures/models/models.ts'

const { folder } = await thin('thin_slim'), scratch = await mkdtemp(join(tmpdir(), 'graft-'))
process.env.GRAFT_CACHE_DIR = join(scratch, 'cache')
after(() => rm(scratch, { recursive: true }))
let copies = 0

async function copy(): Promise<string> {
  const to = join(scratch, `copy-${copies++}`)
  await cp(folder, to, { recursive: true })
  return to
}

test('a folder becomes a model with a card', async () => {
  const model = await hub.load(folder)
  assert.equal(model.name, 'thin_slim')
  assert.deepEqual(cardOf(model), { handle: folder, folder, layout: 'slim', size: [32, 32], range: [0, 1], notes: [] })
  assert.equal((await hub.load(folder, { name: 'mine', fresh: true })).name, 'mine')
})

test('an archive is a handle too', async () => {
  const model = await hub.load(thinArchive('thin_slim'))
  assert.equal(model.name, 'thin_slim')
  assert.equal(model.countParams(), (await hub.load(folder)).countParams())
})

test('a second call gives the same model, `fresh` a new one with the published weights', async () => {
  const base = await hub.load(folder), published = base.getWeights()[0].dataSync()[0]
  base.layers[2].setWeights(base.layers[2].getWeights().map(weight => weight.mul(0)))
  base.layers[3].trainable = false
  const again = await hub.load(folder), fresh = await hub.load(folder, { fresh: true })
  assert.equal(again, base)
  assert.notEqual(fresh, base)
  assert.equal(again.layers[3].trainable, false)
  assert.deepEqual(
    [base.getWeights()[0].dataSync()[0], fresh.getWeights()[0].dataSync()[0], fresh.layers[3].trainable],
    [0, published, true],
  )
})

test('a model that was disposed of is opened anew, and so is one that was written anew', async () => {
  const path = await copy(), first = await hub.load(path)
  first.dispose()
  const second = await hub.load(path)
  assert.notEqual(second, first)
  await writeFile(join(path, 'saved_model.pb'), await readFile(join(folder, 'saved_model.pb')))
  assert.notEqual(await hub.load(path), second)
})

describe('each failure names the thing and the way out', () => {
  async function fails(handle: string, message: RegExp, options = {}): Promise<void> {
    await assert.rejects(hub.load(handle, options), (error: Error) => {
      assert.equal(error.name, 'GraftError', error.stack)
      assert.match(error.message, message)
      return true
    })
  }
  const wayOut = 'hub\\.load\\(\'\\./folder\'\\)'

  test('an empty folder', async () => {
    const empty = await mkdtemp(join(scratch, 'empty-'))
    await fails(empty, new RegExp(`not a SavedModel: '${empty}' has no saved_model\\.pb.*${wayOut}`))
  })
  test('a TensorFlow.js model without a topology', async () => {
    const other = await mkdtemp(join(scratch, 'tfjs-'))
    await writeFile(join(other, 'model.json'), '{}')
    await fails(other, new RegExp(`no TensorFlow\\.js model: it holds no modelTopology.*${wayOut}`))
  })
  test('an unknown signature', () =>
    fails(folder, /unknown signature: 'serving_defalt'.*'serving_default'.*Did you mean 'serving_default'/, {
      signature: 'serving_defalt',
    }))
  test('no variables', async () => {
    const path = await copy()
    await rm(join(path, 'variables'), { recursive: true })
    await fails(path, new RegExp(`the model has no weights: .*variables\\.index is missing.*${wayOut}`))
  })
  test('a checkpoint that is cut off', async () => {
    const path = await copy()
    await truncate(join(path, 'variables', 'variables.data-00000-of-00001'), 10_000)
    await fails(
      path,
      new RegExp(
        `weights are damaged: .*data-00000-of-00001: it is cut off: tensor '.*' ends at byte \\d+ of 10000.*${wayOut}`,
        's',
      ),
    )
  })
  test('a checkpoint with a flipped bit', async () => {
    const path = await copy(), file = await open(join(path, 'variables', 'variables.data-00000-of-00001'), 'r+')
    await file.write(Uint8Array.of(77), 0, 1, 100)
    await file.close()
    await fails(path, /weights are damaged: .*the checksum of tensor '.*' does not match/)
  })
  test('an index with a flipped bit', async () => {
    const path = await copy(), file = await open(join(path, 'variables', 'variables.index'), 'r+')
    await file.write(Uint8Array.of(77), 0, 1, 100)
    await file.close()
    await fails(path, /weights are damaged: .*variables\.index: the checksum of the block/)
  })
  test('a missing shard', async () => {
    const path = await copy()
    await rm(join(path, 'variables', 'variables.data-00000-of-00001'))
    await fails(path, /data-00000-of-00001: the file is missing/)
  })
  test('a graph that is cut off', async () => {
    const path = await copy()
    await truncate(join(path, 'saved_model.pb'), 100_000)
    await fails(path, new RegExp(`saved_model\\.pb is damaged: .*${wayOut}`))
  })
  test('a graph that is text', async () => {
    const path = await copy()
    await writeFile(join(path, 'saved_model.pb'), '<html>Not found</html>')
    await fails(path, /saved_model\.pb is damaged/)
  })
})
