import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs'
import { setCard } from '../../../../lib/card.ts'
import { tensorFlowOp } from '../../../../lib/layers/tensorflow-op.ts'
import { tf } from '../../../../lib/tf.ts'
import { GroupedOptimizer } from '../../../../lib/train/optimizers.ts'
import { ratesOf } from '../../../../lib/train/rates.ts'
import { setRun } from '../../../../lib/train/run.ts'
import { Prediction, Predictions } from '../../../../lib/train/prediction.ts'
import type { RunView } from '../../../../lib/show/run-view.ts'

type Layer = LayersModel['layers'][number]

const through = (x: SymbolicTensor, ...stack: Layer[]) => stack.reduce((at, layer) => layer.apply(at) as SymbolicTensor, x)

/** A trunk in the manner of MobileNetV2, thin, with blocks told by their names. */
export function trunk(blocks = 6): LayersModel {
  const image = tf.input({ shape: [32, 32, 3], name: 'image' })
  const conv = (name: string, filters: number, strides = 1) => [
    tf.layers.conv2d({ filters, kernelSize: 1, strides, useBias: false, name }),
    tf.layers.batchNormalization({ name: `${name}_BN` }),
    tf.layers.reLU({ name: `${name}_relu` }),
  ]
  let x = through(image, ...conv('Conv1', 8, 2))
  for (let i = 1; i <= blocks; i++) {
    const inside = through(
      x,
      ...conv(`block_${i}_expand`, 16),
      tf.layers.conv2d({ filters: 8, kernelSize: 1, useBias: false, name: `block_${i}_project` }),
    )
    x = tf.layers.add({ name: `block_${i}_add` }).apply([x, inside]) as SymbolicTensor
  }
  x = through(x, tf.layers.globalAveragePooling2d({ name: 'pool' }))
  const model = tf.model({ inputs: image, outputs: x, name: 'thin_mobilenet' })
  setCard(model, { size: [32, 32], range: [0, 1], handle: 'models/thin_mobilenet' })
  return model
}

/** The same, frozen, with a head for ten classes. */
export function customized(): LayersModel {
  const base = trunk()
  for (const layer of base.layers) layer.trainable = false
  const outputs = through(
    base.outputs[0],
    tf.layers.dropout({ rate: 0.2, name: 'dropout' }),
    tf.layers.dense({ units: 10, activation: 'softmax', name: 'digits' }),
  )
  const model = tf.model({ inputs: base.inputs, outputs, name: 'custom_mobilenet' })
  setCard(model, {
    size: [32, 32],
    range: [0, 1],
    handle: 'models/thin_mobilenet',
    classes: [...'0123456789'],
    trunk: base.layers.map(layer => layer.name),
  })
  return model
}

/** Branches without telling names, as in Inception: folded by the paths of the network. */
export function branched(modules = 4): LayersModel {
  const image = tf.input({ shape: [16, 16, 4], name: 'image' })
  let x: SymbolicTensor = image
  for (let i = 0; i < modules; i++) {
    const branch = (k: number) =>
      through(
        x,
        tf.layers.conv2d({ filters: 2, kernelSize: 1, name: `conv2d_${3 * i + k}` }),
        tf.layers.reLU({ name: `relu_${3 * i + k}` }),
      )
    x = tf.layers.concatenate({ name: `mixed${i}` }).apply([branch(0), branch(1), branch(2)]) as SymbolicTensor
  }
  return tf.model({ inputs: image, outputs: x, name: 'thin_inception' })
}

/** Layers that TensorFlow.js alone would compute or train otherwise than Keras, and one that no Keras layer stands for. */
export function marked(): LayersModel {
  const operation = { name: 'operation_0', op: 'Asinh', attributes: { T: { type: 'DT_FLOAT' } }, inputs: ['operand_0'] }
  return tf.sequential({
    name: 'marked',
    layers: [
      tf.layers.conv2d({ inputShape: [16, 16, 4], filters: 4, kernelSize: 3, padding: 'same', name: 'plain' }),
      tf.layers.depthwiseConv2d({ kernelSize: 3, dilationRate: 2, padding: 'same', name: 'dilated' }),
      tf.layers.batchNormalization({ scale: false, name: 'norm' }),
      tensorFlowOp(tf, { name: 'asinh', operations: [operation], operands: [{ from: 'input' }], results: ['operation_0'] }),
      tf.layers.averagePooling2d({ poolSize: 2, padding: 'same', name: 'pool' }),
      tf.layers.upSampling2d({ interpolation: 'bilinear', name: 'up' }),
      tf.layers.globalMaxPooling2d({ name: 'most' }),
    ],
  })
}

