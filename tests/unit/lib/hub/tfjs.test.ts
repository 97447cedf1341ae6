import assert from 'node:assert/strict'
import { cp, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import type * as tfTypes from '@tensorflow/tfjs'
import { cardOf } from '../../../../lib/card.ts'
import { hub } from '../../../../lib/hub/index.ts'
import { sizeOfHandle } from '../../../../lib/hub/sizes.ts'
import { tf } from '../../../../lib/tf.ts'
import { relativeError } from '../../../fixtures/models/models.ts'
import { fuzzTfjs } from '../../../fuzz/tfjs.ts'

const fixtures = join(import.meta.dirname, '..', '..', '..', 'fixtures', 'tfjs'), scratch = await mkdtemp(join(tmpdir(),
  'graft-'))
after(() => rm(scratch, { recursive: true }))
let count = 0

async function fixture(name: string, size = 16): Promise<{ x: tfTypes.Tensor, y: Float32Array }> {
  const numbers = new Float32Array(new Uint8Array(await readFile(join(fixtures, `${name}.f32`))).buffer),
    length = 2 * size * size * 3
  return { x: tf.tensor(numbers.slice(0, length), [2, size, size, 3]), y: numbers.slice(length) }
}

const predicted = (model: tfTypes.LayersModel, x: tfTypes.Tensor) => (model.predict(x) as tfTypes.Tensor).dataSync()

/** How far quantization to 8 and 16 bits and half floats may carry the outputs; TensorFlow has the unquantized ones. */
for (const [name, size, tolerance] of [
  ['graph', 16, 1e-5], ['graph_shards', 16, 1e-5], ['graph_slim', 32, 1e-5], ['graph_float16', 16, 2e-3], ['graph_uint8', 16,
    5e-2],
  ['layers', 16, 1e-5], ['layers_chain', 16, 1e-5], ['layers_uint16', 16, 1e-3],
] as const) {
  test(`${name}: equals TensorFlow, no opaque layer`, async () => {
    const model = await hub.load(join(fixtures, name)), { x, y } = await fixture(name, size)
    const error = relativeError(predicted(model, x), y)
    assert.ok(error <= tolerance, `relative error ${error}`)
    assert.deepEqual(cardOf(model)!.notes, [])
    assert.equal(cardOf(model)!.layout, name.startsWith('graph') ? 'tfjs graph' : 'tfjs layers')
  })
}

test('quantized weights are those that TensorFlow.js computes with', async () => {
  for (const name of ['graph_uint8', 'graph_float16']) {
    const model = await hub.load(join(fixtures, name)), { x } = await fixture(name)
    const graph = await tf.loadGraphModel({ load: async () => {
      const { modelTopology, weightsManifest: [{ weights, paths }], signature } = JSON.parse(await readFile(join(fixtures, name,
        'model.json'), 'utf8'))
      const weightData = new Uint8Array(Buffer.concat(await Promise.all(paths.map((path: string) => readFile(join(fixtures, name,
        path)))))).buffer
      return { modelTopology, weightSpecs: weights, weightData, signature }
    } })
    const error = relativeError(predicted(model, x), (graph.predict(x) as tfTypes.Tensor).dataSync())
    assert.ok(error <= 1e-5, `${name}: relative error ${error}`)
  }
})

test('fused operations are layers of their own, under the names of their weights', async () => {
  const model = await hub.load(join(fixtures, 'graph'))
  assert.deepEqual(model.layers.map(layer => `${layer.getClassName()} ${layer.name}`), [
    'InputLayer image', 'Conv2D stem', 'DepthwiseConv2D depthwise', 'ReLU depthwise.Relu6', 'Conv2D pointwise', 'Add sum.add',
      'Conv2D strided',
    'PReLU prelu', 'Conv2D leaky_conv', 'LeakyReLU leaky.LeakyRelu', 'Conv2D elu_conv', 'SeparableConv2D separable',
      'Conv2D swish_conv',
    'MaxPooling2D pool.MaxPool', 'GlobalAveragePooling2D average.Mean', 'Dense hidden', 'Dense classes',
  ])
  assert.deepEqual([model.getLayer('stem'), model.getLayer('hidden'), model.getLayer('classes')].map(layer =>
    layer.getConfig().activation),
    ['relu', 'relu', 'softmax'])
})

test('a lifted graph trains, all of it', async () => {
  const model = await hub.load(join(fixtures, 'graph'), { fresh: true }), { x } = await fixture('graph')
  const before = model.trainableWeights.map(weight => weight.read().dataSync().slice())
  model.compile({ optimizer: tf.train.sgd(0.5), loss: 'categoricalCrossentropy' })
  await model.fit(x, tf.oneHot(tf.tensor1d([1, 3], 'int32'), 5).toFloat(), { epochs: 1, verbose: 0 })
  const still = model.trainableWeights.filter((weight, i) => weight.read().dataSync().every((value, n) => value === before[i][n]))
  assert.deepEqual(still.map(weight => weight.originalName), [])
})

test('nested models stay nested, with their normalization', async () => {
  const model = await hub.load(join(fixtures, 'layers'))
  const trunk = model.layers.find(layer => layer.name === 'trunk') as tfTypes.LayersModel
  assert.deepEqual(trunk.layers.map(layer => layer.getClassName()), ['InputLayer', 'Conv2D', 'BatchNormalization', 'ReLU'])
  assert.equal(trunk.layers[2].getConfig().momentum, 0.9)
  assert.equal((await hub.load(join(fixtures, 'layers'), { name: 'mine', fresh: true })).name, 'mine')
})

test('what TensorFlow.js saves itself opens too', async () => {
  const image = tf.input({ shape: [16, 16, 3], name: 'image' })
  let x = tf.layers.conv2d({ filters: 4, kernelSize: 3, strides: 2, padding: 'same', activation: 'relu', name: 'a' }).apply(image)
  x = tf.layers.depthwiseConv2d({ kernelSize: 3, padding: 'same', name: 'b' }).apply(x)
  x = tf.layers.batchNormalization({ name: 'c' }).apply(x)
  x = tf.layers.add({ name: 'd' }).apply([x as tfTypes.SymbolicTensor, tf.layers.reLU({ maxValue: 6,
    name: 'e' }).apply(x) as tfTypes.SymbolicTensor])
  x = tf.layers.dropout({ rate: 0.2, name: 'f' }).apply(tf.layers.globalAveragePooling2d({ name: 'g' }).apply(x))
  const model = tf.model({ inputs: image, outputs: tf.layers.dense({ units: 3, name: 'h' }).apply(x) as tfTypes.SymbolicTensor })
  const folder = await mkdtemp(join(scratch, 'saved-'))
  await model.save({ save: async ({ modelTopology, weightSpecs, weightData, format, generatedBy }) => {
    const manifest = [{ paths: ['weights.bin'], weights: weightSpecs }]
    await writeFile(join(folder, 'model.json'), JSON.stringify({ modelTopology, format, generatedBy, weightsManifest: manifest }))
    await writeFile(join(folder, 'weights.bin'), new Uint8Array(weightData as ArrayBuffer))
    return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } }
  } })
  const batch = tf.randomUniform([2, 16, 16, 3])
  assert.ok(relativeError(predicted(await hub.load(folder), batch), predicted(model, batch)) <= 1e-6)
})

