import { tf } from '../../lib/tf.ts'

/** Output channels, expansion, stride of MobileNetV2's seventeen blocks (Sandler et al., 2018, table 2). */
const blocks: [filters: number, expansion: number, stride: number][] = [
  [16, 1, 1], [24, 6, 2], [24, 6, 1], [32, 6, 2], [32, 6, 1], [32, 6, 1], [64, 6, 2], [64, 6, 1], [64, 6, 1], [64, 6, 1],
  [96, 6, 1], [96, 6, 1], [96, 6, 1], [160, 6, 2], [160, 6, 1], [160, 6, 1], [320, 6, 1],
]

const divisibleBy8 = (channels: number) => Math.max(8, Math.floor((channels + 4) / 8) * 8)

/**
 * MobileNetV2 without its classifier, with Keras's layers and names and random weights: image [size, size, 3] → 1280·width features.
 *
 * @param size side of the square image, in pixels
 * @param width multiplies the channels ("alpha")
 */
export function mobileNetV2(size: number, width = 1, seed = 1): tf.LayersModel {
  let draws = seed
  const kernelInitializer = () => tf.initializers.heNormal({ seed: draws++ })
  const conv = (x: tf.SymbolicTensor, name: string, filters: number, kernelSize = 1, strides = 1) => tf.layers.conv2d({
    name, filters, kernelSize, strides, padding: 'same', useBias: false, kernelInitializer: kernelInitializer(),
  }).apply(x) as tf.SymbolicTensor
  const normalize = (x: tf.SymbolicTensor, name: string) =>
    tf.layers.batchNormalization({ name, epsilon: 1e-3, momentum: 0.999 }).apply(x) as tf.SymbolicTensor
  const relu6 = (x: tf.SymbolicTensor, name: string) => tf.layers.reLU({ name, maxValue: 6 }).apply(x) as tf.SymbolicTensor

  const input = tf.input({ shape: [size, size, 3] })
  let x = relu6(normalize(conv(input, 'Conv1', divisibleBy8(32 * width), 3, 2), 'bn_Conv1'), 'Conv1_relu')
  blocks.forEach(([filters, expansion, stride], i) => {
    const name = i === 0 ? 'expanded_conv' : `block_${i}`, before = x, channels = x.shape[3]!
    if (expansion > 1) {
      x = relu6(normalize(conv(x, `${name}_expand`, channels * expansion), `${name}_expand_BN`), `${name}_expand_relu`)
    }
    if (stride === 2) {
      const even = x.shape[1]! % 2 === 0 ? 0 : 1
      x = tf.layers.zeroPadding2d({ name: `${name}_pad`, padding: [[even, 1], [even, 1]] }).apply(x) as tf.SymbolicTensor
    }
    x = tf.layers.depthwiseConv2d({
      name: `${name}_depthwise`, kernelSize: 3, strides: stride, padding: stride === 2 ? 'valid' : 'same', useBias: false,
      depthwiseInitializer: kernelInitializer(),
    }).apply(x) as tf.SymbolicTensor
    x = relu6(normalize(x, `${name}_depthwise_BN`), `${name}_depthwise_relu`)
    x = normalize(conv(x, `${name}_project`, divisibleBy8(filters * width)), `${name}_project_BN`)
    if (stride === 1 && channels === x.shape[3]) x = tf.layers.add({ name: `${name}_add` }).apply([before, x]) as tf.SymbolicTensor
  })
  x = relu6(normalize(conv(x, 'Conv_1', Math.max(1280, divisibleBy8(1280 * width))), 'Conv_1_bn'), 'out_relu')
  x = tf.layers.globalAveragePooling2d({ name: 'global_average_pooling2d' }).apply(x) as tf.SymbolicTensor
  return tf.model({ inputs: input, outputs: x, name: 'mobilenetv2' })
}
