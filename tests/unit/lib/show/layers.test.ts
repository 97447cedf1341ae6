import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { displaySymbol, type MimeBundle } from '../../../../lib/host.ts'
import { installDisplays } from '../../../../lib/show/install.ts'
import { isBlock, layerRows, layerTree, rowsOf } from '../../../../lib/show/layer-rows.ts'
import { layerEditor } from '../../../../lib/show/layer-editor.ts'
import { learningGroups } from '../../../../lib/show/layer-groups.ts'
import { layerTable, totals } from '../../../../lib/show/layers.ts'
import { tf } from '../../../../lib/tf.ts'
import { setRun } from '../../../../lib/train/run.ts'
import { golden } from '../../../golden.ts'
import { branched, customized, longTrained, marked, trained, trunk } from './samples.ts'

for (const [name, make] of Object.entries({ trunk, customized, branched, marked, trained })) {
  test(`the layer table of a model: ${name}`, () => {
    const bundle = layerTable(make())
    golden(`show/layers-${name}.html`, bundle['text/html'] as string)
    golden(`show/layers-${name}.txt`, bundle['text/plain'] as string)
  })
}

test("every layer is in the table once, in the model's order, folded or not", () => {
  for (const model of [trunk(), customized(), branched(), trunk(0)]) {
    assert.deepEqual(
      layerTree(model)
        .flatMap(rowsOf)
        .map(row => row.name),
      model.layers.map(layer => layer.name),
    )
  }
})

test('blocks are told by names, or else by the single path between them', () => {
  const blocks = (entries: ReturnType<typeof layerTree>) =>
    entries.filter(isBlock).map(entry => `${entry.name} ${entry.rows.length}`)
  assert.deepEqual(blocks(layerTree(trunk(3))), [], 'a short model does not fold')
  assert.deepEqual(
    blocks(layerTree(trunk(6))),
    [1, 2, 3, 4, 5, 6].map(i => `block_${i} 5`),
  )
  assert.deepEqual(
    blocks(layerTree(branched(4))),
    [0, 1, 2, 3].map(i => `mixed${i} 7`),
  )
  assert.deepEqual(blocks(layerTree(customized())), [`trunk ${trunk().layers.length}`])
})

test('opaque and repaired layers are marked, by a sign that says in words what it means', () => {
  const marks = layerRows(marked()).flatMap(({ name, mark }) => (mark ? [`${name}: ${mark.kind}, ${mark.why}`] : []))
  assert.deepEqual(marks, [
    'dilated: repaired, dilated', 'norm: repaired, without scale or offset', 'asinh: opaque, Asinh',
    'pool: repaired, gradient at the border', 'up: repaired, centres of pixels',
  ])
  const bundle = layerTable(marked())
  assert.match(bundle['text/html'] as string, /asinh <span title="opaque: Asinh">◆<\/span>/)
  assert.match(bundle['text/html'] as string, /◇ 4 layers repaired: TensorFlow\.js alone/)
  assert.match(bundle['text/plain'] as string, /^asinh .* opaque \(Asinh\)$/m)
})

test('a search shows what it finds, unfolded, in HTML and text', () => {
  const bundle = layerTable(customized(), { search: 'EXPAND_bn' }), text = bundle['text/plain'] as string
  assert.match(text, /^custom_mobilenet: 6 of 37 layers with 'EXPAND_bn'/)
  assert.equal(text.match(/^block_\d_expand_BN .*frozen moving$/gm)?.length, 6)
  assert.match(text, /^found +6 layers/m)
  assert.doesNotMatch(bundle['text/html'] as string, /<details|digits/)
  assert.throws(() => layerTable(customized(), { search: 'lstm' }), /^GraftError: show\.layers: no layer of 'custom_mobilenet' has 'lstm'/)
})

for (const [name, learningRate, expected] of [
  ['one rate', 1e-3, { block_6_expand: ['trunk', 0.001], digits: ['head', 0.001] }],
  ['a pattern', { trunk: 1e-5, head: 1e-3, '*_project': 1e-4 }, { block_6_expand: ['trunk', 1e-5], block_6_project: ['*_project', 1e-4] }],
  ['decay', { trunk: 1e-4, head: 1e-3, decay: 0.1 }, { block_6_expand: ['trunk', 1e-5], block_5_expand: ['trunk', 1e-6] }],
] as const) {
  test(`the group and the rate that a layer learns with: ${name}`, () => {
    const model = customized()
    assert.deepEqual(learningGroups(model), new Map(), 'neither compiled nor trained')
    setRun(model, { learningRate })
    const groups = learningGroups(model)
    for (const [layer, [group, rate]] of Object.entries(expected)) {
      assert.equal(groups.get(layer)!.name, group)
      assert.ok(Math.abs(groups.get(layer)!.rate / rate - 1) < 1e-6, `${layer}: ${groups.get(layer)!.rate}`)
    }
    model.compile({ optimizer: tf.train.sgd(0.5), loss: 'meanSquaredError' })
    assert.equal(learningGroups(model).get('digits')!.rate, 0.5, 'the optimizer it is compiled with counts first')
  })
}

test('the table to touch has the columns of the static one, and each block once', () => {
  const { columns, layers, blocks, summary } = layerEditor(trained()).state
  assert.deepEqual(columns.map(({ head }) => head), ['Output shape', 'Params', 'FLOPs', 'Memory', 'Moved'])
  assert.equal(layers.length, 37)
  assert.deepEqual(blocks.map(({ name, type, held, training }) => [name, type, held, training])[5], ['block_6', '5 layers', 3, 2])
  assert.deepEqual([layers.at(-1)!.cells.at(-1), layers.at(-1)!.state], ['78.9 %', 'trains head 0.01'])
  assert.match(summary, /^2,066 parameters/)
  assert.deepEqual(layerEditor(marked()).state.layers[3].marks, [['◆', 'opaque: Asinh']])
})

