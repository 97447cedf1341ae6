import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, test } from 'node:test'
import type { Tensor } from '@tensorflow/tfjs'
import { KerasAugmentation } from '../../../../lib/layers/augmentation.ts'
import { tf } from '../../../../lib/tf.ts'

interface Case { className: string, config: Record<string, unknown>, drawn: number[][], output: number[] }
const file = new URL('../../../fixtures/layers/random_images.json', import.meta.url)
const cases = JSON.parse(await readFile(file, 'utf8')) as Case[]
const images = () => tf.tensor(Float32Array.from({ length: 3 * 5 * 6 * 2 }, (_, i) => i * 89 % 251), [3, 5, 6, 2])
const layerOf = (className: string, config: object) =>
  new KerasAugmentation({ keras: { name: JSON.stringify({ className, config }) } })

describe('in training images change as in Keras, by the same numbers', () => {
  for (const { className, config, drawn, output } of cases) {
    test(`${className} ${JSON.stringify(config)}`, () => {
      const layer = layerOf(className, config), rest = [...drawn]
      layer.uniform = shape => tf.tensor(rest.shift()!, shape)
      const changed = layer.apply(images(), { training: true }) as Tensor
      assert.equal(rest.length, 0)
      for (const [i, value] of changed.dataSync().entries())
        assert.ok(Math.abs(value - output[i]) <= 1e-3, `${i}: ${value}, in Keras ${output[i]}`)
    })
  }
})

test('each image and each call changes otherwise, and prediction changes nothing', () => {
  const layer = layerOf('RandomTranslation', { height_factor: 0.4, width_factor: 0.4 })
  const x = tf.tile(images().slice([0], [1]), [8, 1, 1, 1])
  const rows = (y: Tensor) => (y.reshape([8, -1]).arraySync() as number[][]).map(String)
  const [first, second] = [0, 1].map(() => rows(layer.apply(x, { training: true }) as Tensor))
  assert.ok(new Set([...first, ...second]).size > 12)
  assert.deepEqual(rows(layer.apply(x) as Tensor), rows(x))
})

test('a layer that is not known passes images on, and says that it does not act', () => {
  const layer = layerOf('RandomShear', { x_factor: 0.3 }), x = images()
  assert.equal(layer.acts, false)
  assert.deepEqual(Array.from((layer.apply(x, { training: true }) as Tensor).dataSync()), Array.from(x.dataSync()))
})
