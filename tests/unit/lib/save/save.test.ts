import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { inspect } from 'node:util'
import { cardOf, setCard } from '../../../../lib/card.ts'
import { displaySymbol, host, installHost } from '../../../../lib/host.ts'
import { SpectralNormalization } from '../../../../lib/layers/spectral-normalization.ts'
import { load, save } from '../../../../lib/save/index.ts'
import { tf } from '../../../../lib/tf.ts'
import { GroupedOptimizer } from '../../../../lib/train/optimizers.ts'
import { runOf, setRun } from '../../../../lib/train/run.ts'
import { custom, inputsFor, outputsOf, scatter, zoo } from '../../../parity/save/zoo.ts'

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'graft-save-unit-'))
})
after(() => rm(folder, { recursive: true, force: true }))

const small = () => scatter(tf.sequential({ layers: [tf.layers.dense({ inputShape: [4], units: 3, activation: 'softmax' })] }))

describe('saved and loaded again, a model computes the same', () => {
  for (const [name, make] of Object.entries(zoo))
    for (const extension of ['.h5', '.keras', '.weights.h5']) {
      test(name + extension, async () => {
        const model = make(),
          inputs = inputsFor(model),
          path = join(folder, name + extension)
        await save(model, path)
        const into = extension === '.weights.h5' ? scatter(make(), 50) : undefined
        const again = await load(path, { into })
        assert.deepEqual(await outputsOf(again, inputs), await outputsOf(model, inputs))
        assert.deepEqual(
          again.layers.map(layer => [layer.getClassName(), layer.trainable]),
          model.layers.map(layer => [layer.getClassName(), layer.trainable]),
        )
      })
    }
})

for (const extension of ['.h5', '.keras'])
  test(`the card comes back from ${extension}, without what only this machine knows`, async () => {
    const model = small(),
      path = join(folder, `card${extension}`)
    setCard(model, {
      handle: 'https://tfhub.dev/a/b/1',
      folder: '/somewhere',
      size: [96, 96],
      range: [-1, 1],
      classes: ['a', 'ß'],
      trunk: [],
    })
    await save(model, path)
    assert.deepEqual(cardOf(await load(path)), {
      handle: 'https://tfhub.dev/a/b/1',
      size: [96, 96],
      range: [-1, 1],
      classes: ['a', 'ß'],
      trunk: [],
    })
  })

test('the receipt shows what was saved, how it was checked and how Python opens it, as text and HTML', async () => {
  const model = zoo.frozen(),
    path = join(folder, 'receipt.h5')
  setCard(model, { handle: '<handle>', size: [32, 32], range: [0, 1], classes: ['a', 'b'] })
  const receipt = await save(model, path)
  const text = inspect(receipt),
    { 'text/html': html, 'text/plain': plain } = receipt[displaySymbol]()
  assert.equal(plain, text)
  assert.match(text, /receipt\.h5, \d+ kB/)
  assert.match(text, /330 trainable/)
  assert.match(text, /byte for byte/)
  assert.match(text, /keras\.models\.load_model\(".*receipt\.h5"\)/)
  assert.match(text, /\(32, 32\)/)
  assert.match(html as string, /&lt;handle&gt;/)
  assert.doesNotMatch(html as string, /<script|<style/)
  assert.equal(receipt.parameters, model.countParams())
  assert.match(inspect(await save(model, path)), /replaced the old one/)
})

test('values are those of the moment of the call, though the model changes while it is saved', async () => {
  const model = small(),
    path = join(folder, 'moment.h5'),
    [kernel] = model.getWeights()
  const before = [...kernel.dataSync()]
  const saving = save(model, path)
  scatter(model, 99)
  await saving
  assert.deepEqual([...(await load(path)).getWeights()[0].dataSync()], before)
})

test('saving leaks no tensors', async () => {
  const model = small()
  const { numTensors } = tf.memory()
  await save(model, join(folder, 'leak.h5'))
  assert.equal(tf.memory().numTensors, numTensors)
})

test('an interrupt ends in a GraftError and leaves the old file', async () => {
  const path = join(folder, 'interrupted.h5'),
    model = small()
  await save(model, path)
  const old = await readFile(path),
    usual = host(),
    stop = new AbortController()
  installHost({ ...usual, signal: stop.signal })
  const saving = save(model, path)
  stop.abort()
  installHost(usual)
  await assert.rejects(saving, { name: 'GraftError', message: /interrupted/ })
  assert.deepEqual(await readFile(path), old)
  assert.deepEqual(
    (await readdir(folder)).filter(name => name.endsWith('.part')),
    [],
  )
})

const spectral = () => new SpectralNormalization({ layer: tf.layers.dense({ units: 1 }), batchInputShape: [null, 2] })

