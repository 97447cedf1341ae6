import { tensorFlowOp, type Operand } from '../../../lib/layers/tensorflow-op.ts'
import { tf } from '../../../lib/tf.ts'

const L = tf.layers
type T = ReturnType<typeof tf.input>

/**
 * A small convolutional net in the manner of MobileNetV2: inverted residuals with BatchNormalization, ReLU6 and depthwise
 * convolutions.
 */
export function mobileNet(size = 32, classes = 10): ReturnType<typeof tf.model> {
  const call = (layer: tf.layers.Layer, x: T | T[]) => layer.apply(x) as T
  const norm = (x: T) => call(L.batchNormalization({ epsilon: 0.001, momentum: 0.997 }), x)
  const relu6 = (x: T) => call(L.reLU({ maxValue: 6 }), x)
  const convolution = (x: T, filters: number, kernelSize: number, strides = 1) =>
    norm(call(L.conv2d({ filters, kernelSize, strides, padding: 'same', useBias: false }), x))
  const block = (x: T, filters: number, strides: number) => {
    let y = relu6(convolution(x, x.shape[3]! * 4, 1))
    if (strides === 2)
      y = call(
        L.zeroPadding2d({
          padding: [
            [0, 1],
            [0, 1],
          ],
        }),
        y,
      )
    y = relu6(
      norm(call(L.depthwiseConv2d({ kernelSize: 3, strides, padding: strides === 2 ? 'valid' : 'same', useBias: false }), y)),
    )
    y = convolution(y, filters, 1)
    return filters === x.shape[3] && strides === 1 ? call(L.add(), [x, y]) : y
  }
  const input = tf.input({ shape: [size, size, 3] })
  let x = relu6(convolution(input, 8, 3, 2))
  for (const [filters, strides] of [
    [8, 1],
    [12, 2],
    [12, 1],
    [16, 2],
  ])
    x = block(x, filters, strides)
  x = call(L.globalAveragePooling2d({}), relu6(convolution(x, 32, 1)))
  x = call(L.dropout({ rate: 0.2 }), x)
  return scatter(tf.model({ inputs: input, outputs: call(L.dense({ units: classes, activation: 'softmax' }), x) }))
}

/** Gives all weights values that make every one of them matter. */
export function scatter<M extends tf.LayersModel>(model: M, seed = 1): M {
  for (const layer of model.layers) {
    const values = layer.weights.map((weight, i) => {
      const shape = weight.shape as number[]
      if (/moving_variance|gamma|variance/.test(weight.name)) return tf.randomUniform(shape, 0.5, 1.5, 'float32', seed + i)
      const inputs = shape.slice(0, -1).reduce((a, b) => a * b, 1)
      return tf.randomNormal(shape, 0, shape.length > 1 ? 1 / Math.sqrt(inputs) : 0.2, 'float32', seed + i)
    })
    layer.setWeights(values)
    tf.dispose(values)
    seed += 10
  }
  return model
}

const chain = (shape: number[], ...layers: tf.layers.Layer[]) => {
  const input = tf.input({ shape })
  return tf.model({ inputs: input, outputs: layers.reduce((x, layer) => layer.apply(x) as T, input) })
}
const image = [8, 8, 3],
  sequence = [6, 4]
const recurrent = { units: 5, recurrentActivation: 'sigmoid' as const }

/** A layer of a class that TensorFlow.js exports no function for. */
function from(className: string, config: object): tf.layers.Layer {
  const [Class, fromConfig] = tf.serialization.SerializationMap.getMap().classNameMap[className] as unknown as [
    unknown,
    (of: unknown, config: object) => tf.layers.Layer,
  ]
  return fromConfig(Class, config)
}

