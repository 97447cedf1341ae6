import { predictInOnnxRuntime } from '../../lib/engine/predict.ts'
import { frozenPrefix } from '../../lib/engine/prefix.ts'
import { load } from '../../lib/save/index.ts'
import { tf } from '../../lib/tf.ts'
import { optimizerFrom } from '../../lib/train/optimizers.ts'
import { trainStep } from '../../lib/train/step.ts'
import { mobileNetV2 } from './mobilenet.ts'

predictInOnnxRuntime()
const classes = 10, batch = 8

/** What is to be done; the same as with_keras.py is asked. */
export interface Request {
  family: string
  size: number
  file: string
  change?: boolean
  open_layers?: number
  epochs?: number
  images?: number
}
/** What it took: seconds, or what is measured in their place. */
export interface Answer { seconds: number, losses?: number[] }

const objective = {
  loss: (truth: tf.Tensor, prediction: tf.Tensor) => tf.metrics.categoricalCrossentropy(truth, prediction), metrics: {},
}

/** A saved model of which the last so many layers that hold weights are open; all where nothing is said. */
async function open(file: string, layers?: number): Promise<tf.LayersModel> {
  const model = await load(file) as tf.LayersModel
  const weighted = model.layers.filter(layer => layer.weights.length > 0)
  for (const layer of weighted.slice(0, layers === undefined ? 0 : -layers)) layer.trainable = false
  return model
}

/** The same numbers as in with_keras.py: three waves. */
function pixels(count: number, size: number): Float32Array {
  return Float32Array.from({ length: count * size * size * 3 }, (_, i) =>
    0.5 + 0.5 * Math.sin(i * 0.37) * Math.cos(i / (size * 3)) * Math.sin(i / (size * size * 3) + 1))
}

const truth = (from: number, to: number) => tf.tidy(() =>
  tf.oneHot(tf.range(from, to, 1, 'int32').mod(tf.scalar(classes, 'int32')), classes).toFloat())

/** One step after the other; what is frozen runs anew each time. */
async function steps(model: tf.LayersModel, size: number): Promise<() => Promise<void>> {
  const prefix = model.layers.some(layer => layer.weights.length && !layer.trainable) ? frozenPrefix(model) : null
  const trainee = { whole: model, rest: prefix?.rest ?? model }, optimizer = optimizerFrom('adam', () => 1e-3)
  const x = pixels(batch, size), y = truth(0, batch)
  let n = 0
  return async () => {
    const values = prefix ? await prefix.run(x, batch) : [x]
    const inputs = values.map((each, i) => tf.tensor(each, [batch, ...trainee.rest.inputs[i].shape.slice(1) as number[]]))
    await trainStep(trainee, objective, optimizer, inputs, y, n++)
    tf.dispose(inputs)
  }
}

const warm = new Map<string, () => Promise<void>>()

async function seconds(work: () => Promise<void>, times = 1): Promise<number> {
  const start = performance.now()
  for (let i = 0; i < times; i++) await work()
  return (performance.now() - start) / 1000 / times
}

async function step({ file, size, open_layers }: Request): Promise<Answer> {
  const key = `${file} ${open_layers}`
  if (!warm.has(key)) {
    warm.set(key, await steps(await open(file, open_layers), size))
    await warm.get(key)!()
  }
  return { seconds: await seconds(warm.get(key)!, 3) }
}

async function firstStep({ size }: Request): Promise<Answer> {
  return { seconds: await seconds(async () => {
    const base = mobileNetV2(size), dense = tf.layers.dense({ units: classes, activation: 'softmax' })
    const head = dense.apply(base.outputs[0]) as tf.SymbolicTensor
    await (await steps(tf.model({ inputs: base.inputs, outputs: head }), size))()
  }) }
}

/** As lib/train does it, without plot, log and snapshots: what cannot change once, the rest in steps of 32 images. */
async function workflow({ file, size, open_layers, epochs = 10, images = 128 }: Request): Promise<Answer> {
  const model = await open(file, open_layers), x = pixels(images, size), losses: number[] = []
  const time = await seconds(async () => {
    const prefix = frozenPrefix(model)!, features = await prefix.run(x, images), trainee = { whole: model, rest: prefix.rest }
    const optimizer = optimizerFrom('adam', () => 1e-3), each = features.map(values => values.length / images)
    for (let epoch = 0; epoch < epochs; epoch++) {
      let sum = 0
      for (let at = 0; at < images; at += 32) {
        const end = Math.min(images, at + 32), y = truth(at, end)
        const inputs = features.map((values, i) =>
          tf.tensor(values.subarray(at * each[i], end * each[i]), [end - at, ...prefix.shapes[i]]))
        const [loss] = await trainStep(trainee, objective, optimizer, inputs, y, epoch * images + at)
        sum += loss * (end - at)
        tf.dispose([inputs, y])
      }
      losses.push(sum / images)
    }
    await prefix.dispose()
  })
  return { seconds: time, losses }
}

async function predict({ file, size }: Request): Promise<Answer> {
  const key = `predict ${file}`
  if (!warm.has(key)) {
    const model = await open(file), x = tf.tensor(pixels(32, size), [32, size, size, 3])
    warm.set(key, async () => { tf.dispose(await (model.predict(x) as tf.Tensor).data()) })
    await warm.get(key)!()
  }
  return { seconds: await seconds(warm.get(key)!) }
}

export const works: Record<string, (request: Request) => Promise<Answer>> = { step, 'first step': firstStep, workflow, predict }