const refused: Record<string, [work: () => Promise<unknown>, message: RegExp]> = {
  'no extension': [() => save(small(), join(folder, 'model')), /no extension.*\.h5/],
  'an unknown extension': [() => save(small(), join(folder, 'model.hd5')), /unknown extension '\.hd5'\. Did you mean '\.h5'/],
  'no path': [() => save(small(), undefined as never), /expected a file name/],
  'no model': [() => save({} as never, join(folder, 'model.h5')), /expects a model/],
  'an unbuilt model': [() => save(tf.sequential(), join(folder, 'model.h5')), /no weights yet/],
  'hardSigmoid for Keras 3': [
    () =>
      save(
        tf.sequential({ layers: [tf.layers.dense({ inputShape: [2], units: 1, activation: 'hardSigmoid' })] }),
        join(folder, 'model.h5'),
      ),
    /dense.*activation is "hardSigmoid".*relu6.*tf_keras/s,
  ],
  'a layer that Keras lacks': [
    () => save(tf.sequential({ layers: [tf.layers.thresholdedReLU({ inputShape: [2] } as never)] }), join(folder, 'model.h5')),
    /ThresholdedReLU, which has no counterpart/,
  ],
  'a layer that tf_keras does not find in an .h5': [
    () => save(tf.sequential({ layers: [spectral()] }), join(folder, 'model.h5'), { readers: 'tf_keras' }),
    /SpectralNormalization, which tf_keras does not find in an \.h5\. Save as \.keras/,
  ],
}
for (const [what, [work, message]] of Object.entries(refused)) {
  test(`${what} is refused`, async () => {
    await assert.rejects(work, { name: 'GraftError', message })
    assert.deepEqual(
      (await readdir(folder)).filter(name => name.startsWith('model') || name.endsWith('.part')),
      [],
    )
  })
}

describe('what cannot be loaded says why', () => {
  const bad: Record<string, [name: string, content: string | Buffer | undefined, message: RegExp]> = {
    'a missing file': ['missing.h5', undefined, /there is no such file/],
    'an empty file': ['empty.h5', '', /it is empty/],
    'another file': ['text.h5', 'not a model', /not an HDF5 file/],
    'a text called .keras': ['text.keras', 'not a model', /not a zip archive/],
    'an unknown extension': ['model.pt', 'x', /unknown extension '\.pt'/],
  }
  for (const [what, [name, content, message]] of Object.entries(bad)) {
    test(what, async () => {
      const path = join(folder, name)
      if (content !== undefined) await writeFile(path, content)
      await assert.rejects(load(path), { name: 'GraftError', message })
    })
  }

  for (const extension of ['.h5', '.keras'])
    test(`a ${extension} file cut short`, async () => {
      const path = join(folder, `cut${extension}`)
      await save(small(), path)
      const whole = await readFile(path)
      for (const part of [0.2, 0.5, 0.9, 0.99]) {
        await writeFile(path, whole.subarray(0, Math.floor(whole.length * part)))
        await assert.rejects(load(path), { name: 'GraftError', message: /damaged or incomplete/ })
      }
    })

  test('weights alone, without a model, or for another one', async () => {
    const path = join(folder, 'alone.weights.h5')
    await save(small(), path)
    await assert.rejects(load(path), { name: 'GraftError', message: /load\(path, \{ into: model \}\)/ })
    await assert.rejects(load(path, { into: zoo.sequential() }), {
      name: 'GraftError',
      message: /it holds 2 weights, but the model has 4/,
    })
  })

  test('a file in which one bit of a weight changed', async () => {
    const path = join(folder, 'flipped.h5'),
      model = small()
    await save(model, path)
    const whole = await readFile(path)
    const at = whole.indexOf(Buffer.from((model.getWeights()[0].dataSync() as Float32Array).buffer.slice(0, 8)))
    assert.ok(at > 0)
    whole[at] ^= 1
    await writeFile(path, whole)
    await assert.rejects(load(path), { name: 'GraftError', message: /changed or damaged/ })
  })
})

test('the receipt says what else must be known', async () => {
  const optimizer = new GroupedOptimizer('adam', () => 0.01), model = zoo.sequential()
  optimizer.learningRate = 0.01
  model.compile({ optimizer, loss: 'categoricalCrossentropy' })
  await model.fit(inputsFor(model)[0], tf.eye(3), { epochs: 2, verbose: 0 })
  const word = async (made: tf.LayersModel, name: string) => inspect(await save(made, join(folder, name)))
  assert.match(await word(model, 'words.h5'), /Training goes on after 2 steps here; Keras 3 takes up no optimizer from an \.h5/)
  assert.match(await word(model, 'words.keras'), /goes on after 2 steps, here and in Keras 3/)
  const scale = custom.layerScale()
  assert.match(await word(scale, 'scale.h5'), /graft_layers\.py beside the file defines it[^]*import graft_layers/)
  assert.doesNotMatch(await word(scale, 'scale.keras'), /graft_layers/)
  assert.match(await word(scale, 'words/model.json'), /TensorFlow\.js alone does not know/)
})

test('a loaded model predicts and is trained on as before: rates by group, run and card come along', async () => {
  const model = zoo.mobilenet(), trunk = model.layers.slice(0, -1).map(({ name }) => name)
  setCard(model, { size: [32, 32], range: [0, 1], classes: [...'abcdefghij'], trunk })
  const rates = { trunk: 1e-5, head: 1e-3 }
  const optimizer = new GroupedOptimizer('adam', () => 1e-3)
  optimizer.learningRate = rates
  model.compile({ optimizer, loss: 'categoricalCrossentropy', metrics: ['accuracy'] })
  setRun(model, { id: 'cafe', epochs: 3 })
  for (const name of ['whole.h5', 'whole.keras', 'whole/model.json']) {
    await save(model, join(folder, name))
    const again = await load(join(folder, name)), restored = again.optimizer as unknown as GroupedOptimizer
    assert.deepEqual(restored.learningRate, rates)
    assert.equal(restored.rateOf(again.layers.at(-1)!.weights[0].name), 1e-3)
    assert.equal(restored.rateOf(again.layers[1].weights[0].name), 1e-5)
    assert.deepEqual(runOf(again), { id: 'cafe', epochs: 3 })
    assert.deepEqual(cardOf(again)!.classes, [...'abcdefghij'])
    assert.equal(again.loss, 'categoricalCrossentropy')
    again.dispose()
  }
})
