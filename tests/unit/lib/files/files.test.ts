import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { after, before, describe, test } from 'node:test'
import { setCard } from '../../../../lib/card.ts'
import { leaves } from '../../../../lib/customize/layers.ts'
import * as files from '../../../../lib/files/index.ts'
import { displaySymbol } from '../../../../lib/host.ts'
import { load, save } from '../../../../lib/save/index.ts'
import { tf } from '../../../../lib/tf.ts'
import { GroupedOptimizer } from '../../../../lib/train/optimizers.ts'
import { inputsFor, outputsOf, zoo } from '../../../parity/save/zoo.ts'

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'graft-files-'))
})
after(() => rm(folder, { recursive: true, force: true }))

const extensions = ['.h5', '.keras', '/model.json']
const named = (model: tf.LayersModel) => leaves(model).filter(layer => layer.weights.length).map(layer => layer.name.replaceAll('/', '.')).sort()

for (const name of ['mobilenet', 'nested', 'branches', 'bidirectional', 'attention', 'frozen']) {
  describe(name, () => {
    const model = zoo[name](), at = (extension: string) => join(folder, name + extension)
    before(async () => {
      for (const extension of [...extensions, '.weights.h5']) await save(model, at(extension))
    })
    for (const extension of extensions) {
      test(`${extension}: its summary names every layer, shape and number`, async () => {
        const summary = await files.summary(at(extension)), held = summary.layers.filter(({ parameters }) => parameters > 0)
        assert.deepEqual(held.map(layer => layer.name).sort(), named(model))
        assert.equal(summary.parameters, model.countParams())
        assert.match(summary.writer, /^Graft \d/)
        assert.match(inspect(summary), /SHA-256 {4}[0-9a-f]{64}/)
        for (const layer of leaves(model)) {
          const line = held.find(each => each.name === layer.name.replaceAll('/', '.'))
          if (line) assert.deepEqual(Object.values(line.shapes).map(String).sort(), layer.weights.map(({ shape }) => String(shape)).sort())
        }
        const bundle = summary[displaySymbol]()
        assert.match(String(bundle['text/html']), /<table/)
      })
      test(`${extension}: in order`, async () => {
        const check = await files.verify(at(extension))
        assert.deepEqual(check.problems, [])
        assert.match(check.checked.join('; '), /by their fingerprint/)
      })
    }
    for (const other of ['.keras', '/model.json']) {
      test(`.h5 and ${other} hold the same weights`, async () => {
        const { none, same, differences } = await files.compare(at('.h5'), at(other))
        assert.deepEqual(differences, [])
        assert.ok(none)
        assert.equal(same, new Set(model.weights).size)
        const [a, b] = await Promise.all(['.h5', other].map(async each => (await files.summary(at(each))).layers))
        assert.deepEqual(b.map(({ shapes }) => Object.keys(shapes).sort()), a.map(({ shapes }) => Object.keys(shapes).sort()))
      })
    }
    for (const extension of extensions) {
      test(`${extension}: a renamed layer is renamed everywhere, and the model computes the same`, async () => {
        const old = named(model).at(-1)!, to = join(folder, 'renamed', name + extension)
        await files.rename(at(extension), { [old]: 'my_layer' }, { to })
        const summary = await files.summary(to)
        assert.ok(summary.layers.some(layer => layer.name === 'my_layer') && !summary.layers.some(layer => layer.name === old))
        assert.deepEqual((await files.verify(to)).problems, [])
        const again = await load(to), inputs = inputsFor(model)
        assert.deepEqual(await outputsOf(again, inputs), await outputsOf(model, inputs))
        again.dispose()
      })
    }
  })
}

