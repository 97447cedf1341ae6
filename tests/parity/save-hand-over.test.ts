import assert from 'node:assert/strict'
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { inspect } from 'node:util'
import { images } from '../../lib/data/images.ts'
import { load, save } from '../../lib/save/index.ts'
import { tf } from '../../lib/tf.ts'
import { train } from '../../lib/train/index.ts'
import { runPython, skip } from './save/python.ts'
import { scatter } from './save/zoo.ts'

const L = tf.layers

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'graft-hand-over-'))
  process.env.GRAFT_RUNS = join(folder, 'runs')
  // Of four digits seven images each: batches of eight end with one that is not full, which two workers do not share evenly.
  for (const digit of ['2', '3', '5', '8']) {
    const from = join('notebooks', 'images', 'digits', 'train', digit), to = join(folder, 'images', digit)
    await mkdir(to, { recursive: true })
    for (const name of (await readdir(from)).slice(0, 7)) await copyFile(join(from, name), join(to, name))
  }
})
after(() => {
  delete process.env.GRAFT_RUNS
  return rm(folder, { recursive: true, force: true })
})

/** A frozen normalization and nothing random: what Keras computes is determined. */
function network(): tf.LayersModel {
  const input = tf.input({ shape: [20, 20, 3] })
  const kernelRegularizer = tf.regularizers.l2({ l2: 1e-3 })
  let x = L.conv2d({ filters: 6, kernelSize: 3, strides: 2, name: 'stem', kernelRegularizer }).apply(input)
  x = L.batchNormalization({ name: 'norm', trainable: false }).apply(x)
  x = L.globalAveragePooling2d({}).apply(L.reLU({}).apply(x) as tf.SymbolicTensor)
  const outputs = L.dense({ units: 4, activation: 'softmax', name: 'top' }).apply(x) as tf.SymbolicTensor
  return scatter(tf.model({ inputs: input, outputs }))
}

const ports = (count: number): Promise<number[]> => Promise.all(Array.from({ length: count }, () => new Promise<number>(done => {
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo
    server.close(() => done(port))
  })
})))

test('Keras goes on with a run as Graft does, alone and on two workers', { skip, timeout: 300_000 }, async context => {
  const digits = await images(join(folder, 'images'), { size: 20, validation: 0.2, batch: 8 })
  const model = network()
  const run = await train(model, digits, {
    epochs: 2, learningRate: { stem: 1e-3, top: 5e-3 }, labelSmoothing: 0.1, classWeights: { 2: 2, 3: 1, 5: 1, 8: 0.5 },
    optimizer: { name: 'adamw', weightDecay: 0.02, globalClipNorm: 0.5 }, show: false,
  })
  const receipt = await save(model, join(folder, 'digits.keras'), { python: true })
  assert.match(inspect(receipt), /python .*digits\.py, alone or on several machines/)
  const { history } = await train.resume(run, { epochs: 4, show: false })
  const wanted = { loss: history.loss.slice(2), valLoss: history.valLoss.slice(2) }
  const workers = (await ports(2)).map(port => `127.0.0.1:${port}`).join(), together = join(folder, 'two workers.keras')
  const goOn = (...args: string[]) => runPython(join(folder, 'digits.py'), ['--epochs', '4', ...args])
  await Promise.all([goOn(), ...['0', '1'].map(index => goOn('--workers', workers, '--index', index, '--out', together))])
  for (const who of ['digits.continued', 'two workers']) {
    const got = JSON.parse(await readFile(join(folder, `${who}.history.json`), 'utf8')) as typeof wanted
    for (const name of ['loss', 'valLoss'] as const) {
      const error = Math.max(...wanted[name].map((value, i) => Math.abs(value - got[name][i])))
      const words = got[name].map(value => value.toFixed(5)).join(', ')
      context.diagnostic(`${who}, ${name}: ${words}; off by ${error.toExponential(1)}`)
      assert.ok(got[name].length === 2 && error <= 1e-4, `${who}, ${name}: ${got[name]} instead of ${wanted[name]}`)
    }
  }
  const again = await load(join(folder, 'digits.continued.keras'))
  assert.equal(again.layers.length, model.layers.length)
})

test('without a run, or into another kind of file, there is nothing to hand over', async () => {
  for (const [file, message] of [['none.keras', /no run of train/], ['none.h5', /from a \.keras file/]] as const)
    await assert.rejects(save(network(), join(folder, file), { python: true }), { name: 'GraftError', message })
})
