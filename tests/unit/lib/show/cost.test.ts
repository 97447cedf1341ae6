import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { hub } from '../../../../lib/hub/index.ts'
import { costs } from '../../../../lib/show/cost.ts'
import { tf } from '../../../../lib/tf.ts'

const image = () => tf.input({ shape: [12, 12, 3] })
type Symbolic = ReturnType<typeof image>

/** A layer over a 12 × 12 × 3 image: operations counted by hand, the field and the stride of its output. */
const layers: [string, (x: Symbolic) => unknown, number, number, number][] = [
  ['Conv2D', x => tf.layers.conv2d({ filters: 4, kernelSize: 3, strides: 2, useBias: false }).apply(x), 2 * 5 * 5 * 4 * 27, 3, 2],
  [
    'Conv2D with bias and dilation',
    x => tf.layers.conv2d({ filters: 4, kernelSize: 3, dilationRate: 2, padding: 'same' }).apply(x),
    144 * 4 * (54 + 1),
    5,
    1,
  ],
  [
    'DepthwiseConv2D',
    x => tf.layers.depthwiseConv2d({ kernelSize: 5, depthMultiplier: 2, padding: 'same', useBias: false }).apply(x),
    2 * 144 * 6 * 25,
    5,
    1,
  ],
  [
    'SeparableConv2D',
    x => tf.layers.separableConv2d({ filters: 4, kernelSize: 3, padding: 'same', useBias: false }).apply(x),
    2 * 144 * (27 + 12),
    3,
    1,
  ],
  [
    'Conv2DTranspose',
    x => tf.layers.conv2dTranspose({ filters: 4, kernelSize: 2, strides: 2, useBias: false }).apply(x),
    2 * 144 * 3 * 4 * 4,
    2,
    0.5,
  ],
  ['MaxPooling2D', x => tf.layers.maxPooling2d({ poolSize: 3, strides: 3 }).apply(x), 4 * 4 * 3 * 9, 3, 3],
  ['BatchNormalization', x => tf.layers.batchNormalization().apply(x), 2 * 432, 1, 1],
  ['ReLU', x => tf.layers.reLU().apply(x), 432, 1, 1],
]

for (const [name, build, flops, field, stride] of layers) {
  test(`what a layer costs: ${name}`, () => {
    const input = image(),
      output = build(input) as Symbolic
    const { outputs, ...cost } = costs(tf.model({ inputs: input, outputs: output })).get(output.sourceLayer)!
    assert.deepEqual(cost, { flops, field, stride })
    assert.equal(
      outputs,
      output.shape.slice(1).reduce<number>((n, side) => n * side!, 1),
    )
  })
}

/** Araujo, Norris and Sim, "Computing Receptive Fields of Convolutional Neural Networks", Distill 2019: the table of networks. */
for (const [name, layer, field, stride] of [
  ['mobilenet_v2', 'out_relu', 491, 32],
  ['inception_v3', 'mixed10', 1311, 32],
  ['resnet50_v2', 'post_relu', 483, 32],
] as const) {
  test(`the receptive field of ${name} is the published one`, async () => {
    const folder = fileURLToPath(new URL(`../../../../notebooks/models/${name}_letters_feature_vector`, import.meta.url))
    const model = await hub.load(folder),
      { field: own, stride: step } = costs(model).get(model.getLayer(layer))!
    assert.deepEqual([own, step], [field, stride])
  })
}

test('a pooling over the whole map sees all; nested models count; free sizes cost nothing that is known', () => {
  const inner = tf.sequential({
    layers: [tf.layers.conv2d({ inputShape: [12, 12, 3], filters: 2, kernelSize: 3, useBias: false })],
  })
  const outer = tf.sequential({ layers: [inner, tf.layers.globalAveragePooling2d({}), tf.layers.dense({ units: 5 })] })
  const found = costs(outer)
  assert.equal(found.get(inner.layers.at(-1)!)!.flops, 2 * 100 * 2 * 27)
  assert.equal(found.get(outer.layers[2])!.flops, 2 * 10 + 5)
  assert.ok(Number.isNaN(found.get(outer.layers[1])!.field))
  assert.equal(
    costs(tf.sequential({ layers: [tf.layers.conv2d({ inputShape: [null, null, 3], filters: 2, kernelSize: 3 })] })).size,
    0,
  )
})
