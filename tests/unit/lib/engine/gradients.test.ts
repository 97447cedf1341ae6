import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import './tensorflow/here.ts'
import { tf } from '../../../../lib/tf.ts'
import { checkGradients } from './gradients.ts'
import { nets } from './nets.ts'
import { tensorOf } from './numbers.ts'

const { layers } = tf

describe('one step of training changes the weights as on the reference engine', () => {
  for (const name of Object.keys(nets)) test(name, () => checkGradients(name))
})

test('the same training gives the same bits', async () => {
  await tf.setBackend('wasm')
  const train = async () => {
    const model = tf.sequential({ layers: [
      layers.conv2d({ filters: 8, kernelSize: 3, inputShape: [16, 16, 3] }), layers.batchNormalization(), layers.reLU({ maxValue: 6 }),
      layers.depthwiseConv2d({ kernelSize: 3, strides: 2 }), layers.maxPooling2d({ poolSize: 2 }), layers.globalAveragePooling2d({}), layers.dense({ units: 3 }),
    ] })
    model.setWeights(model.weights.map((weight, i) => tensorOf(weight.shape as number[], i + 1).abs()))
    model.compile({ optimizer: 'adam', loss: 'meanSquaredError' })
    for (let step = 0; step < 3; step++) await model.trainOnBatch(tensorOf([4, 16, 16, 3], step + 1), tensorOf([4, 3], 9))
    return model.getWeights().map((weight) => weight.dataSync())
  }
  assert.deepEqual(await train(), await train())
})
