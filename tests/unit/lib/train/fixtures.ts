import { tensors } from '../../../../lib/data/tensors.ts'
import type { ImageData } from '../../../../lib/data/images.ts'
import { randomFrom } from '../../../../lib/data/random.ts'
import { installHost, type MimeBundle } from '../../../../lib/host.ts'
import { tf } from '../../../../lib/tf.ts'

/** Small noisy images whose class is the colour that is strongest. */
export async function colours(count = 48, side = 12, validation?: number): Promise<ImageData> {
  const random = randomFrom('colours'), labels = Array.from({ length: count }, (_, i) => i % 3)
  const values = labels.flatMap(label => Array.from({ length: side * side * 3 }, (_, i) => random() * 0.6 +
    (i % 3 === label ? 0.4 : 0)))
  const x = tf.tensor4d(values, [count, side, side, 3])
  const data = await tensors(x, labels, { classes: ['red', 'green', 'blue'], validation, batch: 16 })
  x.dispose()
  return data
}

/** A trunk as hub models have it: convolution, batch normalization, ReLU6, depthwise convolution, pooling. */
export function trunk(side = 12, seed = 3): tf.LayersModel {
  const kernelInitializer = tf.initializers.heNormal({ seed })
  const input = tf.input({ shape: [side, side, 3], name: 'image' })
  let x = tf.layers.conv2d({ filters: 8, kernelSize: 3, useBias: false, kernelInitializer,
    name: 'conv' }).apply(input) as tf.SymbolicTensor
  x = tf.layers.batchNormalization({ name: 'conv_bn' }).apply(x) as tf.SymbolicTensor
  x = tf.layers.reLU({ maxValue: 6, name: 'conv_relu' }).apply(x) as tf.SymbolicTensor
  x = tf.layers.depthwiseConv2d({ kernelSize: 3, depthwiseInitializer: kernelInitializer,
    name: 'depthwise' }).apply(x) as tf.SymbolicTensor
  x = tf.layers.globalAveragePooling2d({ name: 'pool' }).apply(x) as tf.SymbolicTensor
  return tf.model({ inputs: input, outputs: x, name: 'trunk' })
}

/** A host that remembers what was shown and can be interrupted. */
export function recordingHost() {
  const shown: { id: string | undefined, bundle: MimeBundle, update: boolean }[] = []
  let controller = new AbortController()
  installHost({
    display: (bundle, id) => { shown.push({ id, bundle, update: false }) },
    update: (id, bundle) => { shown.push({ id, bundle, update: true }) },
    comm: () => null,
    typeOf() {},
    get signal() { return controller.signal },
  })
  const nextCell = () => { controller = new AbortController() }
  return { shown, nextCell, interrupt() { controller.abort(); nextCell() } }
}

/** All weights of a model, layer by layer. */
export const weightsOf = (model: tf.LayersModel): number[][] =>
  model.layers.flatMap(layer => layer.getWeights().map(weight => Array.from(weight.dataSync())))