/** The customized sample after a training whose trunk learned slowly in part. */
export function trained(): LayersModel {
  const model = customized()
  for (const name of ['block_6_expand', 'block_6_project']) model.getLayer(name).trainable = true
  const learningRate = { trunk: 1e-4, decay: 0.5, head: 1e-2 }
  const optimizer = Object.assign(new GroupedOptimizer('adam', ratesOf(model, learningRate)), { learningRate })
  model.compile({ optimizer, loss: 'categoricalCrossentropy' })
  setRun(model, { moved: { block_6_expand: 0.0123, block_6_project: 0.00456, digits: 0.789 } })
  return model
}

/** 900 layers after a training that reached them all. */
export function longTrained(): LayersModel {
  const model = trunk(179)
  setRun(model, { learningRate: { trunk: 1e-5, head: 1e-3, decay: 0.9 }, moved: Object.fromEntries(model.layers.map(({ name }) => [name, 0.123])) })
  return model
}

const fall = (from: number, to: number, n: number) => Array.from({ length: n }, (_, i) => to + (from - to) * Math.exp(-i / 2.2))

/** A finished run of ten epochs. */
export const finishedRun = (): RunView => ({
  epochs: 10,
  seconds: 12.34,
  engine: 'WASM SIMD',
  trunkForwards: 160,
  batch: 32,
  images: { train: 128, validation: 32 },
  bestEpoch: 9,
  finished: true,
  stopped: null,
  learningRate: 1e-3,
  rates: Array.from({ length: 10 }, () => 1e-3),
  history: {
    loss: fall(2.3, 0.12, 10),
    accuracy: fall(0.1, 0.97, 10),
    valLoss: [...fall(2.4, 0.4, 9), 0.47],
    valAccuracy: fall(0.1, 0.9, 10),
  },
})

/** The same while its fifth epoch runs. */
export function runningRun(): RunView {
  const run = finishedRun()
  const history = Object.fromEntries(
    Object.entries(run.history).map(([name, values]) => [name, values!.slice(0, 4)]),
  ) as RunView['history']
  return { ...run, history, rates: run.rates!.slice(0, 4), finished: false, bestEpoch: 4, seconds: 4.9, secondsLeft: 7.4, batchLosses: [0.9, 0.8, 0.85] }
}

/** A run with a schedule, rates by group, and a trunk that learns from the fourth epoch on. */
export const scheduledRun = (): RunView => ({
  ...finishedRun(),
  learningRate: { trunk: 1e-5, head: 1e-2 },
  rates: Array.from({ length: 10 }, (_, i) => 0.005 * (1.02 + Math.cos((Math.PI * (i + 1)) / 10))),
  unfrozen: { epoch: 4, layers: 5 },
  notes: ['Overfitting since epoch 9: the validation loss rises while the training loss falls. What helps: more images.'],
})

/** Forty predictions for digits; every sixth is wrong. Their pictures are plain colours. */
export function predictions(count = 40): Predictions {
  const classes = ['zero', 'one', 'two', 'three']
  const all = new Predictions()
  for (let i = 0; i < count; i++) {
    const truth = i % 4
    const said = i % 6 === 5 ? (truth + 1) % 4 : truth
    const sure = 0.55 + (i % 7) * 0.05
    const scores = classes.map((label, k) => ({ label, probability: k === said ? sure : (1 - sure) / 3 }))
    const data = new Uint8Array(12 * 12 * 3).fill(40 + 20 * (i % 10))
    all.push(
      new Prediction(scores, `digits/test/${classes[truth]}/font-${i}.png`, classes[truth], async () => ({
        data,
        width: 12,
        height: 12,
        channels: 3,
      })),
    )
  }
  return all
}