describe('a damaged model says what is wrong and the way out', () => {
  async function broken(name: string, change: (folder: string, json: any) => Promise<void> | void,
    message: RegExp): Promise<void> {
    const folder = join(scratch, `broken-${count++}`), file = join(folder, 'model.json')
    await cp(join(fixtures, name), folder, { recursive: true })
    const json = JSON.parse(await readFile(file, 'utf8'))
    await change(folder, json)
    if (await readFile(file, 'utf8').catch(() => '') === await readFile(join(fixtures, name, 'model.json'),
      'utf8')) await writeFile(file, JSON.stringify(json))
    await assert.rejects(hub.load(folder), (error: Error) => {
      assert.equal(error.name, 'GraftError', error.stack)
      assert.match(error.message, message)
      return true
    })
  }
  const wayOut = ".*hub\\.load\\('\\./folder'\\)"

  for (const [what, name, change, message] of [
    ['no JSON', 'graph', folder => writeFile(join(folder, 'model.json'), '<html>'), new RegExp(`it is no JSON${wayOut}`)],
    ['a list', 'graph', folder => writeFile(join(folder, 'model.json'), '[{"paths": [], "weights": []}]'),
      /manifest of an older format.*tensorflowjs_converter/],
    ['no topology', 'graph', (_, json) => { delete json.modelTopology }, new RegExp(`holds no modelTopology${wayOut}`)],
    ['no weights', 'graph', (_, json) => { delete json.weightsManifest }, /has no weightsManifest/],
    ['a shard that is gone', 'graph_shards', folder => rm(join(folder, 'group1-shard3of7.bin')),
      new RegExp(`shard group1-shard3of7\\.bin is missing${wayOut}`)],
    ['a shard that is cut off', 'graph', folder => truncate(join(folder, 'group1-shard1of1.bin'), 5000),
      /cut off: weight '.*' ends at byte \d+ of 5000/],
    ['too many bytes', 'graph', (_, json) => { json.weightsManifest[0].weights.pop() },
      /its shards hold \d+ bytes, its weights \d+/],
    ['a shard outside', 'graph', (_, json) => { json.weightsManifest[0].paths = ['../../etc/passwd'] },
      /outside the model's folder/],
    ['a negative shape', 'graph', (_, json) => { json.weightsManifest[0].weights[0].shape = [-1] }, /its weightsManifest holds/],
    ['a huge shape', 'graph', (_, json) => { json.weightsManifest[0].weights[0].shape = [1e9, 1e9] }, /cut off/],
    ['an unknown type', 'graph', (_, json) => { json.weightsManifest[0].weights[0].dtype = 'complex64' },
      /elements of type complex64/],
    ['a missing weight', 'graph', (_, json) => { json.modelTopology.node.find((node: any) =>
      node.op === '_FusedConv2D').input[1] = 'nowhere' }, /'nowhere'|nowhere/],
    ['a node that is none', 'graph', (_, json) => { json.modelTopology.node.push(7) }, /its graph holds 7/],
    ['a fused operation without inputs', 'graph', (_, json) => { json.modelTopology.node.find((node: any) =>
      node.op === '_FusedMatMul').input = [] }, /lacks its inputs/],
    ['a fused bias without its input', 'graph', (_, json) => { json.modelTopology.node.find((node: any) =>
      node.op === '_FusedConv2D').input.length = 2 }, /lacks its inputs/],
    ['a circle', 'graph', (_, json) => {
      const nodes = json.modelTopology.node
      nodes.find((node: any) => node.op === 'AddV2').input[1] = nodes.find((node: any) => node.op === 'MaxPool').name
    }, /circle/],
    ['a layer without its weight', 'layers', (_, json) => { json.weightsManifest[0].weights[0].name = 'other/kernel' },
      /no weight 'classes\/kernel' for layer 'classes'/],
    ['a weight of another shape', 'layers', (_, json) => { json.weightsManifest[0].weights[0].shape = [5, 8] },
      /is \[5,8\].*expects \[8,5\]/],
    ['a layer of huge weights', 'layers', (_, json) => {
      const inside = json.modelTopology.model_config.config.layers.find((layer: any) => layer.class_name === 'Dense')
      inside.config.units = 2 ** 30
    }, /wants a weight .* more than the file holds/],
    ['a layer that runs code', 'layers', (_,
      json) => { json.modelTopology.model_config.config.layers.at(-1).class_name = 'Lambda' }, /Lambda/],
  ] as [string, string, (folder: string, json: any) => Promise<void> | void, RegExp][]) {
    test(what, () => broken(name, change, message))
  }
})

for (const [handle, size] of [
  ['https://tfhub.dev/google/imagenet/mobilenet_v2_100_192/feature_vector/5', 192],
  ['google/mobilenet-v2/tensorFlow2/035-96-classification/2', 96],
  ['https://tfhub.dev/google/tf2-preview/inception_v3/feature_vector/4', 299],
  ['google/inception-resnet-v2/tensorFlow2/feature-vector/2', 299],
  ['https://tfhub.dev/google/imagenet/nasnet_large/feature_vector/5', 331],
  ['https://tfhub.dev/tensorflow/efficientnet/b4/feature-vector/1', 380],
  ['tensorflow/efficientnet/tensorFlow2/b7-classification/1', 600],
  ['https://tfhub.dev/google/imagenet/efficientnet_v2_imagenet21k_ft1k_m/feature_vector/2', 480],
  ['google/efficientnet-v2/tensorFlow2/imagenet1k-b0-feature-vector/2', 224],
  ['https://tfhub.dev/google/imagenet/resnet_v2_152/feature_vector/5', 224],
  ['./folder', 224],
] as const) {
  test(`${handle} takes ${size} pixels`, () => assert.equal(sizeOfHandle(handle), size))
}

test('mutants of model.json end in a model or in one error', async () => {
  const { models, errors } = await fuzzTfjs(150, 1)
  assert.equal(models + errors, 150)
  assert.ok(models && errors)
})
