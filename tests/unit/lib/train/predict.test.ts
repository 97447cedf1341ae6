import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import { cardOf, setCard } from '../../../../lib/card.ts'
import { extract } from '../../../../lib/customize/extract.ts'
import { images } from '../../../../lib/data/images.ts'
import { displaySymbol } from '../../../../lib/host.ts'
import { tf } from '../../../../lib/tf.ts'
import { predict } from '../../../../lib/train/predict.ts'
import { train } from '../../../../lib/train/train.ts'
import { folderOf, png } from '../data/folders.ts'
import { recordingHost, trunk } from './fixtures.ts'

const screen = recordingHost()
const colours = { red: [220, 40, 40], green: [40, 200, 60], blue: [40, 60, 220] }
const files: Record<string, Buffer> = {}
for (const [name, colour] of Object.entries(colours)) for (let i = 0; i < 8; i++) files[`${name}/${i}.png`] =
  await png(i, colour.map(c => c - 4 * i) as [number, number, number])
const at = folderOf(files)
process.on('exit', () => at[Symbol.dispose]())
const photo = join(at.folder, 'red/0.png')
const base = trunk()
const data = await images(at.folder, { size: base, validation: 0.25 })
const model = extract(base, { classes: data.classes })
await train(model, data, { epochs: 40, learningRate: 0.1, show: false })

test('a file, its bytes and its addresses give the same prediction, with every class, the likeliest first', async () => {
  const server = createServer((_, response) => response.end(readFileSync(photo))).listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    const bytes = readFileSync(photo)
    const inputs = [photo, bytes, pathToFileURL(photo), `http://127.0.0.1:${(server.address() as AddressInfo).port}/red.png`,
      `data:image/png;base64,${bytes.toString('base64')}`]
    for (const input of inputs) {
      const prediction = await predict(model, input)
      assert.equal(prediction.label, 'red')
      assert.deepEqual(prediction.scores.map(score => score.label).toSorted(), ['blue', 'green', 'red'])
      assert.ok(prediction.scores[0].probability === prediction.confidence && prediction.confidence > 0.5)
      assert.ok(Math.abs(prediction.scores.reduce((sum, score) => sum + score.probability, 0) - 1) < 1e-5)
    }
  } finally {
    server.close()
  }
})

test('it is what model.predict says of the same pixels', async () => {
  const { confidence, scores } = await predict(model, data.train.files[0])
  const pixels = await data.train.pixels([0])
  const values = tf.tidy(() => (model.predict(tf.tensor4d(pixels, [1, 12, 12, 3])) as tf.Tensor).dataSync())
  assert.ok(Math.abs(values[data.classes.indexOf(scores[0].label)] - confidence) < 1e-6)
})

test('a folder, a list and a data set give a list in order, with the truth where it is known', async () => {
  const folder = await predict(model, `${at.folder}/`)
  assert.equal(folder.length, 24)
  assert.deepEqual([folder[0].file, folder[0].truth, folder.accuracy], [join(at.folder, 'blue/0.png'), null, null])
  assert.equal((await predict(model, [photo, readFileSync(photo)])).length, 2)
  const validated = await predict(model, data)
  assert.deepEqual([validated.length, validated[0].truth], [6, data.classes[data.validation.labels[0]]])
  assert.equal(validated.accuracy, validated.filter(one => one.label === one.truth).length / 6)
  assert.ok(validated.accuracy! > 0.9)
})

test('without class names a class is called by its index; one sigmoid output tells two classes apart', async () => {
  const plain = extract(trunk(), { classes: 3 })
  assert.deepEqual((await predict(plain, photo)).scores.map(score => score.label).toSorted(), ['0', '1', '2'])
  const yes = extract(trunk(), { classes: 1, activation: 'sigmoid' })
  setCard(yes, { ...cardOf(yes)!, classes: ['no', 'yes'] })
  const { scores } = await predict(yes, photo)
  assert.deepEqual(scores.map(score => score.label).toSorted(), ['no', 'yes'])
  assert.ok(Math.abs(scores[0].probability + scores[1].probability - 1) < 1e-6)
})

test('damaged images in a folder are named and left out', async () => {
  using mixed = folderOf({ 'a.png': await png(1), 'b.png': 'no image', 'c.txt': '' })
  screen.shown.length = 0
  assert.equal((await predict(model, `${mixed.folder}/`)).length, 1)
  assert.match(String(screen.shown[0].bundle['text/plain']), /1 of 2 images are left out:[^]*b\.png: .*not an image/)
})

test('no tensor is left behind', async () => {
  const before = tf.memory().numTensors
  await predict(model, photo)
  await predict(model, data.train)
  assert.equal(tf.memory().numTensors, before)
})

test('a prediction shows the image and bars, a list shows a grid; both print', async () => {
  const one = await predict(model, photo)
  assert.match(String((await one[displaySymbol]())['text/plain']), /red/)
  assert.match(inspect(one), /red\/0\.png: red \d+\.\d % \(then /)
  const many = await predict(model, data.validation)
  assert.ok('image/jpeg' in await many[displaySymbol]())
  assert.match(inspect(many), /6 predictions, 100\.0 % right/)
})

const refusals: [string, () => unknown, RegExp][] = [
  ['a missing file', () => '/no/such.png', /no such file: '\/no\/such\.png'/],
  ['a folder without its slash', () => at.folder, /is a folder\. For all its images: predict\(model, '.*\/'\)/],
  ['a file that is no image', () => import.meta.filename, /predict\.test\.ts' cannot be read as an image/],
  ['bytes that are no image', () => Buffer.from('x'), /these 1 bytes cannot be read as an image/],
  ['a missing folder', () => '/no/such/', /no such folder: '\/no\/such\/'/],
  ['an address that does not answer', () => 'http://127.0.0.1:9/x.png',
    /127\.0\.0\.1:9\/x\.png' does not answer: .*Check the address/],
]
for (const [name, what, message] of refusals) {
  test(`refused: ${name}`, async () => {
    await assert.rejects(predict(model, what() as string),
      (error: Error) => error.name === 'GraftError' && message.test(error.message) || assert.fail(error.message))
  })
}

test('refused: an address that answers 404, a model without classes, images of another size', async () => {
  const server = createServer((_, response) => { response.statusCode = 404; response.end() }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  await assert.rejects(predict(model, `http://127.0.0.1:${(server.address() as AddressInfo).port}/x.png`),
    /answers 404 Not Found/)
  server.close()
  await assert.rejects(predict(base, photo), /gives \[batch, 8\] features, no classes\. Put a head on it/)
  await assert.rejects(predict(model, await images(at.folder, { size: 20 })), /takes images of 12×12×3, the data has 20×20×3/)
})

test('weights that are no numbers give no class, but the name of their layer', async () => {
  const broken = extract(base, { classes: data.classes, show: false }), head = broken.layers.at(-1)!
  head.setWeights(head.getWeights().map((weight, i) => i ? weight : tf.fill(weight.shape, NaN)))
  await assert.rejects(predict(broken, photo), /gives no numbers for '.*0\.png': weights of its layer 'predictions' are not numbers/)
  await assert.rejects(predict(broken, data), /gives no numbers for/)
})
