import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { load, save } from '../../lib/save/index.ts'
import { tf } from '../../lib/tf.ts'
import { GroupedOptimizer } from '../../lib/train/optimizers.ts'
import { runPython, skip } from './save/python.ts'
import { scatter } from './save/zoo.ts'

const script = new URL('./save/resume.py', import.meta.url).pathname
const L = tf.layers
type T = ReturnType<typeof tf.input>

let folder: string
let x: tf.Tensor, y: tf.Tensor
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'graft-resume-'))
  x = tf.randomNormal([12, 8, 8, 3], 0, 1, 'float32', 5)
  y = tf.oneHot(tf.tensor1d([0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3], 'int32'), 4).toFloat()
  await writeFile(join(folder, 'x'), new Uint8Array(Float32Array.from(x.dataSync()).buffer))
  await writeFile(join(folder, 'y'), new Uint8Array(Float32Array.from(y.dataSync()).buffer))
})
after(() => rm(folder, { recursive: true, force: true }))

/** Five steps on the one batch; the loss of each. */
const steps = async (model: tf.LayersModel): Promise<number[]> =>
  (await model.fit(x, y, { batchSize: 12, epochs: 5, shuffle: false, verbose: 0 })).history.loss as number[]

function network(): tf.LayersModel {
  const inner = tf.sequential({ name: 'inner', layers: [L.conv2d({ inputShape: [3, 3, 6], filters: 5, kernelSize: 1 })] })
  const input = tf.input({ shape: [8, 8, 3] })
  const norm = L.batchNormalization({ momentum: 0.8 }).apply(
    L.conv2d({ filters: 6, kernelSize: 3, strides: 2, activation: 'relu' }).apply(input)) as T
  const frozen = L.conv2d({ filters: 6, kernelSize: 1, trainable: false }).apply(norm) as T
  const pooled = L.globalAveragePooling2d({}).apply(inner.apply(frozen) as T)
  return scatter(tf.model({ inputs: input, outputs: L.dense({ units: 4, activation: 'softmax' }).apply(pooled) as T }))
}

const ours = (kind: ConstructorParameters<typeof GroupedOptimizer>[0], rate: number, settings = {}) => () => {
  const optimizer = new GroupedOptimizer(kind, () => rate, settings)
  optimizer.learningRate = rate
  return optimizer
}
const optimizers: Record<string, () => tf.Optimizer> = {
  adam: ours('adam', 0.01, { beta1: 0.8, epsilon: 1e-6 }),
  adamw: ours('adamw', 0.01, { weightDecay: 0.1 }),
  sgd: ours('sgd', 0.05),
  momentum: ours('momentum', 0.02, { momentum: 0.8, nesterov: true }),
  rmsprop: ours('rmsprop', 0.005, { rho: 0.8 }),
  'adam of TensorFlow.js': () => tf.train.adam(0.01),
  'momentum of TensorFlow.js': () => tf.train.momentum(0.02, 0.8),
  'rmsprop of TensorFlow.js': () => tf.train.rmsprop(0.005),
}

/** The losses go on as if nothing had been between. */
function same(losses: number[], wanted: number[]): void {
  for (const [i, loss] of losses.entries()) {
    assert.ok(Math.abs(loss - wanted[i]) <= 1e-5, `step ${i + 1} after the file: ${loss}, without it ${wanted[i]}`)
  }
}

describe('5 steps, saved by Graft, 5 steps more: the losses are those of 10 steps', { skip }, () => {
  const wanted = new Map<string, number[]>()
  let read: { optimizer: string; file: string; library: string; failure?: string; iterations: number; losses: number[] }[]
  before(async () => {
    const cases = []
    for (const [name, make] of Object.entries(optimizers)) {
      const model = network(), file = name.replaceAll(' ', '_')
      model.compile({ optimizer: make(), loss: 'categoricalCrossentropy', metrics: ['accuracy'] })
      await steps(model)
      await save(model, join(folder, `${file}.keras`))
      await save(model, join(folder, `${file}.h5`))
      await save(model, join(folder, `${file}_2.h5`), { readers: 'tf_keras' })
      await save(model, join(folder, `${file}.weights.h5`))
      cases.push({ optimizer: name, file: `${file}.keras`, library: 'keras3' })
      cases.push({ optimizer: name, file: `${file}_2.h5`, library: 'tf_keras' })
      wanted.set(name, await steps(model))
    }
    await writeFile(join(folder, 'cases.json'), JSON.stringify(cases))
    await runPython(script, ['read', folder])
    read = JSON.parse(await readFile(join(folder, 'read.json'), 'utf8'))
  })
  for (const name of Object.keys(optimizers)) {
    for (const library of ['keras3', 'tf_keras']) {
      test(`${name}, gone on with in ${library}`, () => {
        const result = read.find(each => each.optimizer === name && each.library === library)!
        assert.equal(result.failure, undefined)
        assert.equal(result.iterations, 5)
        same(result.losses, wanted.get(name)!)
      })
    }
    for (const file of ['.keras', '.h5', '_2.h5']) {
      test(`${name}, gone on with in Graft from ${file}`, async () => {
        const model = await load(join(folder, name.replaceAll(' ', '_') + file))
        assert.equal(model.optimizer.iterations, 5)
        same(await steps(model), wanted.get(name)!)
      })
    }
    test(`${name}, put back by the weights alone`, async () => {
      const model = await load(join(folder, `${name.replaceAll(' ', '_')}.keras`))
      await steps(model)
      await load(join(folder, `${name.replaceAll(' ', '_')}.weights.h5`), { into: model })
      assert.equal(model.optimizer.iterations, 5)
      same(await steps(model), wanted.get(name)!)
    })
  }
})

describe('5 steps, saved by Keras, 5 steps more in Graft', { skip }, () => {
  let cases: { library: string; optimizer: string; files: string[]; losses: number[] }[]
  before(async () => {
    await runPython(script, ['write', folder])
    cases = JSON.parse(await readFile(join(folder, 'written.json'), 'utf8'))
  })
  test('the losses are those of 10 steps in Keras', async context => {
    for (const { library, optimizer, files, losses } of cases) {
      for (const file of files) {
        await context.test(`${optimizer} of ${library}: ${file}`, async () => {
          const model = await load(join(folder, file))
          assert.equal(model.optimizer.iterations, 5)
          same(await steps(model), losses)
        })
      }
      if (library !== 'keras3') continue
      await context.test(`${optimizer} of ${library}: put back by the weights alone`, async () => {
        const model = await load(join(folder, files[0]))
        await steps(model)
        await load(join(folder, files[0].replace('.keras', '.weights.h5')), { into: model })
        same(await steps(model), losses)
      })
    }
  })
})
