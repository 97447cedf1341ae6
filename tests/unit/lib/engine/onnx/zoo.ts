import { ELU } from '../../../../../lib/layers/elu.ts'
import { GroupNormalization } from '../../../../../lib/layers/group-normalization.ts'
import { layerScale } from '../../../../../lib/layers/layer-scale.ts'
import { normalization } from '../../../../../lib/layers/normalization.ts'
import { Resizing } from '../../../../../lib/layers/resizing.ts'
import { StandardizedConv2D } from '../../../../../lib/layers/standardized-convolution.ts'
import { Subtract } from '../../../../../lib/layers/subtract.ts'
import { tf } from '../../../../../lib/tf.ts'
import { tensorOf } from '../numbers.ts'

const { layers } = tf
type Sym = tf.SymbolicTensor
const on = (x: Sym | Sym[], ...chain: tf.layers.Layer[]) => chain.reduce<Sym | Sym[]>((y, layer) => layer.apply(y) as Sym, x) as Sym

/** Small models around every layer that ONNX can say: image [7, 9, 4] → something. */
export const zoo: Record<string, (x: Sym) => Sym> = {}
const add = (name: string, ...make: (() => tf.layers.Layer)[]) => { zoo[name] = (x) => on(x, ...make.map((each) => each())) }

for (const padding of ['same', 'valid'] as const) for (const strides of [1, 2, 3]) for (const kernelSize of [1, 2, 3]) {
  add(`conv2d ${padding} ${strides} ${kernelSize}`, () => layers.conv2d({ filters: 5, kernelSize, strides, padding }))
}
add('conv2d dilated', () => layers.conv2d({ filters: 5, kernelSize: 3, dilationRate: 2, padding: 'same' }))
add('conv2d in groups', () => Object.assign(layers.conv2d({ filters: 6, kernelSize: 3 }), { groups: 2 }))
add('conv2d with an activation', () => layers.conv2d({ filters: 5, kernelSize: [3, 2], activation: 'relu6', useBias: false }))
for (const padding of ['same', 'valid'] as const) for (const depthMultiplier of [1, 3]) {
  add(`depthwise ${padding} ${depthMultiplier}`, () => layers.depthwiseConv2d({ kernelSize: 3, strides: 2, padding, depthMultiplier }))
  add(`separable ${padding} ${depthMultiplier}`, () => layers.separableConv2d({ filters: 5, kernelSize: 3, padding, depthMultiplier, activation: 'relu' }))
}
add('depthwise dilated', () => layers.depthwiseConv2d({ kernelSize: 3, dilationRate: 2, padding: 'valid' }))
for (const padding of ['same', 'valid'] as const) for (const [kernelSize, strides] of [[3, 2], [2, 3], [4, 1]]) {
  add(`transposed ${padding} ${kernelSize} ${strides}`, () => layers.conv2dTranspose({ filters: 5, kernelSize, strides, padding }))
}
for (const [padding, outputPadding] of [['same', [0, 1]], ['valid', [1, 0]]] as const) {
  add(`transposed ${padding} with output padding`, () =>
    Object.assign(layers.conv2dTranspose({ filters: 5, kernelSize: 3, strides: 2, padding }), { outputPadding }))
}
add('normalization folded', () => layers.conv2d({ filters: 5, kernelSize: 3 }), () => layers.batchNormalization(), () => layers.reLU())
add('normalization folded into a depthwise one', () => layers.depthwiseConv2d({ kernelSize: 3 }), () => layers.batchNormalization({ scale: false }))
add('normalization after an activation', () => layers.conv2d({ filters: 5, kernelSize: 3, activation: 'relu' }), () => layers.batchNormalization())
add('normalization first', () => layers.batchNormalization({ center: false, epsilon: 0.1 }))
add('normalization of features', () => layers.globalAveragePooling2d({}), () => layers.batchNormalization())
zoo['a convolution read twice is not folded'] = (x) => {
  const y = on(x, layers.conv2d({ filters: 5, kernelSize: 3 }))
  return on([y, on(y, layers.batchNormalization())], layers.add())
}
add('fixed normalization', () => normalization(tf, { mean: [1, 2, 3, 4], variance: [0.5, 1, 2, 3] }), () => layers.conv2d({ filters: 3, kernelSize: 1 }))
add('a factor per channel', () => layers.conv2d({ filters: 5, kernelSize: 3 }), () => layerScale(tf, { projectionDim: 5 }))
for (const groups of [1, 2, -1]) add(`group normalization ${groups}`, () => layers.conv2d({ filters: 6, kernelSize: 3 }), () => new GroupNormalization({ groups, epsilon: 1e-5 }))
add('group normalization without factors', () => new GroupNormalization({ groups: 2, scale: false, center: false }))
add('standardized convolution', () => new StandardizedConv2D({ filters: 5, kernelSize: 3, strides: 2, padding: 'same' }), () => layers.batchNormalization())
for (const interpolation of ['bilinear', 'nearest'] as const) {
  add(`resizing, ${interpolation}`, () => layers.conv2d({ filters: 5, kernelSize: 1 }), () => new Resizing({ height: 5, width: 13, interpolation }))
}
add('ELU with an alpha', () => new ELU({ alpha: 0.4 }))
zoo['subtract'] = (x) => on([x, on(x, layers.conv2d({ filters: 4, kernelSize: 1 }))], new Subtract())
add('layer normalization', () => layers.layerNormalization())
for (const padding of ['same', 'valid'] as const) for (const strides of [1, 2]) {
  add(`max pooling ${padding} ${strides}`, () => layers.maxPooling2d({ poolSize: 3, strides, padding }))
  add(`average pooling ${padding} ${strides}`, () => layers.averagePooling2d({ poolSize: [2, 3], strides, padding }))
}
add('global average', () => layers.globalAveragePooling2d({}))
add('global maximum', () => layers.globalMaxPooling2d({}))
for (const activation of [
  'linear', 'relu', 'relu6', 'sigmoid', 'tanh', 'elu', 'selu', 'softplus', 'softsign', 'hardSigmoid', 'softmax', 'logSoftmax', 'swish', 'mish', 'gelu', 'gelu_new', 'exponential', 'hardSigmoid3',
  'hardSilu',
]) add(`activation ${activation}`, () => layers.conv2d({ filters: 3, kernelSize: 1 }), () => layers.activation({ activation: activation as 'relu' }))
add('ReLU with a ceiling', () => layers.reLU({ maxValue: 0.5 }))
add('leaky ReLU', () => layers.leakyReLU({ alpha: 0.2 }))
add('ELU', () => layers.elu())
add('thresholded ReLU', () => layers.thresholdedReLU({ theta: 0.3 }))
add('PReLU', () => layers.prelu({}))
add('softmax of features', () => layers.globalAveragePooling2d({}), () => layers.softmax({}))
for (const [name, layer] of Object.entries({
  add: () => layers.add(), multiply: () => layers.multiply(), average: () => layers.average(), maximum: () => layers.maximum(), minimum: () => layers.minimum(),
  concatenate: () => layers.concatenate(), 'concatenate rows': () => layers.concatenate({ axis: 1 }),
})) zoo[name] = (x) => on([x, on(x, layers.conv2d({ filters: 4, kernelSize: 1 })), x], layer())
zoo['squeeze and excitation'] = (x) => on([x, on(x, layers.globalAveragePooling2d({}), layers.reshape({ targetShape: [1, 1, 4] }),
  layers.conv2d({ filters: 4, kernelSize: 1, activation: 'sigmoid' }))], layers.multiply())