/** One model per layer, and models of the shapes a graph can take; a fresh one at each call. */
export const zoo: Record<string, () => tf.LayersModel> = {
  mobilenet: () => mobileNet(),
  frozen: () => {
    const model = mobileNet()
    for (const layer of model.layers.slice(0, -1)) layer.trainable = false
    return model
  },
  sequential: () =>
    scatter(
      tf.sequential({
        layers: [
          L.conv2d({ inputShape: image, filters: 4, kernelSize: 3, activation: 'relu' }),
          L.flatten(),
          L.dense({ units: 3, activation: 'softmax' }),
        ],
      }),
    ),
  branches: () => {
    const a = tf.input({ shape: [4], name: 'left' }),
      b = tf.input({ shape: [4], name: 'right' })
    const shared = L.dense({ units: 5, activation: 'tanh' })
    const x = shared.apply(a) as T,
      y = shared.apply(b) as T,
      z = shared.apply(L.dense({ units: 4 }).apply(x)) as T
    const joined = L.concatenate().apply([L.multiply().apply([x, y]) as T, z, L.average().apply([x, y]) as T])
    return scatter(
      tf.model({
        inputs: [a, b],
        outputs: [
          L.dense({ units: 3, activation: 'softmax', name: 'first' }).apply(joined) as T,
          L.dense({ units: 1, name: 'second' }).apply(z) as T,
        ],
      }),
    )
  },
  nested: () => {
    const inner = tf.sequential({
      layers: [L.conv2d({ inputShape: [8, 8, 4], filters: 4, kernelSize: 3, padding: 'same' }), L.batchNormalization()],
      name: 'inner',
    })
    inner.layers[0].trainable = false
    const start = tf.input({ shape: [8, 8, 4] }),
      scaled = L.batchNormalization().apply(L.conv2d({ filters: 4, kernelSize: 1 }).apply(start)) as T
    const graph = tf.model({ inputs: start, outputs: L.reLU({ maxValue: 6 }).apply(scaled) as T, name: 'graph' })
    graph.trainable = false
    const top = tf.input({ shape: image }),
      x = graph.apply(inner.apply(L.conv2d({ filters: 4, kernelSize: 3, padding: 'same' }).apply(top))) as T
    const twice = L.add().apply([x, graph.apply(x) as T])
    return scatter(
      tf.model({ inputs: top, outputs: L.dense({ units: 3 }).apply(L.globalAveragePooling2d({}).apply(twice)) as T }),
    )
  },
  nestedEnd: () => {
    const start = tf.input({ shape: image }),
      graph = tf.model({ inputs: start, outputs: L.conv2d({ filters: 4, kernelSize: 1 }).apply(start) as T, name: 'graph' })
    const inner = tf.sequential({ layers: [L.conv2d({ inputShape: [8, 8, 4], filters: 4, kernelSize: 3 })], name: 'inner' })
    return scatter(tf.sequential({ layers: [graph, inner] }))
  },
  nestedOutput: () => {
    const top = tf.input({ shape: image }),
      start = tf.input({ shape: image })
    const graph = tf.model({ inputs: start, outputs: L.conv2d({ filters: 4, kernelSize: 1 }).apply(start) as T, name: 'graph' })
    const inner = tf.sequential({ layers: [L.conv2d({ inputShape: [8, 8, 4], filters: 4, kernelSize: 3 })], name: 'inner' })
    const x = graph.apply(top) as T
    return scatter(tf.model({ inputs: top, outputs: [x, inner.apply(x) as T] }))
  },
  slashes: () => scatter(chain([4], L.dense({ units: 3, name: 'block/one/dense' }), L.dense({ units: 2, name: 'block/two' }))),
  regularized: () =>
    scatter(
      chain(
        [4],
        L.dense({
          units: 3,
          kernelRegularizer: tf.regularizers.l1l2({ l1: 0.01, l2: 0.02 }),
          biasRegularizer: tf.regularizers.l2(),
          kernelConstraint: tf.constraints.maxNorm({ maxValue: 2 }),
          kernelInitializer: tf.initializers.heNormal({}),
          biasInitializer: tf.initializers.constant({ value: 0.5 }),
        }),
      ),
    ),
  conv1d: () => scatter(chain(sequence, L.conv1d({ filters: 3, kernelSize: 3, dilationRate: 2 }))),
  conv2d: () =>
    scatter(chain(image, L.conv2d({ filters: 4, kernelSize: [3, 5], strides: [2, 1], padding: 'same', activation: 'elu' }))),
  dilated: () => scatter(chain(image, L.conv2d({ filters: 4, kernelSize: 3, dilationRate: 2 }))),
  conv3d: () => scatter(chain([5, 5, 5, 2], L.conv3d({ filters: 3, kernelSize: 2 }))),
  conv2dTranspose: () => scatter(chain(image, L.conv2dTranspose({ filters: 4, kernelSize: 3, strides: 2, padding: 'same' }))),
  outputPadding: () =>
    scatter(chain(image, Object.assign(L.conv2dTranspose({ filters: 4, kernelSize: 3, strides: 2, padding: 'same' }),
      { outputPadding: [0, 1] }), Object.assign(L.conv2dTranspose({ filters: 2, kernelSize: 2, strides: 3 }),
      { outputPadding: [1, 0] }))),
  depthwise: () =>
    scatter(chain(image, L.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, strides: 2, activation: 'relu6' }))),
  separable: () =>
    scatter(chain(image, L.separableConv2d({ filters: 5, kernelSize: 3, depthMultiplier: 2, activation: 'selu' }))),
  batchNormalization: () =>
    scatter(chain(image, L.batchNormalization({ scale: false }), L.batchNormalization({ center: false, epsilon: 0.01 }))),
  layerNormalization: () => scatter(chain(image, L.layerNormalization({}))),
  relu: () => chain(image, L.reLU({ maxValue: 1 })),
  leakyRelu: () => chain(image, L.leakyReLU({ alpha: 0.17 })),
  elu: () => chain(image, L.elu()),
  prelu: () => scatter(chain(image, L.prelu({ sharedAxes: [1, 2] }))),
  softmax: () => chain(image, L.softmax({ axis: -1 })),
  ...Object.fromEntries(
    ['linear', 'relu', 'relu6', 'elu', 'selu', 'sigmoid', 'tanh', 'softmax', 'softplus', 'softsign', 'swish', 'gelu', 'mish'].map(
      name => [`activation_${name}`, () => chain(image, L.activation({ activation: name as 'relu' }))],
    ),
  ),
  noise: () =>
    chain(
      image,
      L.gaussianNoise({ stddev: 1 }),
      L.gaussianDropout({ rate: 0.5 }),
      L.alphaDropout({ rate: 0.5 }),
      L.dropout({ rate: 0.5 }),
    ),
  maxPooling: () => chain(image, L.maxPooling2d({ poolSize: 3, strides: 2, padding: 'same' })),
  averagePooling: () => chain(image, L.averagePooling2d({ poolSize: 3, strides: 2, padding: 'same' })),
  pooling1d: () => chain(sequence, L.maxPooling1d({}), L.averagePooling1d({ poolSize: 2 })),
  globalMax: () => chain(image, L.globalMaxPooling2d({})),
  global1d: () => chain(sequence, L.globalAveragePooling1d({})),
  globalMax1d: () => chain(sequence, L.globalMaxPooling1d({})),
  padding: () =>
    chain(
      image,
      L.zeroPadding2d({
        padding: [
          [1, 2],
          [3, 0],
        ],
      }),
      L.cropping2D({
        cropping: [
          [1, 0],
          [2, 1],
        ],
      }),
    ),
  upSampling: () => chain(image, L.upSampling2d({ size: [2, 3] })),
  reshape: () =>
    chain(image, L.reshape({ targetShape: [4, -1] }), L.permute({ dims: [2, 1] }), L.flatten(), L.repeatVector({ n: 2 })),
  rescaling: () => chain(image, L.rescaling({ scale: 2, offset: -1 })),
  bilinear: () => chain(image, L.upSampling2d({ size: [2, 2], interpolation: 'bilinear' }),
    from('Resizing', { height: 5, width: 7 })),
  variants: () =>
    scatter(
      chain(
        image,
        from('ReLU', { maxValue: 1, negativeSlope: 0.25, threshold: 0.5 }),
        from('ELU', { alpha: 0.4 }),
        from('SpatialDropout2D', { rate: 0.3 }),
        from('Conv2D', { filters: 6, kernelSize: 3, groups: 3 }),
        from('GroupNormalization', { groups: 3 }),
        from('GlobalAveragePooling2D', { keepdims: true }),
        L.conv2d({ filters: 4, kernelSize: 1 }),
        from('GlobalMaxPooling2D', { keepdims: true }),
      ),
    ),
  preprocessing: () =>
    scatter(
      chain(
        image,
        from('Rescaling', { scale: [0.5, 0.25, 0.125], offset: [1, 2, 3] }),
        from('Normalization', { mean: [1, 2, 3], variance: [4, 5, 6] }),
        from('AdaptedNormalization', {}),
        from('KerasAugmentation', { keras: { name: '{"className":"RandomFlip","config":{"mode":"horizontal"}}' } }),
      ),
    ),
  attention: () => {
    const x = tf.input({ shape: [6, 8] }), attended = from('MultiHeadAttention', { numHeads: 2, keyDim: 4 }).apply([x, x]) as T
    const sum = L.add().apply([x, attended]) as T, y = from('Attention', { useScale: true }).apply([sum, x]) as T
    const z = from('AdditiveAttention', {}).apply([y, x, sum]) as T
    const spread = { equation: 'abc,cde->abde', outputShape: [null, 2, 3], biasAxes: 'de', activation: 'relu' }
    return scatter(tf.model({ inputs: x, outputs: from('EinsumDense', spread).apply(z) as T }))
  },
  cells: () => {
    const x = tf.input({ shape: [6, 8] }), counted = L.masking({ maskValue: 0 }).apply(x) as T
    const y = L.rnn({ cell: L.lstmCell({ units: 3, recurrentActivation: 'sigmoid' }), returnSequences: true }).apply(counted) as T
    return scatter(tf.model({ inputs: x, outputs: L.rnn({ cell: L.simpleRNNCell({ units: 2 }) }).apply(y) as T }))
  },
  subtract: () => {
    const input = tf.input({ shape: [4] })
    return scatter(tf.model({ inputs: input, outputs: from('Subtract',
      {}).apply([L.dense({ units: 4 }).apply(input) as T, input]) as T }))
  },
  merges: () => {
    const input = tf.input({ shape: [4] }),
      x = L.dense({ units: 4 }).apply(input) as T
    return scatter(
      tf.model({
        inputs: input,
        outputs: L.dot({ axes: 1, normalize: true }).apply([
          L.maximum().apply([input, x]) as T,
          L.minimum().apply([input, x]) as T,
        ]) as T,
      }),
    )
  },
  embedding: () => scatter(chain([6], L.embedding({ inputDim: 9, outputDim: 4 }), L.flatten())),
  masking: () => scatter(chain(sequence, L.masking({ maskValue: 0 }), L.lstm(recurrent))),
  simpleRnn: () => scatter(chain(sequence, L.simpleRNN({ units: 5 }))),
  gru: () => scatter(chain(sequence, L.gru({ ...recurrent, returnSequences: true }))),
  lstm: () => scatter(chain(sequence, L.lstm({ ...recurrent, goBackwards: true }))),
  bidirectional: () => scatter(chain(sequence, L.bidirectional({ layer: L.lstm(recurrent) as never, mergeMode: 'concat' }))),
  timeDistributed: () => scatter(chain(sequence, L.timeDistributed({ layer: L.dense({ units: 3 }) }))),
  convLstm: () =>
    scatter(chain([4, 6, 6, 2], L.convLstm2d({ filters: 3, kernelSize: 3, recurrentActivation: 'sigmoid' }) as never)),
}

