import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { cardOf, customize, data, diff, hub, load, predict, save, tap, tf, train } from '../../../../lib/index.ts'
import type { ImageSet } from '../../../../lib/data/set.ts'
import { recordingHost } from '../train/fixtures.ts'

recordingHost()
const notebooks = join(import.meta.dirname, '../../../../notebooks')
const folder = await mkdtemp(join(tmpdir(), 'graft-long-'))
after(() => rm(folder, { recursive: true }))

/** A few images of each class. */
const few = (set: ImageSet, each = 2) => {
  const seen = new Map<number, number>()
  return set.pick(Array.from(set.labels.keys()).filter(i => {
    const count = (seen.get(set.labels[i]) ?? 0) + 1
    seen.set(set.labels[i], count)
    return count <= each
  }))
}
const weights = (layers: tf.layers.Layer[]) => layers.map(layer => layer.getWeights().map(weight =>
  Array.from(weight.dataSync())))
const holders = (model: tf.LayersModel) => model.layers.filter(layer => layer.weights.length)

const models = (await readdir(join(notebooks, 'models'))).filter(name => existsSync(join(notebooks, 'models',
  name, 'saved_model.pb')))
for (const name of models) {
  describe(`the walkthroughs as written, on ${name}`, () => {
    let base: tf.LayersModel, digits: { classes: string[], train: ImageSet }, photo: string
    before(async () => {
      base = await hub.load(join(notebooks, 'models', name), { fresh: true })
      const all = await data.images(join(notebooks, 'images/digits'), { size: base })
      digits = { classes: all.classes, train: few(all.train) }
      photo = join(notebooks, 'images/photo-of-a-four.png')
    })

    test('fine-tuning by hand: all but the last five layers frozen', async () => {
      for (const layer of base.layers.slice(0, -5)) layer.trainable = false
      const output = tf.layers.dense({ units: digits.classes.length, activation: 'softmax', name: 'digits' })
      const model = tf.model({ inputs: base.inputs, outputs: output.apply(base.outputs[0]) as tf.SymbolicTensor })
      const frozen = base.layers.slice(0, -5), still = weights(frozen)
      const difference = diff(base, model)
      assert.deepEqual(difference.added, ['digits'])
      assert.deepEqual(difference.frozen, frozen.filter(layer => layer.weights.length).map(layer => layer.name))
      const open = holders(base).filter(layer => layer.trainable)
      const learningRate = open.length ? { trunk: 1e-5, head: 1e-3 } : { head: 1e-3 }
      const run = await train(model, digits, { epochs: 1, batch: 10, learningRate, show: false })
      assert.equal(run.history.loss.length, 1)
      assert.deepEqual(weights(frozen), still)
      const shown = await predict(model, photo)
      assert.ok(digits.classes.includes(shown.label))
      await save(model, join(folder, `${name}-tuned.h5`))
      assert.deepEqual(cardOf(await load(join(folder, `${name}-tuned.h5`)))!.classes, digits.classes)
    })

    test('modification by hand: a convolution on the last feature map', async () => {
      for (const layer of base.layers) layer.trainable = true
      const map = tap(base, 'last feature map')
      let x = tf.layers.conv2d({ filters: 64, kernelSize: 3, padding: 'same', activation: 'relu' }).apply(map)
      x = tf.layers.globalAveragePooling2d({}).apply(x)
      const head = tf.layers.dense({ units: digits.classes.length, activation: 'softmax' })
      const model = tf.model({ inputs: base.inputs, outputs: head.apply(x) as tf.SymbolicTensor })
      const difference = diff(base, model), old = weights(base.layers)
      assert.equal(difference.added.length, 3)
      assert.ok(difference.removed.length > 0)
      assert.deepEqual([cardOf(model)!.size, cardOf(model)!.range], [cardOf(base)!.size, cardOf(base)!.range])
      assert.ok(cardOf(model)!.trunk!.every(layer => base.layers.some(one => one.name === layer)))
      await train(model, digits, { epochs: 1, batch: 10, learningRate: { trunk: 1e-5, head: 1e-3 }, show: false })
      assert.notDeepEqual(weights(base.layers), old)
      const fresh = await hub.load(join(notebooks, 'models', name), { fresh: true })
      assert.ok(Object.keys(diff(fresh, base).changed).length > 0)
      await save(model, join(folder, `${name}-modified.h5`))
      assert.deepEqual(cardOf(await load(join(folder, `${name}-modified.h5`)))!.classes, digits.classes)
      assert.ok(digits.classes.includes((await predict(model, photo)).label))
    })

    test('the short forms: the named layers learn, all others are bit-equal', async () => {
      const fresh = await hub.load(join(notebooks, 'models', name), { fresh: true })
      const model = customize.fineTune(fresh, { classes: digits.classes, unfreeze: 5, show: false })
      const last = holders(fresh).filter(layer => layer.getClassName() !== 'BatchNormalization').slice(-5)
      const others = holders(fresh).filter(layer => !last.includes(layer)), still = weights(others), before = weights(last)
      assert.deepEqual(holders(fresh).filter(layer => layer.trainable), last)
      const run = await train(model, digits, { epochs: 1, batch: 10, learningRate: { trunk: 1e-3, head: 1e-3 }, show: false })
      assert.equal(run.frozen!.unchanged, true)
      assert.deepEqual(weights(others), still)
      weights(last).forEach((layer, i) => assert.notDeepEqual(layer, before[i]))
    })
  })
}
