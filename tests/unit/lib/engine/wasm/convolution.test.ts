import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { tf } from '../../../../../lib/tf.ts'
import { difference, numbers, onBoth, size } from '../numbers.ts'

type Pad = 'same' | 'valid' | [[number, number], [number, number], [number, number], [number, number]]
const uneven: Pad = [[0, 0], [1, 2], [2, 1], [0, 0]]
const images: [number, number][] = [[7, 9], [6, 4]], windows: [number, number][] = [[1, 1], [3, 3], [5, 2]]
const strides: [number, number][] = [[1, 1], [2, 2], [2, 3]], pads: Pad[] = ['same', 'valid', uneven]

const gradient = (kernel: string, inputs: Record<string, tf.Tensor>, attributes: Record<string, unknown>) =>
  tf.engine().runKernel(kernel, inputs, attributes as tf.NamedAttrMap) as tf.Tensor
const name = (...parts: unknown[]) => parts.map((part) => JSON.stringify(part)).join(' ')

describe('gradients of convolutions equal the reference engine', () => {
  for (const [height, width] of images) for (const window of windows) for (const stride of strides) for (const pad of pads) {
    test(name([height, width], window, stride, pad), async () => {
      for (const [channels, filters] of [[3, 5], [4, 8], [17, 13]]) {
        const shape: [number, number, number, number] = [2, height, width, channels], kernel = [...window, channels, filters] as typeof shape
        const { wasm, cpu } = await onBoth(() => {
          const x = tf.tensor4d(numbers(size(shape)), shape), filter = tf.tensor4d(numbers(size(kernel), 2), kernel)
          const convolve = (x: tf.Tensor, filter: tf.Tensor) => tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, stride, pad)
          const y = convolve(x, filter)
          return [y, ...tf.grads(convolve)([x, filter], tf.tensor(numbers(y.size, 3), y.shape))]
        })
        wasm.forEach((values, i) => assert.ok(difference(values, cpu[i]) < 1e-5, `${['y', 'dx', 'dfilter'][i]} ${name(channels, filters)}`))
      }
    })
  }
})

describe('gradients of depthwise convolutions equal the reference engine', () => {
  for (const [height, width] of images) for (const window of windows) for (const stride of strides) for (const pad of pads) {
    test(name([height, width], window, stride, pad), async () => {
      for (const channels of [3, 21]) for (const multiplier of [1, 3]) {
        const shape: [number, number, number, number] = [2, height, width, channels], kernel = [...window, channels, multiplier] as typeof shape
        const { wasm, cpu } = await onBoth(() => {
          const x = tf.tensor4d(numbers(size(shape)), shape), filter = tf.tensor4d(numbers(size(kernel), 2), kernel)
          const { outShape } = tf.backend_util.computeConv2DInfo(shape, kernel, stride, 1, pad, undefined, true)
          const dy = tf.tensor4d(numbers(size(outShape), 3), outShape)
          return [
            tf.depthwiseConv2d(x, filter, stride, pad),
            gradient('DepthwiseConv2dNativeBackpropInput', { dy, filter }, { strides: stride, pad, dilations: 1, inputShape: shape }),
            gradient('DepthwiseConv2dNativeBackpropFilter', { x, dy }, { strides: stride, pad, dilations: 1, filterShape: kernel }),
          ]
        })
        wasm.forEach((values, i) => assert.ok(difference(values, cpu[i]) < 1e-5, `${['y', 'dx', 'dfilter'][i]} ${name(channels, multiplier)}`))
      }
    })
  }
})

// The reference engine's own gradients leave dilation out. A convolution is linear in the image and in the filter, so its gradients are
// right where ⟨y(x, f), dy⟩ = ⟨x, dx⟩ = ⟨f, df⟩ for numbers without a pattern.
for (const [kernelNames, multiplier] of [[['Conv2DBackpropInput', 'Conv2DBackpropFilter'], 5], [['DepthwiseConv2dNativeBackpropInput', 'DepthwiseConv2dNativeBackpropFilter'], 2]] as const) {
  test(`dilated: ${kernelNames} are the transposes of the convolution`, async () => {
    await tf.setBackend('wasm')
    const depthwise = multiplier === 2, shape: [number, number, number, number] = [2, 9, 8, 6], window: typeof shape = [3, 3, 6, multiplier]
    const x = tf.tensor4d(numbers(size(shape)), shape), filter = tf.tensor4d(numbers(size(window), 2), window), dilations: [number, number] = [2, 3]
    for (const pad of ['same', 'valid'] as const) {
      const y = depthwise ? tf.depthwiseConv2d(x, filter, 1, pad, 'NHWC', dilations) : tf.conv2d(x, filter, 1, pad, 'NHWC', dilations)
      const dy = tf.tensor(numbers(y.size, 3), y.shape), dot = (a: tf.Tensor, b: tf.Tensor) => tf.sum(tf.mul(a, b)).dataSync()[0]
      const attributes = { strides: 1, pad, dilations, dataFormat: 'NHWC' }, expected = dot(y, dy)
      assert.ok(Math.abs(dot(x, gradient(kernelNames[0], { dy, filter }, { ...attributes, inputShape: shape })) / expected - 1) < 1e-5)
      assert.ok(Math.abs(dot(filter, gradient(kernelNames[1], { x, dy }, { ...attributes, filterShape: window })) / expected - 1) < 1e-5)
    }
  })
}

test('a matrix product larger than every block agrees, and gives the same bits each time', async () => {
  const shape: [number, number, number, number] = [1, 20, 30, 130], kernel: typeof shape = [1, 1, 130, 530]
  const work = () => {
    const x = tf.tensor4d(numbers(size(shape)), shape), dy = tf.tensor4d(numbers(600 * 530, 2), [1, 20, 30, 530])
    return [gradient('Conv2DBackpropFilter', { x, dy }, { strides: 1, pad: 'same', dataFormat: 'NHWC', filterShape: kernel })]
  }
  const { wasm: [first], cpu: [expected] } = await onBoth(work)
  assert.ok(difference(first, expected) < 1e-5)
  assert.deepEqual(tf.tidy(() => work()[0].dataSync()), first)
})

test('channels-first data are refused in words', async () => {
  await tf.setBackend('wasm')
  const x = tf.zeros([1, 3, 8, 8]) as tf.Tensor4D, dy = tf.zeros([1, 4, 8, 8]) as tf.Tensor4D
  const run = () => gradient('Conv2DBackpropFilter', { x, dy }, { strides: 1, pad: 'same', dataFormat: 'NCHW', filterShape: [1, 1, 3, 4] })
  assert.throws(run, /expected the data format NHWC, received NCHW/)
})
