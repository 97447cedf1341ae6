import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { load, save } from '../../lib/save/index.ts'
import { tf } from '../../lib/tf.ts'
import { GroupedOptimizer } from '../../lib/train/optimizers.ts'
import { inputsFor, outputsOf, zoo } from './save/zoo.ts'

const script = new URL('./save/plain-tfjs.js', import.meta.url).pathname
const plain = (...args: string[]) => promisify(execFile)(process.execPath, [script, ...args])
const furthest = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  let most = a.length === b.length ? 0 : Infinity
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i] - b[i]))
  return most
}
async function steps(model: tf.LayersModel, x: tf.Tensor): Promise<number[]> {
  const y = tf.oneHot(tf.range(0, x.shape[0], 1, 'int32'), model.outputs[0].shape[1]!)
  return (await model.fit(x, y, { batchSize: x.shape[0], epochs: 5, shuffle: false, verbose: 0 })).history.loss as number[]
}
const close = (got: number[], want: number[]) => got.every((loss, i) => Math.abs(loss - want[i]) <= 1e-5)

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'graft-tfjs-'))
})
after(() => rm(folder, { recursive: true, force: true }))

/** What TensorFlow.js alone does not compute as Graft does, mended in lib/layers. */
const mended = new Set(['reshape', 'bilinear', 'variants', 'preprocessing', 'subtract', 'outputPadding', 'attention'])
const read = Object.keys(zoo).filter(name => !mended.has(name))

describe('the folder that Graft saves, TensorFlow.js loads over HTTP', () => {
  let server: Server
  let results: { name: string; failure?: string; outputs: number[][]; losses?: number[] }[]
  const wanted = new Map<string, Float32Array[]>(), losses = new Map<string, number[]>()
  before(async () => {
    server = createServer(async (request, response) => {
      const bytes = await readFile(join(folder, request.url!)).catch(() => undefined)
      response.writeHead(bytes ? 200 : 404).end(bytes)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const cases = []
    const trained: Record<string, () => tf.LayersModel> = Object.fromEntries(['adam', 'sgd', 'momentum', 'rmsprop'].map(kind => [
      `trained_${kind}`, () => {
        const model = zoo.sequential(), optimizer = new GroupedOptimizer(kind as 'adam', () => 0.003,
          { momentum: 0.8, epsilon: 1e-9 })
        optimizer.learningRate = 0.003
        model.compile({ optimizer, loss: 'categoricalCrossentropy', metrics: ['accuracy'] })
        return model
      },
    ]))
    for (const [name, make] of Object.entries({ ...Object.fromEntries(read.map(name => [name, zoo[name]])), ...trained })) {
      const model = make(), inputs = inputsFor(model), trains = name.startsWith('trained')
      if (trains) await steps(model, inputs[0])
      await save(model, join(folder, name, 'model.json'))
      wanted.set(name, await outputsOf(model, inputs))
      const files = await Promise.all(inputs.map(async (input, i) => {
        await writeFile(join(folder, `${name}.x${i}`), new Uint8Array(Float32Array.from(input.dataSync()).buffer))
        return `${name}.x${i}`
      }))
      cases.push({ name, inputs: files, inputShapes: inputs.map(({ shape }) => shape), trains })
      if (trains) losses.set(name, await steps(model, inputs[0]))
    }
    await writeFile(join(folder, 'cases.json'), JSON.stringify(cases))
    await plain('read', folder, `http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    results = JSON.parse(await readFile(join(folder, 'read.json'), 'utf8'))
  })
  after(() => server.close())

  for (const name of [...read, 'trained_adam', 'trained_sgd', 'trained_momentum', 'trained_rmsprop']) {
    test(name, async () => {
      const result = results.find(each => each.name === name)!
      assert.equal(result.failure, undefined)
      for (const [i, want] of wanted.get(name)!.entries()) {
        const largest = Math.max(1, ...want.map(Math.abs))
        assert.ok(furthest(result.outputs[i], want) <= 2e-6 * largest, `differs by ${furthest(result.outputs[i], want)}`)
      }
      if (losses.has(name)) assert.ok(close(result.losses!, losses.get(name)!), `${result.losses} instead of ${losses.get(name)}`)
      const again = await load(join(folder, name, 'model.json'))
      const inputs = inputsFor(again), got = await outputsOf(again, inputs)
      for (const [i, want] of wanted.get(name)!.entries()) assert.ok(furthest(got[i], want) <= 2e-6 * Math.max(1,
        ...want.map(Math.abs)))
      if (losses.has(name)) assert.ok(close(await steps(again, inputs[0]), losses.get(name)!), 'not gone on with in Graft')
    })
  }
})

describe('the folder that TensorFlow.js saves, Graft loads', () => {
  let cases: { name: string; inputShape: number[]; outputs: number[][]; losses: number[] }[]
  before(async () => {
    await plain('write', folder)
    cases = JSON.parse(await readFile(join(folder, 'written.json'), 'utf8'))
  })
  test('every model computes the same, and training goes on', async context => {
    for (const { name, inputShape, outputs, losses } of cases) {
      await context.test(name, async () => {
        const model = await load(join(folder, `tfjs_${name}`))
        const bytes = await readFile(join(folder, `${name}.x`))
        const x = tf.tensor(new Float32Array(Uint8Array.from(bytes).buffer), inputShape)
        const got = await outputsOf(model, [x])
        outputs.forEach((want, i) => assert.ok(furthest(got[i], want) <= 2e-6, `differs by ${furthest(got[i], want)}`))
        const ours = await steps(model, x)
        assert.ok(close(ours, losses), `${ours} instead of ${losses}`)
      })
    }
  })
})
