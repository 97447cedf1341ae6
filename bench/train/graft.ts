import { frozenPrefix } from '../../lib/engine/prefix.ts'
import { tf } from '../../lib/tf.ts'
import { mobileNetV2 } from './mobilenet.ts'

const classes = 10, batch = 8

interface Steps { step(): Promise<void> }
const warm = new Map<string, Steps>()

function build(size: number, trainable: boolean): tf.LayersModel {
  const base = mobileNetV2(size)
  base.trainable = trainable
  const outputs = tf.layers.dense({ units: classes, activation: 'softmax' }).apply(base.outputs[0]) as tf.SymbolicTensor
  return tf.model({ inputs: base.inputs, outputs })
}

const compile = (model: tf.LayersModel) => model.compile({ optimizer: 'adam', loss: 'categoricalCrossentropy' })

function data(count: number, size: number): { pixels: Float32Array, y: tf.Tensor } {
  const y = tf.tidy(() => tf.oneHot(tf.range(0, count, 1, 'int32').mod(tf.scalar(classes, 'int32')), classes).toFloat())
  return { pixels: Float32Array.from({ length: count * size * size * 3 }, Math.random), y }
}

/** Runs a batch through the whole model; with a frozen trunk, through that in ONNX Runtime and the rest here. */
function stepsOf(size: number, trainable: boolean): Steps {
  const model = build(size, trainable), prefix = trainable ? null : frozenPrefix(model), { pixels, y } = data(batch, size)
  const trained = prefix?.rest ?? model
  compile(trained)
  return {
    async step() {
      const values = prefix ? (await prefix.run(pixels, batch))[0] : pixels
      const x = tf.tensor(values, [batch, ...trained.inputs[0].shape.slice(1) as number[]])
      await trained.trainOnBatch(x, y)
      x.dispose()
    },
  }
}

async function step(size: number, trainable: boolean): Promise<number> {
  const key = `${size} ${trainable}`
  if (!warm.has(key)) {
    warm.set(key, stepsOf(size, trainable))
    await warm.get(key)!.step()
  }
  return seconds(async () => {
    for (let i = 0; i < 3; i++) await warm.get(key)!.step()
  }, 3)
}

async function extraction(size: number): Promise<number> {
  const { pixels, y } = data(128, size), model = build(size, false)
  return seconds(async () => {
    const prefix = frozenPrefix(model)!, [features] = await prefix.run(pixels, 128)
    compile(prefix.rest)
    await prefix.rest.fit(tf.tensor(features, [128, ...prefix.shapes[0]]), y, { epochs: 10, batchSize: 32, verbose: 0 })
    await prefix.dispose()
  })
}

async function seconds(work: () => Promise<void>, times = 1): Promise<number> {
  const start = performance.now()
  await work()
  return (performance.now() - start) / 1000 / times
}

/** The same works as in with_keras.py, each in seconds. */
export const works: Record<string, (size: number) => Promise<number>> = {
  'full step': (size) => step(size, true),
  'head step': (size) => step(size, false),
  'first step': (size) => seconds(() => stepsOf(size, true).step()),
  extraction,
  'extraction by hand': extraction,
}
