// TensorFlow.js as npm has it, without Graft: for tests/parity/save-tfjs.test.ts.
//   plain-tfjs.js read FOLDER URL   opens each model of FOLDER/cases.json over HTTP; writes outputs and losses to FOLDER/read.json
//   plain-tfjs.js write FOLDER      writes models as TensorFlow.js does, with inputs, outputs and the losses of 5 more steps
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs'

const [mode, folder, url] = process.argv.slice(2)
const floats = name => new Float32Array(Uint8Array.from(readFileSync(join(folder, name))).buffer)
const outputsOf = (model, inputs) => [model.predict(inputs)].flat().map(output => [...output.dataSync()])

async function steps(model, x) {
  const y = tf.oneHot(tf.range(0, x.shape[0], 1, 'int32'), model.outputs[0].shape[1])
  return (await model.fit(x, y, { batchSize: x.shape[0], epochs: 5, shuffle: false, verbose: 0 })).history.loss
}

async function read() {
  const results = []
  for (const { name, inputs, inputShapes, trains } of JSON.parse(readFileSync(join(folder, 'cases.json'), 'utf8'))) {
    try {
      const model = await tf.loadLayersModel(`${url}/${name}/model.json`)
      const tensors = inputs.map((input, i) => tf.tensor(floats(input), inputShapes[i]))
      const outputs = outputsOf(model, tensors)
      results.push({ name, outputs, losses: trains && await steps(model, tensors[0]) })
    } catch (error) {
      results.push({ name, failure: error.message })
    }
  }
  writeFileSync(join(folder, 'read.json'), JSON.stringify(results))
}

async function write() {
  const L = tf.layers, cases = []
  const image = [8, 8, 3]
  const models = {
    convolutions: tf.sequential({
      layers: [
        L.conv2d({ inputShape: image, filters: 4, kernelSize: 3, activation: 'relu6', kernelInitializer: 'leCunNormal' }),
        L.batchNormalization(), L.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2 }), L.leakyReLU({ alpha: 0.2 }),
        L.separableConv2d({ filters: 3, kernelSize: 1 }), L.globalAveragePooling2d({}),
        L.dense({ units: 3, activation: 'softmax', kernelRegularizer: 'l1l2' }),
      ],
    }),
    sequence: tf.sequential({
      layers: [L.lstm({ inputShape: [5, 4], units: 3, returnSequences: true }), L.gru({ units: 3 }), L.dense({ units: 3, activation: 'softmax' })],
    }),
    branches: (() => {
      const a = tf.input({ shape: [4] }), shared = L.dense({ units: 4, activation: 'hardSigmoid' })
      return tf.model({ inputs: a, outputs: L.dense({ units: 3, activation: 'softmax' }).apply(L.add().apply([shared.apply(a), shared.apply(shared.apply(a))])) })
    })(),
  }
  const optimizers = { convolutions: tf.train.adam(0.01), sequence: tf.train.rmsprop(0.01), branches: tf.train.momentum(0.05, 0.8) }
  for (const [name, model] of Object.entries(models)) {
    const x = tf.randomNormal([3, ...model.inputs[0].shape.slice(1)], 0, 1, 'float32', 3)
    writeFileSync(join(folder, `${name}.x`), new Uint8Array(Float32Array.from(x.dataSync()).buffer))
    model.compile({ optimizer: optimizers[name], loss: 'categoricalCrossentropy' })
    await steps(model, x)
    await model.save(tf.io.withSaveHandler(async ({ modelTopology, weightSpecs, weightData, trainingConfig }) => {
      mkdirSync(join(folder, `tfjs_${name}`))
      writeFileSync(join(folder, `tfjs_${name}`, 'group1-shard1of1.bin'), new Uint8Array(weightData))
      writeFileSync(join(folder, `tfjs_${name}`, 'model.json'), JSON.stringify({
        format: 'layers-model', modelTopology, trainingConfig, weightsManifest: [{ paths: ['group1-shard1of1.bin'], weights: weightSpecs }],
      }))
      return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } }
    }), { includeOptimizer: true })
    cases.push({ name, inputShape: x.shape, outputs: outputsOf(model, x), losses: await steps(model, x) })
  }
  writeFileSync(join(folder, 'written.json'), JSON.stringify(cases))
}

await (mode === 'read' ? read() : write())
