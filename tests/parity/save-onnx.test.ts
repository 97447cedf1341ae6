import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setCard } from '../../lib/card.ts'
import { load, save } from '../../lib/save/index.ts'
import { runPython, skip } from './save/python.ts'
import { inputsFor, outputsOf, zoo } from './save/zoo.ts'

const names = ['mobilenet', 'sequential', 'nested', 'branches', 'depthwise', 'batchNormalization', 'conv2d', 'averagePooling']

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'graft-onnx-'))
})
after(() => rm(folder, { recursive: true, force: true }))

describe('.onnx: saved only when ONNX Runtime computes the same; the checker of onnx finds nothing', { skip }, () => {
  before(async () => {
    for (const name of names) {
      const model = zoo[name](), inputs = inputsFor(model)
      if (name === 'mobilenet') setCard(model, { size: [32, 32], range: [-1, 1], classes: ['ä', 'b'] })
      await save(model, join(folder, `${name}.onnx`))
      const values = { inputs: inputs.map(input => [...input.dataSync()]), shapes: inputs.map(({ shape }) => shape) }
      const outputs = (await outputsOf(model, inputs)).map(output => [...output])
      await writeFile(join(folder, `${name}.json`), JSON.stringify({ ...values, outputs }))
    }
  })
  test(names.join(', '), async () => {
    const script = join(folder, 'check.py')
    await writeFile(script, `
import json, pathlib, sys
import numpy as np, onnx
from onnx.reference import ReferenceEvaluator
folder = pathlib.Path(sys.argv[1])
for file in folder.glob('*.onnx'):
    model = onnx.load(file)
    onnx.checker.check_model(model, full_check=True)
    case = json.loads(file.with_suffix('.json').read_text())
    feeds = {each.name: np.array(x, 'float32').reshape(shape)
             for each, x, shape in zip(model.graph.input, case['inputs'], case['shapes'])}
    for got, want in zip(ReferenceEvaluator(model).run(None, feeds), case['outputs']):
        want = np.array(want, 'float32').reshape(got.shape)
        assert np.abs(got - want).max() <= 1e-4 * max(1, np.abs(want).max()), (file.name, np.abs(got - want).max())
    properties = {each.key: each.value for each in model.metadata_props}
    if file.stem == 'mobilenet':
        assert json.loads(properties['classes']) == ['ä', 'b'] and json.loads(properties['range']) == [-1, 1], properties
`)
    await runPython(script, [folder])
  })
})

test('a layer that ONNX cannot say is named, and nothing is written', async () => {
  await assert.rejects(save(zoo.lstm(), join(folder, 'lstm.onnx')), { name: 'GraftError', message: /lstm/i })
})

test('an .onnx file is not loaded: it says what is', async () => {
  await writeFile(join(folder, 'any.onnx'), 'x')
  await assert.rejects(load(join(folder, 'any.onnx')), { name: 'GraftError', message: /no layers to train or change/ })
})
