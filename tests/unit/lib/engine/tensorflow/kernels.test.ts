import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withoutTensorFlow } from './here.ts'
import { tf } from '../../../../../lib/tf.ts'
import { difference, numbers, tensorOf } from '../numbers.ts'

type Four = tf.Tensor4D
const image = () => tensorOf([2, 7, 6, 4]) as Four, matrix = () => tensorOf([5, 4]), positive = () => tensorOf([5, 4]).abs().add(0.1)
const whole = () => tf.tensor(Array.from(numbers(20, 3), value => Math.round(value * 5)), [5, 4], 'int32'), yes = () => matrix().greater(0)

/** What TensorFlow.js can be asked, by name. */
const asked: Record<string, () => tf.Tensor | tf.Tensor[]> = {}
for (const name of ['abs', 'acos', 'asin', 'atan', 'ceil', 'cos', 'cosh', 'elu', 'erf', 'exp', 'expm1', 'floor', 'isFinite', 'isInf', 'isNaN', 'logSigmoid', 'neg', 'relu', 'relu6',
  'round', 'selu', 'sigmoid', 'sign', 'sin', 'sinh', 'softplus', 'square', 'step', 'tan', 'tanh', 'asinh', 'atanh', 'onesLike', 'zerosLike', 'leakyRelu'] as const) {
  asked[name] = () => tf[name](matrix() as never)
}
for (const name of ['log', 'log1p', 'reciprocal', 'rsqrt', 'sqrt'] as const) asked[name] = () => tf[name](positive())
for (const name of ['add', 'sub', 'mul', 'div', 'maximum', 'minimum', 'squaredDifference', 'atan2', 'mod', 'equal', 'notEqual', 'greater', 'greaterEqual', 'less', 'lessEqual'] as const) {
  asked[name] = () => tf[name](matrix(), tensorOf([4], 2))
  if (name !== 'atan2') asked[`${name} of whole numbers`] = () => tf[name](whole(), tf.add(tf.abs(whole()), tf.scalar(1, 'int32')))
}
for (const name of ['sum', 'mean', 'max', 'min', 'prod'] as const) {
  asked[name] = () => tf[name](image())
  asked[`${name} over axes`] = () => tf[name](image(), [1, 2], true)
  asked[`${name} of whole numbers`] = () => tf[name](whole(), 1)
}
Object.assign(asked, {
  'pow': () => tf.pow(positive(), 1.5), 'prelu': () => tf.prelu(matrix(), tensorOf([4], 2)), 'leaky ReLU': () => tf.leakyRelu(matrix(), 0.3), 'step with a slope': () => tf.step(matrix(), 0.2),
  'clip': () => tf.clipByValue(matrix(), -0.3, 0.4), 'clip of whole numbers': () => tf.clipByValue(whole(), -2, 3), 'addN': () => tf.addN([matrix(), matrix(), matrix()]),
  'cast to whole': () => tf.cast(matrix().mul(9), 'int32'), 'cast to bool': () => tf.cast(whole(), 'bool'), 'cast of bool': () => tf.cast(yes(), 'float32'),
  'logical': () => [tf.logicalAnd(yes(), yes()), tf.logicalOr(yes(), tf.logicalNot(yes())), tf.logicalXor(yes(), tf.onesLike(yes()))], 'any and all': () => [tf.any(yes(), 0), tf.all(yes(), 1)],
  'where': () => tf.where(yes(), matrix(), tensorOf([5, 4], 8)), 'argMax and argMin': () => [tf.argMax(matrix(), 1), tf.argMin(matrix(), 0)],
  'cumsum': () => tf.cumsum(matrix(), 1, true, true), 'cumprod': () => tf.cumprod(matrix(), 0), 'topk': () => { const { values, indices } = tf.topk(matrix(), 3); return [values, indices] },
  'softmax': () => [tf.softmax(matrix()), tf.logSoftmax(matrix())], 'moments': () => { const { mean, variance } = tf.moments(image(), [0, 1, 2]); return [mean, variance] },
  'logSumExp': () => tf.logSumExp(matrix(), 1), 'norm': () => tf.norm(matrix()),
  'matMul': () => tf.matMul(matrix(), matrix(), false, true), 'matMul of batches': () => tf.matMul(tensorOf([3, 5, 4]), tensorOf([3, 4, 2], 2)), 'dot': () => tf.dot(tensorOf([4]) as tf.Tensor1D, tensorOf([4], 2) as tf.Tensor1D),
  'fused matMul': () => tf.fused.matMul({ a: matrix() as tf.Tensor2D, b: tensorOf([4, 3], 2) as tf.Tensor2D, bias: tensorOf([3], 3), activation: 'relu6' }),
  'einsum': () => tf.einsum('ij,kj->ik', matrix(), tensorOf([3, 4], 2)),
  'conv2d with margins': () => tf.conv2d(image(), tensorOf([3, 2, 4, 5], 2) as Four, 2, [[0, 0], [1, 2], [0, 1], [0, 0]]), 'conv2d, dilated': () => tf.conv2d(image(), tensorOf([3, 2, 4, 5], 2) as Four, 1, 'same', 'NHWC', 2),
  'conv2d, two strides': () => tf.conv2d(image(), tensorOf([3, 2, 4, 5], 2) as Four, [1, 2], 'valid'),
  'depthwise, two strides': () => tf.depthwiseConv2d(image(), tensorOf([3, 3, 4, 2], 2) as Four, [2, 1], 'same'), 'depthwise, dilated': () => tf.depthwiseConv2d(image(), tensorOf([3, 3, 4, 2], 2) as Four, 1, 'same', 'NHWC', [2, 2]),
  'fused conv2d': () => tf.fused.conv2d({ x: image(), filter: tensorOf([3, 3, 4, 5], 2) as Four, strides: 1, pad: 'same', bias: tensorOf([5], 3), activation: 'relu' }),
  'fused depthwise': () => tf.fused.depthwiseConv2d({ x: image(), filter: tensorOf([3, 3, 4, 1], 2) as Four, strides: 1, pad: 'same', bias: tensorOf([4], 3), activation: 'sigmoid' }),
  'conv2dTranspose': () => tf.conv2dTranspose(image(), tensorOf([3, 3, 5, 4], 2) as Four, [2, 14, 12, 5], 2, 'same'), 'separable': () => tf.separableConv2d(image(), tensorOf([3, 3, 4, 2], 2) as Four, tensorOf([1, 1, 8, 3], 3) as Four, 1, 'same'),
  'conv3d': () => tf.conv3d(tensorOf([1, 4, 5, 4, 2]) as tf.Tensor5D, tensorOf([2, 2, 2, 2, 3], 2) as tf.Tensor5D, 1, 'same'), 'pool3d': () => [tf.maxPool3d(tensorOf([1, 4, 4, 4, 2]) as tf.Tensor5D, 2, 2, 'valid'), tf.avgPool3d(tensorOf([1, 4, 4, 4, 2]) as tf.Tensor5D, 2, 2, 'valid')],
  'maxPool': () => tf.maxPool(image(), 3, 2, 'same'), 'avgPool': () => tf.avgPool(image(), 3, 2, 'same'), 'avgPool with margins': () => tf.avgPool(image(), 3, 2, 1, 'floor'), 'maxPool with margins': () => tf.maxPool(image(), 3, 2, 1, 'floor'),
  'batchNorm': () => tf.batchNorm(image(), tensorOf([4]) as tf.Tensor1D, tensorOf([4], 2).abs() as tf.Tensor1D, tensorOf([4], 3) as tf.Tensor1D, tensorOf([4], 4) as tf.Tensor1D),
  'batchNorm by images': () => tf.batchNorm(image(), tensorOf([2, 7, 6, 4], 2) as Four, tensorOf([2, 7, 6, 4], 3).abs() as Four), 'LRN': () => tf.localResponseNormalization(image(), 2),
  'reshape': () => tf.reshape(image(), [4, -1]), 'transpose': () => tf.transpose(image(), [0, 3, 1, 2]), 'expandDims and squeeze': () => [tf.expandDims(matrix(), 1), tf.squeeze(tf.expandDims(matrix(), 1))],
  'concat': () => tf.concat([matrix(), matrix(), matrix()], 1), 'stack': () => tf.stack([matrix(), matrix()], 1), 'unstack': () => tf.unstack(matrix(), 1), 'split': () => [...tf.split(matrix(), 2, 1), ...tf.split(matrix(), [1, -1, 2], 0)],
  'slice': () => tf.slice(image(), [0, 1, 2, 0], [1, 3, -1, 2]),
  'slice of the first axes': () => [tf.slice(image(), 1, 1), tf.slice(image(), [0, 2], [2, 3]), tf.slice(image(), [0, 2])],
  'stridedSlice': () => tf.stridedSlice(image(), [0, 6, 0, 0], [2, 0, 6, 4], [1, -2, 2, 1]), 'reverse': () => tf.reverse(image(), [1, -1]),
  'tile': () => tf.tile(matrix(), [2, 3]), 'pad': () => tf.pad(matrix(), [[1, 0], [2, 1]], 7), 'mirrorPad': () => [tf.mirrorPad(matrix(), [[1, 1], [2, 1]], 'reflect'), tf.mirrorPad(matrix(), [[1, 1], [2, 1]], 'symmetric')],
  'gather': () => tf.gather(image(), tf.tensor1d([5, 0, 5], 'int32'), 2), 'gatherND': () => tf.gatherND(matrix(), tf.tensor2d([[0, 1], [4, 3]], [2, 2], 'int32')), 'scatterND': () => tf.scatterND(tf.tensor2d([[1], [3]], [2, 1], 'int32'), tensorOf([2, 3]), [5, 3]),
  'oneHot': () => tf.oneHot(tf.tensor1d([1, 0, 3], 'int32'), 4, 2, -1), 'fill': () => [tf.fill([2, 3], 4), tf.fill([2, 3], 1, 'bool')], 'range': () => [tf.range(0, 9, 2), tf.range(5, 0, -1, 'int32')], 'linspace': () => tf.linspace(0, 1, 7),
  'broadcastTo': () => tf.broadcastTo(tensorOf([1, 4]), [5, 4]), 'depthToSpace': () => tf.depthToSpace(image(), 2), 'batchToSpace': () => tf.batchToSpaceND(tf.spaceToBatchND(image(), [1, 2], [[0, 0], [1, 1]]), [1, 2], [[0, 0], [0, 2]]),
  'bincount': () => tf.bincount(tf.tensor1d([1, 2, 2, 0], 'int32'), tf.tensor1d([]), 4), 'unsortedSegmentSum': () => tf.unsortedSegmentSum(matrix(), tf.tensor1d([0, 2, 0, 1, 2], 'int32'), 3),
  'resize': () => [tf.image.resizeBilinear(image(), [9, 5], false, true), tf.image.resizeBilinear(image(), [9, 5], true), tf.image.resizeNearestNeighbor(image(), [3, 9])],
  'cropAndResize': () => tf.image.cropAndResize(image(), tf.tensor2d([[0, 0, 0.5, 1], [0.2, 0.1, 1, 0.6]]), tf.tensor1d([0, 1], 'int32'), [4, 3], 'bilinear'),
  'flipLeftRight': () => tf.image.flipLeftRight(image()), 'transform': () => tf.image.transform(tf.slice(image(), [0, 0, 0, 0], [1, 7, 6, 4]), tf.tensor2d([[1, 0.1, -1, 0, 1, 1, 0, 0]]), 'bilinear', 'constant', 0.5), 'rotate': () => tf.image.rotateWithOffset(image(), 0.3),
  'complex': () => [tf.real(tf.complex(matrix(), matrix())), tf.imag(tf.fft(tf.complex(matrix(), matrix()))), tf.abs(tf.ifft(tf.complex(matrix(), matrix())))],
  'diag': () => tf.diag(tensorOf([4])), 'unique': () => { const { values, indices } = tf.unique(tf.tensor1d([3, 1, 3, 2], 'int32')); return [values, indices] },
  'empty': () => tf.concat([tf.zeros([0, 4]), matrix()], 0),
})

