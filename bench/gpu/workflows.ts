// The mission's three workflows and a training of all layers, in small, from beginnings that are the same on every engine.
// `node bench/gpu/workflows.ts [images [epochs [batch]]] [--all]` prints their losses as JSON; GRAFT_ENGINE chooses the engine.
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { LayersModel } from '@tensorflow/tfjs'
import { customize, data, engine, hub, tap, tf, train } from '../../lib/index.ts'
import type { TrainOptions } from '../../lib/index.ts'
import { randomFrom } from '../../lib/data/random.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const [count = 8, epochs = 2, batch = 8] = process.argv.slice(2).filter(word => word !== '--all').map(Number)
const trunk = (name: string) => hub.load(join(root, 'notebooks', 'models', `${name}_letters_feature_vector`), { fresh: true })

/** Gives layers the same small weights on every engine: their own beginnings are drawn at random. */
function begin(layers: LayersModel['layers']): void {
  for (const [i, layer] of layers.entries()) {
    layer.setWeights(layer.getWeights().map((weight, j) => {
      const next = randomFrom(i, j)
      return tf.tensor(Float32Array.from({ length: weight.size }, () => (next() - 0.5) / 10), weight.shape)
    }))
  }
}

const added = (base: LayersModel, model: LayersModel) => model.layers.filter(layer => !base.layers.includes(layer))

interface Outcome {
  /** Of all epochs. */
  losses: number[]
  /** What they took. */
  ms: number
  /** Tensors that a second training leaves behind. */
  leaked: number
}

async function trained(model: LayersModel, base: LayersModel, options: TrainOptions = {}): Promise<Outcome> {
  begin(added(base, model))
  const shape = [count, ...base.inputs[0].shape.slice(1) as number[]], next = randomFrom('images')
  const x = tf.tensor(Float32Array.from({ length: shape.reduce((all, side) => all * side) }, next), shape)
  const images = await data.tensors(x, Array.from({ length: count }, (_, i) => i % 5))
  x.dispose()
  const start = performance.now(), run = await train(model, images, { epochs, batch, seed: 7, show: false, ...options })
  const ms = performance.now() - start, before = tf.memory().numTensors
  await train(model, images, { epochs: 1, batch, seed: 8, show: false, ...options })
  return { losses: run.history.loss, ms, leaked: tf.memory().numTensors - before }
}

const workflows: Record<string, () => Promise<Outcome>> = {
  async 'feature extraction, MobileNetV2'() {
    const base = await trunk('mobilenet_v2')
    return trained(customize.extract(base, { classes: 5, show: false }), base)
  },
  async 'fine-tuning, InceptionV3'() {
    const base = await trunk('inception_v3')
    return trained(customize.fineTune(base, { classes: 5, unfreeze: 5, show: false }), base, { learningRate: { trunk: 1e-4, head: 1e-3 } })
  },
  async 'modification, ResNet50 V2'() {
    const base = await trunk('resnet50_v2'), map = tap(base, 'last feature map')
    let x = tf.layers.conv2d({ filters: 16, kernelSize: 3, activation: 'relu' }).apply(map) as tf.SymbolicTensor
    x = tf.layers.globalAveragePooling2d({}).apply(x) as tf.SymbolicTensor
    const model = tf.model({ inputs: base.inputs, outputs: tf.layers.dense({ units: 5, activation: 'softmax' }).apply(x) as tf.SymbolicTensor })
    for (const layer of base.layers) layer.trainable = false
    return trained(model, base)
  },
}

/** The whole network learns, normalizations too: the largest part of the work on a processor. */
if (process.argv.includes('--all')) workflows['all layers, MobileNetV2'] = async () => {
  const base = await trunk('mobilenet_v2'), model = customize.extract(base, { classes: 5, show: false })
  for (const layer of base.layers) layer.trainable = true
  return trained(model, base, { learningRate: 1e-4 })
}

const results: Record<string, unknown> = {}
for (const [name, work] of Object.entries(workflows)) results[name] = await work()
console.log(JSON.stringify({ engine: engine().name, results }))
