import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setCard } from '../../lib/card.ts'
import { save } from '../../lib/save/index.ts'
import { tf } from '../../lib/tf.ts'
import { predict } from '../../lib/train/predict.ts'
import { runPython, skip } from './save/python.ts'
import { mobileNet, scatter } from './save/zoo.ts'

const images = ['rgb.png', 'alpha.png', 'grey.jpg', 'turned.jpg', 'full-chroma.jpg', 'progressive.jpg', 'photo-0.jpg'].map(name =>
  resolve('tests/fixtures/images', name),
)

const sigmoid = () =>
  scatter(
    tf.sequential({
      layers: [
        tf.layers.conv2d({ inputShape: [32, 24, 1], filters: 4, kernelSize: 3, strides: 2, activation: 'relu' }),
        tf.layers.globalAveragePooling2d({}),
        tf.layers.dense({ units: 1, activation: 'sigmoid' }),
      ],
    }),
  )
const models: Record<string, [make: () => tf.LayersModel, card: Parameters<typeof setCard>[1]]> = {
  'a net that takes [−1, 1]': [() => mobileNet(64, 4), { size: [64, 64], range: [-1, 1], classes: ['a', 'b', 'c', 'd'] }],
  'a net that takes [0, 255]': [() => mobileNet(48, 3), { size: [48, 48], range: [0, 255], classes: ['a', 'b', 'c'] }],
  'a net of one grey channel and one output': [sigmoid, { size: [32, 24], range: [0, 1], classes: ['no', 'yes'] }],
}

describe('the Python lines of the receipt, run on an image, give the probabilities of predict', { skip }, () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'graft-python-'))
    // The evaluator of the onnx package, in the place of ONNX Runtime's package, which the tests do not need.
    await writeFile(join(folder, 'onnxruntime.py'), [
      'from onnx.reference import ReferenceEvaluator', 'class InferenceSession(ReferenceEvaluator): pass',
    ].join('\n'))
  })
  after(() => rm(folder, { recursive: true, force: true }))

  for (const [what, [make, card]] of Object.entries(models)) for (const extension of ['.h5', '.keras', '.onnx']) {
    test(`${what}, ${extension}`, async () => {
      const model = make()
      setCard(model, card)
      const { python } = await save(model, join(folder, `model${extension}`))
      const [before, after] = python.split('"image.png"')
      assert.ok(after, 'the lines name no image')
      const script = join(folder, 'lines.py')
      const lines = `${before}path${after}`.split('\n'), at = lines.findIndex(line => line.startsWith('image ='))
      await writeFile(
        script,
        [
          'import json',
          ...lines.slice(0, at),
          'def classify(path):',
          ...lines.slice(at).map(line => `  ${line}`),
          '  return probabilities.tolist()',
          `print(json.dumps([classify(path) for path in ${JSON.stringify(images)}]))`,
        ].join('\n'),
      )
      const got = JSON.parse((await runPython(script, [])).trim().split('\n').at(-1)!) as number[][]
      for (const [i, image] of images.entries()) {
        const want = (await predict(model, image)).scores
        for (const { label, probability } of want) {
          const theirs = got[i][card.classes!.indexOf(label)]
          assert.ok(Math.abs(theirs - probability) <= 0.01, `${image}, ${label}: ${theirs} in Python, ${probability} here`)
        }
      }
    })
  }
})
