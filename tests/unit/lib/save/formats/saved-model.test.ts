import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { cardOf, setCard } from '../../../../../lib/card.ts'
import { Checkpoint } from '../../../../../lib/hub/checkpoint.ts'
import { hub } from '../../../../../lib/hub/index.ts'
import { readTable } from '../../../../../lib/hub/sstable.ts'
import { lift } from '../../../../../lib/lift/index.ts'
import { load, save } from '../../../../../lib/save/index.ts'
import { writeTable } from '../../../../../lib/save/saved-model/table.ts'
import { tf } from '../../../../../lib/tf.ts'
import { custom, inputsFor, outputsOf, zoo } from '../../../../parity/save/zoo.ts'

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'graft-saved-model-'))
})
after(() => rm(folder, { recursive: true, force: true }))

const asSavedModel = { format: 'SavedModel' } as const

test('a table of a thousand keys is read as it was written', () => {
  const entries = new Map(Array.from({ length: 1000 }, (_, i) => [`layer_${i}/kernel`, Buffer.alloc(i % 37, i)] as const))
  const read = readTable(writeTable(entries))
  assert.deepEqual([...read.keys()], [...entries.keys()].sort())
  for (const [key, value] of entries) assert.deepEqual(Buffer.from(read.get(key)!), value, key)
  assert.equal(readTable(writeTable(new Map())).size, 0)
})

describe('a saved model is a hub model: the same layers, by name, and the same results', () => {
  const whole = ['mobilenet', 'frozen', 'regularized', 'conv2d', 'dilated', 'batchNormalization', 'layerNormalization', 'prelu',
    'averagePooling', 'padding', 'upSampling', 'bilinear', 'relu', 'standardized', 'layerScale', 'subtract']
  for (const name of whole) {
    test(name, async () => {
      const model = ({ ...zoo, ...custom } as Record<string, () => tf.LayersModel>)[name](), path = join(folder, 'same', name)
      await save(model, path, asSavedModel)
      const { model: again, report } = await lift(path)
      assert.deepEqual(report.opaque, [])
      assert.equal(report.layout, 'graft')
      assert.deepEqual(again.layers.map(layer => `${layer.name}: ${layer.getClassName()}`),
        model.layers.map(layer => `${layer.name}: ${layer.getClassName()}`))
      const inputs = inputsFor(model), [want] = await outputsOf(model, inputs), [got] = await outputsOf(again, inputs)
      assert.ok(want.every((value, i) => Math.abs(value - got[i]) <= 1e-6 * Math.max(1, Math.abs(value))))
      for (const [i, layer] of model.layers.entries()) {
        const { momentum, rate, kernelRegularizer } = layer.getConfig(), other = again.layers[i].getConfig()
        assert.deepEqual([momentum, rate, kernelRegularizer].map(value => value ?? null),
          [other.momentum, other.rate, other.kernelRegularizer].map(value => value ?? null), layer.name)
      }
      again.dispose()
    })
  }
})

test('load brings back card and frozen layers; hub.load a trunk that learns again and is grafted on', async () => {
  const model = zoo.frozen(), path = join(folder, 'flowers', '1')
  const classes = Array.from({ length: model.outputs[0].shape[1]! }, (_, i) => `class ${i}`)
  setCard(model, { size: [32, 32], range: [-1, 1], classes })
  const receipt = await save(model, path, asSavedModel)
  assert.match(receipt.python, /tf\.saved_model\.load/)
  assert.deepEqual((await readdir(path)).sort(), ['assets.extra', 'saved_model.pb', 'variables'])
  const again = await load(path), base = await hub.load(path)
  assert.deepEqual(cardOf(again)!.classes, classes)
  assert.deepEqual(again.layers.map(({ trainable }) => trainable), model.layers.map(({ trainable }) => trainable))
  assert.deepEqual(cardOf(base)!.range, [-1, 1])
  assert.ok(base.layers.every(({ trainable, weights }) => trainable || !weights.length))
  const head = tf.layers.dense({ units: 2, activation: 'softmax' }).apply(base.layers.at(-2)!.output) as tf.SymbolicTensor
  const grafted = tf.model({ inputs: base.inputs, outputs: head })
  grafted.compile({ optimizer: tf.train.sgd(0.05), loss: 'categoricalCrossentropy' })
  const x = tf.randomUniform([8, 32, 32, 3], 0, 1, 'float32', 3), y = tf.oneHot([0, 1, 0, 1, 0, 1, 0, 1], 2).toFloat()
  const kernel = base.layers.find(layer => layer.getClassName() === 'Conv2D')!, start = kernel.getWeights()[0].dataSync().slice()
  const { history } = await grafted.fit(x, y, { epochs: 5, verbose: 0, shuffle: false })
  assert.ok((history.loss.at(-1) as number) < (history.loss[0] as number))
  assert.ok(kernel.getWeights()[0].dataSync().some((value, i) => value !== start[i]), 'the trunk did not learn')
})

test('the checkpoint names every variable once, and each has its checksum', async () => {
  const path = join(folder, 'named')
  await save(zoo.sequential(), path, asSavedModel)
  const checkpoint = await Checkpoint.open(join(path, 'variables', 'variables'))
  const keys = checkpoint.names.filter(name => name.startsWith('variables/'))
  assert.equal(keys.length, zoo.sequential().weights.length)
  for (const key of keys) assert.ok((await checkpoint.read(key)).data.length > 0)
  await checkpoint.close()
})

describe('what cannot be is said, and nothing is written', () => {
  const model = () => zoo.sequential()
  const cases: [what: string, work: (at: string) => Promise<unknown>, message: RegExp][] = [
    ['a recurrent layer', at => save(zoo.lstm(), at, asSavedModel), /lstm.*layers of class LSTM. Save as .keras instead/],
    ['a folder of photos', async at => {
      await mkdir(at)
      await writeFile(join(at, 'photo.png'), 'x')
      await save(model(), at, asSavedModel)
    }, /holds other files \(photo\.png\)/],
    ['a file of another kind', at => save(model(), `${at}.h5`, asSavedModel), /format 'SavedModel' is for folders/],
    ['a file in the way', async at => {
      await writeFile(at, 'x')
      await save(model(), at, asSavedModel)
    }, /it is a file/],
    ['one that may not be replaced', async at => {
      await save(model(), at, asSavedModel)
      await save(model(), at, { ...asSavedModel, overwrite: false })
    }, /it exists, and overwrite is false/],
    ['an unknown format', at => save(model(), at, { format: 'savedmodel' } as never), /format/],
  ]
  for (const [what, work, message] of cases) {
    test(what, async () => {
      const at = join(folder, what.replaceAll(' ', '-'))
      await assert.rejects(work(at), { name: 'GraftError', message })
      assert.deepEqual((await readdir(folder)).filter(name => name.startsWith('.')), [])
    })
  }
})

test('a folder that a killed process left aside is put back by the next load, hub.load or save', async () => {
  const path = join(folder, 'aside'), hidden = join(folder, '.aside.0123abcd.old')
  for (const next of [() => load(path), () => hub.load(path), () => save(zoo.sequential(), path, asSavedModel)]) {
    await save(zoo.sequential(), path, asSavedModel)
    await rename(path, hidden)
    await next()
    assert.ok(!(await readdir(folder)).includes('.aside.0123abcd.old'))
    assert.ok((await readdir(path)).includes('saved_model.pb'))
  }
})
