import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { withoutWebGPU } from './here.ts'
import type * as TF from '@tensorflow/tfjs'

type Shape = [number, number, number, number]
type Pad = 'same' | 'valid' | [[number, number], [number, number], [number, number], [number, number]]

const uneven: Pad = [[0, 0], [1, 2], [2, 1], [0, 0]]

/** Image, window, channels, filters or multiplier, strides, padding, dilations. */
const convolutions: [[number, number], [number, number], number, number, [number, number], Pad, [number, number]][] = [
  [[7, 9], [3, 3], 3, 5, [1, 1], 'same', [1, 1]], [[7, 9], [3, 3], 4, 8, [2, 2], 'same', [1, 1]], [[6, 4], [1, 1], 17, 13, [1, 1], 'valid', [1, 1]],
  [[6, 8], [5, 2], 3, 2, [2, 3], uneven, [1, 1]], [[9, 8], [3, 3], 6, 2, [1, 1], 'same', [2, 3]], [[5, 5], [1, 1], 4, 3, [2, 2], 'same', [1, 1]],
  [[9, 9], [3, 3], 70, 3, [1, 1], 'valid', [2, 2]],
]

describe('WebGPU computes as the other engines', { skip: withoutWebGPU }, async () => {
  if (withoutWebGPU) return
  const { tf } = await import('../../../../../lib/tf.ts'), { normalizeBatch } = await import('../../../../../lib/engine/normalize.ts')
  const { difference, numbers, size, tensorOf } = await import('../numbers.ts')

  // Else it computes what is small in plain JavaScript.
  tf.env().set('WEBGPU_CPU_FORWARD', false)

  const values = async (engine: string, work: () => TF.Tensor[]) => {
    await tf.setBackend(engine)
    return tf.tidy(() => work().map(tensor => ({ shape: tensor.shape, values: Float32Array.from(tensor.dataSync()) })))
  }
  /** The same work here and on another engine whose results are known to be right. */
  const compare = async (other: 'wasm' | 'cpu', work: () => TF.Tensor[], most = 1e-5) => {
    const expected = await values(other, work), actual = await values('webgpu', work)
    assert.deepEqual(actual.map(({ shape }) => shape), expected.map(({ shape }) => shape))
    actual.forEach(({ values }, i) => assert.ok(difference(values, expected[i].values) < most, `result ${i}: ${difference(values, expected[i].values)}`))
  }
  const gradient = (kernel: string, inputs: Record<string, TF.Tensor>, attributes: object) => tf.engine().runKernel(kernel, inputs as never, attributes as never) as TF.Tensor
  const at = (shape: number[], seed = 1) => tf.tensor(numbers(size(shape), seed), shape)

  for (const [image, window, channels, filters, strides, pad, dilations] of convolutions) for (const depthwise of [false, true]) {
    test(`${depthwise ? 'depthwise ' : ''}convolution and its gradients: ${JSON.stringify([image, window, channels, filters, strides, pad, dilations])}`, () => compare('wasm', () => {
      const shape: Shape = [2, ...image, channels], kernel: Shape = [...window, channels, filters], attributes = { strides, pad, dilations, dataFormat: 'NHWC', dimRoundingMode: undefined }
      const { outShape } = tf.backend_util.computeConv2DInfo(shape, kernel, strides, dilations, pad, undefined, depthwise)
      const x = at(shape), filter = at(kernel, 2), dy = at(outShape, 3), name = depthwise ? 'DepthwiseConv2dNative' : 'Conv2D'
      return [
        gradient(name, { x, filter }, attributes), gradient(`${name}BackpropInput`, { dy, filter }, { ...attributes, inputShape: shape }),
        gradient(`${name}BackpropFilter`, { x, dy }, { ...attributes, filterShape: kernel }),
      ]
    }))
  }

  test('a gradient that is larger than every tile, in parts', () => compare('wasm', () =>
    [gradient('Conv2DBackpropFilter', { x: at([1, 20, 30, 130]), dy: at([1, 20, 30, 70], 2) }, { strides: 1, pad: 'same', dataFormat: 'NHWC', filterShape: [1, 1, 130, 70] })]))

  for (const shape of [[6, 5], [2, 3, 4, 5], [3, 7, 8, 70]]) for (const offset of [true, false]) {
    test(`batch normalization and its gradients: [${shape}]${offset ? '' : ', without beta'}`, () => compare('wasm', () => {
      const channels = [shape.at(-1)!], x = at(shape).add(3), gamma = at(channels, 2), beta = offset ? at(channels, 3) : null
      const normalized = (x: TF.Tensor, gamma: TF.Tensor) => normalizeBatch(x, gamma, beta, 1e-3)[0]
      return [...normalizeBatch(x, gamma, beta, 1e-3), ...tf.grads(normalized)([x, gamma], at(shape, 4))]
    }))
  }

  const pools: [number, number | [number, number], 'same' | 'valid'][] = [[2, 2, 'valid'], [3, 2, 'same'], [3, 1, 'same'], [3, [2, 1], 'valid']]
  for (const [filter, strides, pad] of pools) test(`pooling and its gradients: ${JSON.stringify([filter, strides, pad])}`, () => compare('wasm', () => {
    const x = at([2, 7, 6, 5])
    return [tf.maxPool, tf.avgPool].flatMap(pool => {
      const work = (x: TF.Tensor) => pool(x as TF.Tensor4D, filter, strides, pad), y = work(x)
      return [y, tf.grad(work)(x, at(y.shape, 3))]
    })
  }))

  const operations: Record<string, (x: TF.Tensor4D) => TF.Tensor> = {
    'resizeBilinear': x => tf.image.resizeBilinear(x, [9, 5]), 'resizeBilinear, corners': x => tf.image.resizeBilinear(x, [9, 5], true),
    'resizeBilinear, half pixels': x => tf.image.resizeBilinear(x, [3, 11], false, true), 'resizeNearestNeighbor': x => tf.image.resizeNearestNeighbor(x, [8, 10]),
    'softmax': x => tf.softmax(x), 'logSoftmax': x => tf.logSoftmax(x), 'relu6': x => tf.relu6(x.mul(9)), 'relu': x => tf.relu(x), 'sigmoid': x => tf.sigmoid(x), 'tanh': x => tf.tanh(x),
    'erf': x => tf.erf(x), 'exp': x => tf.exp(x), 'log': x => tf.log(x.abs().add(0.1)), 'sqrt': x => tf.sqrt(x.abs().add(0.1)), 'rsqrt': x => tf.rsqrt(x.abs().add(0.1)), 'pow': x => x.abs().add(0.1).pow(1.7),
    'pad': x => tf.pad(x, [[0, 0], [1, 2], [0, 3], [0, 0]]), 'mirrorPad': x => tf.mirrorPad(x, [[0, 0], [1, 2], [2, 1], [0, 0]], 'reflect'),
    'slice': x => tf.slice(x, [0, 1, 2, 1], [2, 3, 2, 2]), 'stridedSlice': x => tf.stridedSlice(x, [0, 5, 0, 0], [2, 0, 5, 3], [1, -2, 2, 1]), 'concat': x => tf.concat([x, x.mul(2), x.neg()], 3),
    'split': x => tf.split(x, [1, 2], 3)[1], 'transpose': x => tf.transpose(x, [0, 3, 1, 2]), 'tile': x => tf.tile(x, [1, 2, 1, 2]), 'reverse': x => tf.reverse(x, [1, 2]), 'gather': x => tf.gather(x, tf.tensor1d([2, 0, 2], 'int32'), 1),
    'sum over all': x => tf.sum(x), 'sum over images and pixels': x => tf.sum(x, [0, 1, 2]), 'sum over channels': x => tf.sum(x, 3), 'mean over pixels': x => tf.mean(x, [1, 2]), 'max over pixels': x => tf.max(x, [1, 2]),
    'min': x => tf.min(x, 3), 'prod': x => tf.prod(x, 3), 'norm': x => tf.norm(x), 'cumsum': x => tf.cumsum(x, 2), 'moments': x => tf.moments(x, [1, 2]).variance,
    'where': x => tf.where(x.greater(0), x, x.mul(0.1)), 'clip': x => tf.clipByValue(x, -0.3, 0.4), 'prelu': x => tf.prelu(x, at([3], 5)), 'maximum': x => tf.maximum(x, x.mul(-1)), 'squaredDifference': x => tf.squaredDifference(x, 0.3),
    'matMul': x => tf.matMul(x.reshape([8, 15]), at([15, 7], 6)), 'matMul, turned': x => tf.matMul(x.reshape([15, 8]), at([7, 15], 6), true, true), 'batched matMul': x => tf.matMul(x.reshape([4, 3, 10]), at([4, 10, 5], 6)),
    'depthToSpace': x => tf.depthToSpace(x.concat(x.neg(), 3).slice([0, 0, 0, 0], [2, 4, 5, 4]) as TF.Tensor4D, 2), 'local response normalization': x => tf.localResponseNormalization(x),
    'addN': x => tf.addN([x, x.mul(2), x.square()]), 'mean squared error': x => tf.losses.meanSquaredError(x.mul(2), x),
  }
  const withoutGradient = /mirrorPad|prod|cumsum|depthToSpace/
  for (const [name, work] of Object.entries(operations)) {
    test(withoutGradient.test(name) ? name : `${name} and its gradient`, () => compare(/resize|mirrorPad|prod|gather/.test(name) ? 'cpu' : 'wasm', () => {
      const x = at([2, 4, 5, 3]), y = work(x as TF.Tensor4D)
      return /resize/.test(name) || withoutGradient.test(name) ? [y] : [y, tf.grad(x => work(x as TF.Tensor4D))(x, at(y.shape, 3))]
    }))
  }

  // The reference engine's own gradients of resizing are wrong. Resizing is linear, so its gradient is right where ⟨y(x), dy⟩ = ⟨x, dx⟩.
  for (const [name, work] of Object.entries(operations).filter(([name]) => name.startsWith('resize'))) test(`the gradient of ${name} is its transpose`, async () => {
    await tf.setBackend('webgpu')
    const x = at([2, 4, 5, 3]), y = work(x as TF.Tensor4D), dy = at(y.shape, 3), dx = tf.grad(x => work(x as TF.Tensor4D))(x, dy)
    const dot = (a: TF.Tensor, b: TF.Tensor) => a.mul(b).sum().dataSync()[0]
    assert.deepEqual(dx.shape, x.shape)
    assert.ok(Math.abs(dot(y, dy) - dot(x, dx)) < 1e-4, `${dot(y, dy)}, ${dot(x, dx)}`)
  })

  test('operations on whole numbers, comparisons and the like', () => compare('cpu', () => {
    const x = tensorOf([4, 6]), whole = tf.tensor2d([3, -1, 2, 7, 5, -4], [2, 3], 'int32')
    return [tf.argMax(x, 1), tf.argMin(x, 0), tf.oneHot(tf.tensor1d([1, 0, 2], 'int32'), 3), whole.mul(2), tf.floorDiv(whole, 2), whole.cast('float32'), x.greater(0), tf.logicalAnd(x.greater(0), x.less(0.5)),
      tf.topk(x, 2).values, tf.topk(x, 2).indices, tf.floor(x.mul(5)), tf.round(x.mul(5)), tf.sign(x), tf.isNaN(x), tf.range(0, 5), tf.linspace(0, 1, 4), tf.eye(3), tf.mod(x.mul(5), 2), tf.any(x.greater(0.9)), tf.all(x.less(2)), tf.unique(whole.flatten()).values, x.greater(0).transpose(), whole.transpose(), x.greater(0).reshape([2, 3, 4]).transpose([2, 0, 1]), whole.cast('float32').exp()]
      .map(tensor => tensor.cast('float32'))
  }))

  test('channels-first data are refused in words', async () => {
    await tf.setBackend('webgpu')
    assert.throws(() => gradient('Conv2DBackpropFilter', { x: at([1, 3, 8, 8]), dy: at([1, 4, 8, 8]) }, { strides: 1, pad: 'same', dataFormat: 'NCHW', filterShape: [1, 1, 3, 4] }), /expected the data format NHWC, received NCHW/)
  })
})
