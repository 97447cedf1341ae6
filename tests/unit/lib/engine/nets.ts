import { tf } from '../../../../lib/tf.ts'
import { tensorOf } from './numbers.ts'

const { layers } = tf

/** A small net around each kind of layer that convolutional nets are made of. */
export const nets: Record<string, (x: tf.SymbolicTensor) => tf.SymbolicTensor> = {}
const image = (name: string, layer: () => tf.layers.Layer) => { nets[name] = (x) => layer().apply(x) as tf.SymbolicTensor }
for (const activation of ['relu', 'relu6', 'elu', 'selu', 'sigmoid', 'tanh', 'softplus', 'softsign', 'swish', 'mish', 'gelu', 'hardSigmoid'] as const) {
  image(activation, () => layers.activation({ activation: activation as 'relu' }))
}
image('leaky ReLU', () => layers.leakyReLU())
image('PReLU', () => layers.prelu({}))
image('ReLU with a ceiling', () => layers.reLU({ maxValue: 0.5 }))
image('max pooling', () => layers.maxPooling2d({ poolSize: 3, strides: 2, padding: 'same' }))
image('average pooling', () => layers.averagePooling2d({ poolSize: 3, strides: 2, padding: 'same' }))
image('separable convolution', () => layers.separableConv2d({ filters: 5, kernelSize: 3, depthMultiplier: 2 }))
image('dilated convolution', () => layers.conv2d({ filters: 3, kernelSize: 3, dilationRate: 2, padding: 'same' }))
image('transposed convolution', () => layers.conv2dTranspose({ filters: 3, kernelSize: 3, strides: 2, padding: 'same' }))
image('zero padding', () => layers.zeroPadding2d({ padding: [[0, 1], [2, 0]] }))
image('cropping', () => layers.cropping2D({ cropping: [[1, 0], [0, 2]] }))
image('upsampling', () => layers.upSampling2d({ size: [2, 2] }))
image('layer normalization', () => layers.layerNormalization())
image('batch normalization', () => layers.batchNormalization())
nets['concatenation and addition'] = (x) => {
  const a = layers.conv2d({ filters: 4, kernelSize: 1 }).apply(x) as tf.SymbolicTensor
  return layers.concatenate().apply([layers.add().apply([x, a]) as tf.SymbolicTensor, layers.multiply().apply([x, a]) as tf.SymbolicTensor]) as tf.SymbolicTensor
}

/**
 * The gradients of all weights of a net around one kind of layer. The reference engine's gradient of upsampling reads the first image's for
 * every image of a batch; hence one image there.
 */
export function gradientsOf(name: string): tf.Tensor[] {
  const input = tf.input({ shape: [8, 9, 3] })
  let x = layers.conv2d({ filters: 4, kernelSize: 3, padding: 'same' }).apply(input) as tf.SymbolicTensor
  x = layers.globalAveragePooling2d({}).apply(layers.conv2d({ filters: 6, kernelSize: 2 }).apply(nets[name](x))) as tf.SymbolicTensor
  const model = tf.model({ inputs: input, outputs: layers.dense({ units: 2 }).apply(x) as tf.SymbolicTensor })
  model.setWeights(model.weights.map((weight, i) => tensorOf(weight.shape as number[], i + 1).add(weight.name.includes('variance') ? 1.5 : 0)))
  const loss = () => (model.apply(tensorOf([name === 'upsampling' ? 1 : 4, 8, 9, 3]), { training: true }) as tf.Tensor).square().mean() as tf.Scalar
  const { grads } = tf.variableGrads(loss, model.trainableWeights.map((weight) => weight.read() as tf.Variable))
  return Object.values(grads)
}