test('a summary tells of training, card and run', async () => {
  const model = zoo.sequential(), optimizer = new GroupedOptimizer('adamw', () => 0.002)
  optimizer.learningRate = 0.002
  model.compile({ optimizer, loss: 'categoricalCrossentropy', metrics: ['accuracy'] })
  setCard(model, { size: [8, 8], range: [0, 1], classes: ['cat', 'dog', 'eel'], handle: 'https://tfhub.dev/x' })
  await model.fit(inputsFor(model)[0], tf.eye(3), { epochs: 1, verbose: 0 })
  for (const extension of extensions) {
    await save(model, join(folder, `told${extension}`))
    const text = inspect(await files.summary(join(folder, `told${extension}`)))
    assert.match(text, /cat, dog, eel/)
    assert.match(text, /https:\/\/tfhub\.dev\/x/)
    if (extension !== '/model.json') assert.match(text, /AdamW at 0\.002, with its state; loss categorical_crossentropy; metrics accuracy/)
  }
})

test('what differs is named, with how much', async () => {
  const model = zoo.sequential(), path = join(folder, 'a.keras'), other = join(folder, 'b.h5')
  await save(model, path)
  const dense = model.layers.at(-1)!, [kernel, bias] = dense.getWeights()
  const changed = await bias.array() as number[]
  changed[1] += 0.5
  dense.setWeights([kernel, tf.tensor1d(changed)])
  await save(model, other)
  const comparison = await files.compare(path, other)
  assert.equal(comparison.differences.length, 1)
  const [difference] = comparison.differences
  assert.equal(difference.layer, dense.name)
  assert.equal(difference.state, 'changed')
  assert.ok(Math.abs(difference.most - 0.5) < 1e-6 && Math.abs(difference.mean - 0.5 / 3) < 1e-6)
  assert.match(inspect(comparison), /changed .*0\.5000/)
})

test('damage is found', async () => {
  const path = join(folder, 'damaged.h5')
  await save(zoo.sequential(), path)
  const bytes = await readFile(path)
  // The numbers lie at the end of the file's largest dataset.
  const kernel = (await files.summary(path)).layers.find(layer => layer.parameters > 400)!
  assert.ok(kernel)
  bytes[bytes.length >> 1] ^= 0x10
  await writeFile(path, bytes)
  const check = await files.verify(path)
  assert.equal(check.ok, false)
  await writeFile(path, bytes.subarray(0, bytes.length / 2))
  assert.match((await files.verify(path)).problems.join(), /damaged or incomplete/)
  const nan = zoo.sequential()
  nan.layers.at(-1)!.setWeights(nan.layers.at(-1)!.getWeights().map(weight => tf.fill(weight.shape, NaN)))
  await save(nan, path)
  assert.match((await files.verify(path)).problems.join(), /not finite/)
})

test('an ONNX file is looked into', async () => {
  const path = join(folder, 'model.onnx')
  await save(zoo.sequential(), path)
  const summary = await files.summary(path)
  assert.ok(summary.layers.some(({ kind }) => kind === 'Conv'))
  assert.match(inspect(summary), /opset 18/)
  assert.deepEqual((await files.verify(path)).problems, [])
})

const refusals: [string, () => Promise<unknown>, RegExp][] = [
  ['a missing file', () => files.summary(join(folder, 'none.h5')), /there is no such file/],
  ['a name that no layer has', () => files.rename(join(folder, 'a.keras'), { dens: 'x' }), /no layer is named 'dens'/],
  ['a name that is taken', async () => {
    const [first, second] = (await files.summary(join(folder, 'a.keras'))).layers
    return files.rename(join(folder, 'a.keras'), { [first.name]: second.name })
  }, /is the name of another layer/],
  ['weights alone', () => files.rename(join(folder, 'mobilenet.weights.h5'), {}), /holds no names of layers/],
  ['another format', () => files.rename(join(folder, 'a.keras'), {}, { to: join(folder, 'a.h5') }), /of another format/],
]
for (const [what, work, message] of refusals) test(`refused: ${what}`, () => assert.rejects(work(), { name: 'GraftError', message }))