test('a nested model is a block that holds its layers', () => {
  const inner = trunk()
  const image = tf.input({ shape: [32, 32, 3] })
  const model = tf.model({ inputs: image, outputs: tf.layers.dense({ units: 2 }).apply(inner.apply(image)) as never })
  const [, nested] = layerTree(model)
  assert.ok(isBlock(nested) && nested.kind === 'model')
  assert.equal(nested.rows.length, inner.layers.length)
})

test('totals count a shared weight once', () => {
  const shared = tf.layers.dense({ units: 4, useBias: false })
  const x = tf.input({ shape: [4] })
  const model = tf.model({ inputs: x, outputs: shared.apply(shared.apply(x)) as never })
  assert.deepEqual(totals(model), { params: 16, trainable: 16, bytes: 64 })
  const custom = customized()
  assert.equal(totals(custom).params, custom.countParams())
  assert.equal(totals(custom).trainable, 8 * 10 + 10)
})

test('BatchNormalization says which statistics it uses; a frozen one its moving averages', () => {
  const modes = (model: ReturnType<typeof trunk>) =>
    new Set(
      layerRows(model)
        .filter(row => row.type === 'BatchNormalization')
        .map(row => row.mode),
    )
  assert.deepEqual(modes(trunk()), new Set(['batch']))
  assert.deepEqual(modes(customized()), new Set(['inference']))
})

test('a layer used on two shapes, and one with several outputs, have a row', () => {
  const relu = tf.layers.reLU()
  const a = tf.input({ shape: [4] })
  const b = tf.input({ shape: [5] })
  const model = tf.model({ inputs: [a, b], outputs: [relu.apply(a), relu.apply(b)] as never })
  assert.equal(layerRows(model).find(row => row.type === 'ReLU')!.shape, 'several')
})

test('900 layers make a table under 300 kB', () => {
  const blocks = layerTable(trunk(179))
  assert.ok(trunk(179).layers.length >= 897)
  assert.ok((blocks['text/html'] as string).length < 300e3, `${(blocks['text/html'] as string).length} characters`)
  const chain = tf.sequential({
    layers: Array.from({ length: 900 }, (_, i) =>
      tf.layers.dense({ units: 1, name: `a_layer_with_a_name_${i}`, ...(i === 0 && { inputShape: [1] }) }),
    ),
  })
  const trained = layerTable(longTrained())['text/html'] as string
  assert.ok(trained.length < 300e3, `${trained.length} characters`)
  assert.match(trained, /<summary [^>]*><pre [^>]*>block_100 +5 layers .*12\.3 %<\/pre><\/summary>/)
  const html = layerTable(chain)['text/html'] as string
  assert.ok(html.length < 300e3, `${html.length} characters`)
  assert.ok(layerTree(chain).length <= 60, 'a chain without blocks folds by the number')
})

test('names are escaped', () => {
  const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [1] })] })
  model.layers[0].name = 'a<script>b'
  assert.ok(!(layerTable(model)['text/html'] as string).includes('<script'))
})

test("TensorFlow.js's values show themselves", async t => {
  installDisplays(tf)
  const model = customized()
  const shown = (value: object) => (value as Record<symbol, () => MimeBundle>)[displaySymbol]()
  await t.test('a model', () => {
    assert.equal(shown(model)['text/html'], layerTable(model)['text/html'])
    assert.match(inspect(model), /^custom_mobilenet: \d+ layers/)
  })
  const cases: [string, object, RegExp][] = [
    [
      'a matrix',
      tf.tensor2d([
        [1, 2.5],
        [-3, 4],
      ]),
      /^Tensor float32 \[2, 2\]\n\[\[ +1, 2\.5\],\n \[ +-3, +4\]\]$/,
    ],
    ['a number', tf.scalar(3, 'int32'), /^Tensor int32 \[\] 3$/],
    ['words', tf.tensor1d(['a', 'b']), /^Tensor string \[2\]\n\["a", "b"\]$/],
    ['truths', tf.tensor1d([true, false]), /^Tensor bool \[2\]\n\[ true, false\]$/],
    ['nothing', tf.zeros([0]), /^Tensor float32 \[0\]\n\[\]$/],
    ['many values', tf.range(0, 1000), /^Tensor float32 \[1000\]\n\[ +0, +1, +2, …, 997, 998, 999\]$/],
    ['a variable', tf.variable(tf.scalar(1)), /^Variable float32 \[\] 1$/],
    ['a layer', model.layers[1], /^Conv2D 'Conv1', frozen$/],
    ['a symbolic tensor', model.outputs[0], /^SymbolicTensor of 'digits' float32 \[None, 10\]$/],
  ]
  for (const [name, value, expected] of cases) {
    await t.test(name, () => {
      assert.match(inspect(value), expected)
      assert.equal(shown(value)['text/plain'], inspect(value))
    })
  }
  await t.test('a disposed tensor', () => {
    const gone = tf.scalar(1)
    gone.dispose()
    assert.equal(inspect(gone), 'Tensor float32 [], disposed')
  })
  await t.test('what fit returns', async () => {
    const small = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [1] })] })
    small.compile({ optimizer: 'sgd', loss: 'meanSquaredError', metrics: ['accuracy'] })
    const fit = await small.fit(tf.ones([4, 1]), tf.ones([4, 1]), { epochs: 2, verbose: 0, validationSplit: 0.5 })
    assert.match(inspect(fit), /^Training: 2 epochs\nbest epoch \d: validation accuracy/)
    assert.match(shown(fit)['image/svg+xml'] as string, /Accuracy/)
  })
})
