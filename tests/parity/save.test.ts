import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { tf } from '../../lib/tf.ts'
import { load, save } from '../../lib/save/index.ts'
import { runPython, skip } from './save/python.ts'
import { custom, inputsFor, outputsOf, zoo } from './save/zoo.ts'

const script = new URL('./save/with_keras.py', import.meta.url).pathname
const floats = async (path: string) => {
  const { buffer, byteOffset, byteLength } = await readFile(path)
  return new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength))
}
const furthest = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  let most = a.length === b.length ? 0 : Infinity
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i] - b[i]))
  return most
}

/** Which layers with weights can be trained, by name, within models too. */
function trainable(model: tf.LayersModel, parent = true): Record<string, boolean> {
  return Object.assign(
    {},
    ...model.layers.map(layer =>
      layer instanceof tf.LayersModel
        ? trainable(layer, parent && layer.trainable)
        : layer.weights.length
          ? { [layer.name.replaceAll('/', '.')]: parent && layer.trainable }
          : {},
    ),
  )
}

describe('what Graft saves, Keras 3 and tf_keras open', { skip }, () => {
  let folder: string
  let results: {
    name: string
    library: string
    failure?: string
    error: number
    largest: number
    trainable: Record<string, boolean>
    parameters: number
  }[]
  const models = new Map<string, tf.LayersModel>()

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'graft-save-'))
    const cases = []
    for (const [name, make] of Object.entries({ ...zoo, ...custom })) {
      const model = make(),
        inputs = inputsFor(model),
        outputs = await outputsOf(model, inputs)
      const store = (kind: string, values: Float32Array[]) =>
        Promise.all(
          values.map(async (value, i) => {
            await writeFile(join(folder, `${name}.${kind}${i}`), new Uint8Array(value.buffer))
            return `${name}.${kind}${i}`
          }),
        )
      models.set(name, model)
      // Models within models are counted differently by the two, and attention is told otherwise: each has its file.
      const apart = /^(nested|attention)/.test(name)
      await save(model, join(folder, `${name}.h5`))
      await save(model, join(folder, `${name}_2.h5`), { readers: 'tf_keras' })
      await save(model, join(folder, `${name}.keras`))
      cases.push({
        name,
        files: { 'keras3 (.keras)': `${name}.keras`, keras3: `${name}.h5`, tf_keras: apart ? `${name}_2.h5` : `${name}.h5` },
        inputs: await store(
          'x',
          inputs.map(input => input.dataSync() as Float32Array),
        ),
        inputShapes: inputs.map(input => input.shape),
        outputs: await store('y', outputs),
      })
    }
    await writeFile(join(folder, 'cases.json'), JSON.stringify(cases))
    await runPython(script, ['read', folder])
    results = JSON.parse(await readFile(join(folder, 'results.json'), 'utf8'))
  })
  after(() => rm(folder, { recursive: true, force: true }))

  for (const name of [...Object.keys(zoo), ...Object.keys(custom)]) {
    for (const library of ['keras3', 'tf_keras', 'keras3 (.keras)']) {
      test(`${name} in ${library}`, async () => {
        const result = results.find(each => each.name === name && each.library === library)!
        assert.equal(result.failure, undefined)
        assert.ok(result.error <= 1e-6 * Math.max(1, result.largest), `outputs differ by ${result.error} of ${result.largest}`)
        const model = models.get(name)!
        const again = await load(join(folder, library.endsWith('(.keras)') ? `${name}.keras` : library === 'tf_keras'
          ? `${name}_2.h5` : `${name}.h5`))
        const inputs = inputsFor(model), wanted = await outputsOf(model, inputs)
        assert.deepEqual(await outputsOf(again, inputs), wanted, 'not the same again here')
        again.dispose()
        assert.equal(result.parameters, model.countParams())
        assert.deepEqual(result.trainable, trainable(model))
      })
    }
  }
})

describe('what Keras 3 and tf_keras save, Graft loads', { skip }, () => {
  let folder: string
  let cases: {
    name: string
    library: string
    files: string[]
    inputs: string[]
    inputShapes: number[][]
    outputs: string[]
    trainable: Record<string, boolean>
  }[]

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'graft-load-'))
    await runPython(script, ['write', folder])
    cases = JSON.parse(await readFile(join(folder, 'cases.json'), 'utf8'))
  })
  after(() => rm(folder, { recursive: true, force: true }))

  test('every model computes the same here', async context => {
    for (const { name, library, files, inputs, inputShapes, outputs, trainable: flags } of cases) {
      for (const file of files)
        await context.test(`${name} of ${library}, ${extname(file)}`, async () => {
          const model = await load(join(folder, file))
          const tensors = await Promise.all(
            inputs.map(async (input, i) => tf.tensor(await floats(join(folder, input)), inputShapes[i])),
          )
          const got = await outputsOf(model, tensors)
          for (const [i, output] of outputs.entries()) {
            const want = await floats(join(folder, output)),
              largest = Math.max(1, ...want.map(Math.abs))
            assert.ok(furthest(got[i], want) <= 2e-6 * largest, `output ${i} differs by ${furthest(got[i], want)} of ${largest}`)
          }
          assert.deepEqual(trainable(model), flags)
          model.dispose()
        })
    }
  })
})