async function on(engine: string, work: () => tf.Tensor | tf.Tensor[]) {
  await tf.setBackend(engine)
  return tf.tidy(() => [work()].flat().map(tensor => ({ shape: tensor.shape, dtype: tensor.dtype, values: Array.from(tensor.dataSync()) })))
}

for (const [name, work] of Object.entries(asked)) {
  test(`${name} is as on the reference engine, and leaves nothing behind`, { skip: withoutTensorFlow }, async () => {
    const expected = await on('cpu', work)
    await tf.setBackend('tensorflow')
    const before = tf.backend().numDataIds(), actual = await on('tensorflow', work)
    assert.equal(tf.backend().numDataIds(), before)
    assert.deepEqual(actual.map(({ shape, dtype }) => ({ shape, dtype })), expected.map(({ shape, dtype }) => ({ shape, dtype })))
    for (const [i, { values }] of actual.entries()) assert.ok(difference(values, expected[i].values) < 1e-5, `${i}: ${difference(values, expected[i].values)}`)
  })
}

test('values come out as they went in', { skip: withoutTensorFlow }, async () => {
  await tf.setBackend('tensorflow')
  assert.deepEqual(await tf.tensor([1.5, -2]).data(), Float32Array.of(1.5, -2))
  assert.deepEqual(tf.tensor([[true], [false]]).arraySync(), [[1], [0]])
  assert.deepEqual(tf.tensor(['a', 'ü'], [2]).dataSync(), ['a', 'ü'] as never)
  assert.deepEqual(tf.zeros([0]).dataSync(), new Float32Array(0))
  assert.equal(tf.scalar(3, 'int32').arraySync(), 3)
})

test('what TensorFlow refuses is an error in one sentence, and what comes after works', { skip: withoutTensorFlow }, async () => {
  await tf.setBackend('tensorflow')
  assert.throws(() => tf.gather(tf.tensor1d([1, 2]), tf.tensor1d([7], 'int32')), (error: Error) => {
    assert.equal(error.name, 'GraftError')
    assert.match(error.message, /^TensorFlow, GatherV2: indices\[0\] = 7 is not in \[0, 2\)\.$/)
    return true
  })
  assert.deepEqual(tf.tensor1d([1, 2]).add(1).arraySync(), [2, 3])
})