add('flatten after a convolution', () => layers.conv2d({ filters: 5, kernelSize: 3 }), () => layers.flatten(), () => layers.dense({ units: 6 }))
add('reshape', () => layers.conv2d({ filters: 6, kernelSize: 1 }), () => layers.reshape({ targetShape: [21, 18] }))
add('permute', () => layers.conv2d({ filters: 6, kernelSize: 1 }), () => layers.permute({ dims: [3, 1, 2] }))
add('dense on pixels', () => layers.conv2d({ filters: 6, kernelSize: 1 }), () => layers.dense({ units: 3, activation: 'tanh' }))
add('dense without bias', () => layers.flatten(), () => layers.dense({ units: 3, useBias: false, activation: 'softmax' }))
add('zero padding', () => layers.zeroPadding2d({ padding: [[0, 1], [2, 3]] }))
for (const [name, pool] of Object.entries({ max: layers.maxPooling2d, average: layers.averagePooling2d })) {
  add(`zeros around ${name} pooling count`, () => layers.conv2d({ filters: 5, kernelSize: 1 }), () => layers.zeroPadding2d({ padding: 1 }), () => pool({ poolSize: 3, strides: 2 }))
}
add('cropping', () => layers.cropping2D({ cropping: [[1, 0], [2, 3]] }))
add('upsampling', () => layers.upSampling2d({ size: [2, 3] }))
add('upsampling, bilinear', () => layers.upSampling2d({ size: [2, 2], interpolation: 'bilinear' }))
add('dropout', () => layers.dropout({ rate: 0.5 }), () => layers.gaussianNoise({ stddev: 1 }))
zoo['a model in a model'] = (x) => {
  const inner = tf.input({ shape: [null, null, 4] as unknown as number[] })
  const trunk = tf.model({ inputs: inner, outputs: on(inner, layers.conv2d({ filters: 5, kernelSize: 3, strides: 2, padding: 'same' }), layers.batchNormalization()) })
  return on(x, trunk, layers.globalAveragePooling2d({}))
}

/** One of them, with weights that are the same in every run. */
export function modelOf(name: string): tf.LayersModel {
  const input = tf.input({ shape: [7, 9, 4] }), model = tf.model({ inputs: input, outputs: zoo[name](input) })
  model.setWeights(model.weights.map((weight, i) => tensorOf(weight.shape as number[], i + 1).add(weight.originalName.includes('variance') ? 1.5 : 0)))
  return model
}
