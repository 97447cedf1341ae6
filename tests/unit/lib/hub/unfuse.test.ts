import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type * as tfTypes from '@tensorflow/tfjs'
import { hub } from '../../../../lib/hub/index.ts'
import { tf } from '../../../../lib/tf.ts'
import { relativeError } from '../../../fixtures/models/models.ts'

const scratch = await mkdtemp(join(tmpdir(), 'graft-'))
after(() => rm(scratch, { recursive: true }))

const text = (value: string) => ({ s: Buffer.from(value).toString('base64') })
const texts = (...values: string[]) => ({ list: { s: values.map(value => text(value).s) } })

/** A GraphModel of one fused operation on an image of 6 × 6 × 3, whose other inputs are weights. */
async function graph(op: string, weights: Record<string, tfTypes.Tensor>, attr: object): Promise<tfTypes.LayersModel> {
  const folder = await mkdtemp(join(scratch, 'model-')), names = Object.keys(weights)
  const size = (n: number) => ({ size: String(n) })
  const node = [
    { name: 'image', op: 'Placeholder', attr: { dtype: { type: 'DT_FLOAT' }, shape: { shape: { dim: [-1, 6, 6,
      3].map(size) } } } },
    ...names.map(name => ({ name, op: 'Const', attr: { dtype: { type: 'DT_FLOAT' }, value: { tensor: {} } } })),
    { name: 'net/whole', op, input: ['image', ...names], attr: { ...attr, data_format: text('NHWC') } },
  ]
  const specs = names.map(name => ({ name, shape: weights[name].shape, dtype: 'float32' }))
  await writeFile(join(folder, 'model.json'), JSON.stringify({ modelTopology: { node }, weightsManifest: [{ paths: ['w'],
    weights: specs }] }))
  await writeFile(join(folder, 'w'), Buffer.concat(names.map(name => Buffer.from(weights[name].dataSync().slice().buffer))))
  return await hub.load(folder)
}

const conv = { strides: { list: { i: ['1', '1', '1', '1'] } }, padding: text('SAME'), epsilon: { f: 0.001 } }
const kernel = tf.randomNormal([3, 3, 3, 4], 0, 1, 'float32', 1) as tfTypes.Tensor4D, vector = (seed: number) =>
  tf.randomUniform([4], 0.5, 1.5, 'float32', seed)
const x = tf.randomNormal([2, 6, 6, 3], 0, 1, 'float32', 2) as tfTypes.Tensor4D, plain = tf.conv2d(x, kernel, 1, 'same')
const [bias, scale, mean, variance] = [3, 4, 5, 6].map(vector)
const swish = (y: tfTypes.Tensor) => y.mul(y.add(3).clipByValue(0, 6)).div(6)

for (const [name, op, weights, attr, expected] of [
  ['a convolution with hard swish', '_FusedConv2D', { 'net/conv/kernel': kernel, 'net/conv/bias': bias },
    { ...conv, fused_ops: texts('BiasAdd', '_FusedHardSwish') }, swish(plain.add(bias))],
  ['a convolution with batch normalization', '_FusedConv2D', { 'net/conv/kernel': kernel, scale, bias, mean, variance },
    { ...conv, fused_ops: texts('FusedBatchNorm', 'Relu6') },
    tf.batchNorm(plain, mean as tfTypes.Tensor1D, variance as tfTypes.Tensor1D, bias as tfTypes.Tensor1D,
      scale as tfTypes.Tensor1D, 0.001).clipByValue(0, 6)],
  ['batch normalization with an activation', '_FusedBatchNormEx',
    { scale: scale.slice(0, 3), bias: bias.slice(0, 3), mean: mean.slice(0, 3), variance: variance.slice(0, 3) },
    { epsilon: { f: 0.001 }, is_training: { b: false }, activation_mode: text('Relu') },
    tf.batchNorm(x, mean.slice(0, 3) as tfTypes.Tensor1D, variance.slice(0, 3) as tfTypes.Tensor1D, bias.slice(0,
      3) as tfTypes.Tensor1D,
      scale.slice(0, 3) as tfTypes.Tensor1D, 0.001).relu()],
  ['hard swish alone', '_FusedHardSwish', {}, {}, swish(x)],
] as [string, string, Record<string, tfTypes.Tensor>, object, tfTypes.Tensor][]) {
  test(name, async () => {
    const model = await graph(op, weights, attr)
    assert.equal(model.layers.some(layer => layer.getClassName() === 'TensorFlowOp'), false)
    assert.ok(relativeError((model.predict(x) as tfTypes.Tensor).dataSync(), expected.dataSync()) <= 1e-5)
  })
}
