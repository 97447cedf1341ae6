import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, test } from 'node:test'
import type { LayersModel, Scalar, Tensor } from '@tensorflow/tfjs'
import { fromKeras } from '../../../../lib/save/keras/decode.ts'
import { toArchive } from '../../../../lib/save/keras/archive.ts'
import { toKeras } from '../../../../lib/save/keras/encode.ts'
import type { Json } from '../../../../lib/save/keras/types.ts'
import { h5Places, setWeights } from '../../../../lib/save/weights.ts'
import { tf } from '../../../../lib/tf.ts'

interface Case {
  title: string
  config: Json
  inputs: number[][]
  output: { shape: number[], some: number[] }
  slopes: number[][] | null
}

const cases = JSON.parse(await readFile(new URL('../../../fixtures/layers/keras3.json', import.meta.url), 'utf8')) as Case[]

/** The numbers that tests/fixtures/layers/make_keras3.py gave the model too. */
function formula(shape: number[], factor: number, low: number, high: number): Float32Array<ArrayBuffer> {
  const count = shape.reduce((product, size) => product * size, 1)
  return Float32Array.from({ length: count }, (_, i) => low + (high - low) * (i * factor % 2003) / 2002)
}

function near(got: ArrayLike<number>, wanted: number[], least: number, what: string): void {
  const step = Math.max(1, Math.floor(got.length / 20)), largest = Math.max(1, ...wanted.map(Math.abs))
  assert.equal(wanted.length, Math.ceil(got.length / step), `${what}: how many numbers`)
  wanted.forEach((want, i) => assert.ok(Math.abs(want - got[i * step]) <= least * largest, `${what}: ${got[i * step]}, in Keras ${want}`))
}

function load(config: Json): LayersModel {
  const model = fromKeras(config, 'keras3')
  for (const { layer, weights } of h5Places(model)) {
    const stored = weights.map(({ path, weight }) => {
      const shape = weight.shape as number[], data = new Uint8Array(formula(shape, 127, 0.2, 1).buffer)
      return { path, dataset: { shape, dtype: 'float32' as const, data } }
    })
    setWeights(layer, weights, stored)
  }
  return model
}

describe('what Keras 3 computes is computed here, forward and backward, and once it is written and read again', () => {
  for (const { title, config, inputs, output, slopes } of cases) {
    test(title, () => {
      const model = load(config), given = inputs.map((shape, i) => tf.tensor(formula(shape, 7919 + 2 * i, -2, 2), shape))
      if (title.includes('Masking')) given[0] = tf.mul(given[0], tf.tensor([1, 1, 0, 0, 1, 1, 1, 1], [1, 8, 1]))
      const compute = (model: LayersModel, given: Tensor[]) => [model.apply(given.length > 1 ? given : given[0])].flat()[0] as Tensor
      const y = compute(model, given)
      assert.deepEqual(y.shape, output.shape)
      near(y.dataSync(), output.some, 2e-6, 'output')
      const loss = (...given: Tensor[]) => {
        const y = compute(model, given)
        return tf.sum(tf.mul(y, tf.tensor(formula(y.shape, 389, -1, 1), y.shape))) as Scalar
      }
      if (slopes) tf.grads(loss)(given).forEach((slope, i) => near(slope.dataSync(), slopes[i], 1e-5, `gradient for input ${i}`))
      near(compute(load(toArchive(toKeras(model)) as unknown as Json), given).dataSync(), output.some, 2e-6, 'written and read again')
    })
  }
})
