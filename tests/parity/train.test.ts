import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { Sequential } from '@tensorflow/tfjs'
import { tensors } from '../../lib/data/tensors.ts'
import { tf } from '../../lib/tf.ts'
import { train, type TrainOptions } from '../../lib/train/train.ts'

interface Case {
  x: number[], shape: [number, number, number, number], labels: number[], weights: number[][], batch: number, epochs: number
  history: { loss: number[], accuracy: number[], val_loss: number[], val_accuracy: number[] }, trained: number[][]
}
const cases = JSON.parse(readFileSync(new URL('../fixtures/training/expected.json', import.meta.url), 'utf8')) as Record<string,
  Case>

const head = (units: number, activation: 'softmax' | 'sigmoid', l2?: number) => tf.sequential({ layers: [
  tf.layers.flatten({ inputShape: [1, 1, 24] }),
  tf.layers.dense({ units, activation, kernelRegularizer: l2 ? tf.regularizers.l2({ l2 }) : undefined }),
] })
const convolutions = () => tf.sequential({ layers: [
  tf.layers.conv2d({ filters: 4, kernelSize: 3, padding: 'same', useBias: false, inputShape: [10, 10, 3] }),
    tf.layers.batchNormalization(),
  tf.layers.reLU({ maxValue: 6 }), tf.layers.depthwiseConv2d({ kernelSize: 3, strides: 2, padding: 'same', useBias: false }),
  tf.layers.batchNormalization(), tf.layers.reLU({ maxValue: 6 }),
    tf.layers.conv2d({ filters: 6, kernelSize: 1, activation: 'relu' }),
  tf.layers.globalAveragePooling2d({}), tf.layers.dense({ units: 3, activation: 'softmax' }),
] })

const models: Record<string, [() => Sequential, TrainOptions['optimizer'], rate: number, more?: TrainOptions]> = {
  adam: [() => head(5, 'softmax'), 'adam', 1e-2],
  adamw: [() => head(5, 'softmax'), 'adamw', 1e-2],
  sgd: [() => head(5, 'softmax'), 'sgd', 1e-1],
  momentum: [() => head(5, 'softmax'), 'momentum', 5e-2],
  rmsprop: [() => head(5, 'softmax'), 'rmsprop', 1e-3],
  l2: [() => head(5, 'softmax', 0.01), 'adam', 1e-2],
  cosine: [() => head(5, 'softmax'), 'adam', 2e-2, { schedule: 'cosine' }],
  'label smoothing': [() => head(5, 'softmax'), 'adam', 1e-2, { labelSmoothing: 0.1 }],
  'class weights': [() => head(5, 'softmax'), 'adam', 1e-2, { classWeights: { 0: 1, 1: 3, 2: 0.5, 4: 2 } }],
  'yes or no': [() => head(1, 'sigmoid'), 'adam', 1e-2],
  convolutions: [convolutions, 'adam', 1e-2],
}

for (const [name, [build, optimizer, learningRate, more]] of Object.entries(models)) {
  test(`${name}: losses, accuracy and weights are Keras's`, async () => {
    const expected = cases[name], model = build()
    setWeights(model, expected.weights)
    const x = tf.tensor4d(expected.x, expected.shape), count = expected.shape[0] * 3 / 4
    const data = await tensors(x, expected.labels)
    x.dispose()
    const all = Array.from(data.train.labels.keys())
    const parts = { train: data.train.pick(all.slice(0, count)), validation: data.train.pick(all.slice(count)) }
    const run = await train(model, parts, { optimizer, learningRate, batch: expected.batch, epochs: expected.epochs,
      shuffle: false, show: false, ...more })
    const { loss, accuracy, val_loss, val_accuracy } = expected.history
    near(run.history.loss, loss, 1e-4, 'loss')
    near(run.history.accuracy, accuracy, 1e-6, 'accuracy')
    near(run.history.valLoss, val_loss, 1e-4, 'validation loss')
    near(run.history.valAccuracy, val_accuracy, 1e-6, 'validation accuracy')
    weightsOf(model).forEach((weight, i) => near(weight, expected.trained[i], 1e-3, `weight ${i}`))
    model.dispose()
  })
}

/** Weights in Keras's order: layer by layer. */
const weightsOf = (model: Sequential) => model.layers.flatMap(layer =>
  layer.getWeights().map(weight => Array.from(weight.dataSync())))

function setWeights(model: Sequential, values: number[][]): void {
  const queue = [...values]
  for (const layer of model.layers) layer.setWeights(layer.getWeights().map(weight => tf.tensor(queue.shift()!, weight.shape)))
  assert.equal(queue.length, 0)
}

function near(actual: number[], expected: number[], tolerance: number, what: string): void {
  assert.equal(actual.length, expected.length, what)
  const worst = Math.max(...actual.map((value, i) => Math.abs(value - expected[i])))
  assert.ok(worst <= tolerance, `${what}: differs by ${worst}`)
}
