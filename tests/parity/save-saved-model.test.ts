import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { save } from '../../lib/save/index.ts'
import { runPython, skip } from './save/python.ts'
import { custom, inputsFor, outputsOf, zoo } from './save/zoo.ts'

/** `GRAFT_TEST_FAMILIES=1` for all: TensorFlow takes a second for each. */
const names = [
  'mobilenet', 'branches', 'nestedOutput', 'regularized', 'dilated', 'batchNormalization', 'standardized', 'operations',
  ...process.env.GRAFT_TEST_FAMILIES ? [
    'sequential', 'nested', 'slashes', 'conv2d', 'conv2dTranspose', 'outputPadding', 'depthwise', 'separable',
    'layerNormalization', 'relu', 'elu', 'prelu', 'softmax', 'averagePooling', 'globalMax', 'padding', 'upSampling', 'bilinear',
    'reshape', 'preprocessing', 'subtract', 'embedding', 'layerScale', 'customScale',
  ] : [],
]

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'graft-saved-model-'))
})
after(() => rm(folder, { recursive: true, force: true }))

test('a SavedModel computes and learns the same in TensorFlow, TFSMLayer, TensorFlow Hub, TensorFlow Lite and from C', { skip },
  async context => {
    const all: Record<string, () => ReturnType<typeof zoo.lstm>> = { ...zoo, ...custom }, cases = []
    for (const name of names) {
      const model = all[name](), inputs = inputsFor(model), outputs = await outputsOf(model, inputs)
      await save(model, join(folder, name, '1'), { format: 'SavedModel' })
      cases.push({
        name, lite: name === 'mobilenet', shapes: inputs.map(({ shape }) => shape),
        inputs: inputs.map(input => [...input.dataSync()]), outputs: outputs.map(output => [...output]),
        trainable: model.trainableWeights.length, variables: model.weights.length, losses: name === 'regularized' ? 2 : 0,
        moving: model.weights.filter(({ name }) => /moving/.test(name)).length > 0,
      })
    }
    await writeFile(join(folder, 'cases.json'), JSON.stringify(cases))
    const results = JSON.parse(await runPython(new URL('./save/saved_model.py', import.meta.url).pathname, [folder])) as
      { name: string, errors: Record<string, number>, wrong: string[] }[]
    assert.equal(results.length, names.length)
    for (const { name, errors, wrong } of results) {
      assert.deepEqual(wrong, [], name)
      for (const [way, error] of Object.entries(errors)) assert.ok(error <= 1e-6, `${name}, ${way}: ${error}`)
    }
    const largest = Math.max(...results.flatMap(({ errors }) => Object.values(errors)))
    context.diagnostic(`the largest difference is ${largest} of the largest output`)
  })