/** Models with layers that Keras lacks, which `graft_layers.py` defines. */
export const custom: Record<string, () => tf.LayersModel> = {
  standardized: () => scatter(chain(image, from('StandardizedConv2D',
    { filters: 6, kernelSize: 3, strides: 2, padding: 'same' }), L.globalAveragePooling2d({}))),
  layerScale: () => scatter(chain(image, from('LayerScale', { projectionDim: 3 }), L.conv2d({ filters: 2, kernelSize: 3 }))),
  customScale: () => {
    const input = tf.input({ shape: image }), inner = L.conv2d({ filters: 3, kernelSize: 1 }).apply(input) as T
    return scatter(tf.model({ inputs: input, outputs: from('CustomScaleLayer', { scale: 0.17 }).apply([input, inner]) as T }))
  },
  operations: () => {
    const type = { T: { type: 'DT_FLOAT' } }
    const op = (op: string, attributes: object, ...operands: Operand[]) => tensorFlowOp(tf, {
      operations: [{ name: 'result', op, attributes: attributes as never, inputs: operands.map((_, i) => `operand_${i}`) }],
      operands, results: ['result'],
    })
    const constant = (values: number[], shape: number[], dtype: 'int32' | 'float32' = 'int32'): Operand =>
      ({ from: 'constant', values, shape, dtype })
    return scatter(chain(
      image,
      op('Mul', type, { from: 'input' }, { from: 'weight', shape: [8, 8, 3], trainable: true }),
      op('Mean', { ...type, Tidx: { type: 'DT_INT32' }, keep_dims: { b: true } }, { from: 'input' }, constant([1, 2], [2])),
      op('Pow', type, { from: 'input' }, constant([2], [], 'float32')),
      L.flatten(), L.dense({ units: 3, activation: 'softmax' }),
    ))
  },
}

/** Inputs for a model: small whole numbers for an embedding, else normal noise with some zeros. */
export function inputsFor(model: tf.LayersModel, count = 3): tf.Tensor[] {
  return model.inputs.map((input, i) => {
    const shape = [count, ...(input.shape.slice(1) as number[])]
    if (model.layers.some(layer => layer.getClassName() === 'Embedding'))
      return tf.tensor(
        Float32Array.from({ length: shape[0] * shape[1] }, (_, j) => j % 9),
        shape,
      )
    const noise = tf.randomNormal(shape, 0, 1, 'float32', 7 + i)
    return shape.length === 3 ? tf.mul(noise, tf.tensor([1, 1, 0]).reshape([3, 1, 1])) : noise
  })
}

/** The model's outputs for `inputs`, as arrays. */
export async function outputsOf(model: tf.LayersModel, inputs: tf.Tensor[]): Promise<Float32Array[]> {
  const outputs = [model.predict(inputs)].flat() as tf.Tensor[]
  return Promise.all(outputs.map(async output => Float32Array.from(await output.data())))
}
