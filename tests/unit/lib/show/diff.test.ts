import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { setCard } from '../../../../lib/card.ts'
import { extract } from '../../../../lib/customize/extract.ts'
import { freeze, unfreeze } from '../../../../lib/customize/freeze.ts'
import { insertAfter } from '../../../../lib/customize/insert.ts'
import { replace } from '../../../../lib/customize/replace.ts'
import { tap } from '../../../../lib/customize/tap.ts'
import { displaySymbol } from '../../../../lib/host.ts'
import { diff } from '../../../../lib/show/diff.ts'
import { tf } from '../../../../lib/tf.ts'
import { trunk } from '../train/fixtures.ts'

const l = tf.layers

test('two loads of one model are no different', () => {
  const answer = diff(trunk(), trunk())
  assert.deepEqual([answer.none, inspect(answer).split('\n')], [true,
    ['trunk → trunk: no difference', '(None, 12, 12, 3) to (None, 8) in both.']])
})

test('added, removed, replaced and moved layers, by name', () => {
  const base = trunk(), wider = insertAfter(base, 'conv_relu', l.dropout({ rate: 0.1, name: 'new' }))
  assert.deepEqual([diff(base, wider).added, diff(base, wider).removed, diff(wider, base).removed], [['new'], [], ['new']])
  assert.match(inspect(diff(base, wider)), /added +new +Dropout +\(None, 10, 10, 8\) +0 +after conv_relu/)
  const other = replace(base, 'depthwise', l.depthwiseConv2d({ kernelSize: 5, name: 'depthwise' }))
  assert.deepEqual(diff(base, other).replaced, ['depthwise'])
  assert.match(inspect(diff(base, other)), /replaced +depthwise.*kernelSize \[3,3\] → \[5,5\].*weights 3×3×8×1.*→ 5×5×8×1/)
  const kind = replace(base, 'conv_relu', l.elu({ name: 'conv_relu' }))
  assert.match(inspect(diff(base, kind)), /replaced +conv_relu +ELU.*ReLU → ELU/)
})

test('frozen and unfrozen layers; weights by their largest change, statistics included', () => {
  const base = trunk(), other = insertAfter(base, -1, l.dense({ units: 2, name: 'new' }))
  freeze(other, 'conv*')
  assert.deepEqual([diff(base, other).frozen, diff(other, base).unfrozen], [['conv', 'conv_bn'], ['conv', 'conv_bn']])
  const [kernel] = other.getLayer('conv').getWeights(), values = kernel.dataSync().slice()
  values[7] += 0.5
  other.getLayer('conv').setWeights([tf.tensor(values, kernel.shape)])
  other.getLayer('conv_bn').setWeights(other.getLayer('conv_bn').getWeights().map((weight,
    i) => i === 2 ? weight.add(3) : weight))
  const { changed } = diff(base, other)
  assert.deepEqual(Object.keys(changed), ['conv', 'conv_bn'])
  assert.ok(Math.abs(changed.conv - 0.5) < 1e-6 && changed.conv_bn === 3)
  other.getLayer('conv_bn').setWeights(other.getLayer('conv_bn').getWeights().map(weight => weight.mul(NaN)))
  assert.equal(diff(base, other).changed.conv_bn, Infinity)
})

test('what shares layers is told from the moment they were loaded', () => {
  const base = trunk()
  setCard(base, { size: [12, 12], range: [0, 1] })
  const model = extract(base, { classes: 2, show: false })
  assert.deepEqual({ ...diff(base, model) }, {
    added: ['predictions'], removed: [], replaced: [], frozen: ['conv', 'conv_bn', 'depthwise'], unfrozen: [], changed: {},
      moved: [],
  })
  assert.match(inspect(diff(base, model)), /3 layers with weights are shared by both models/)
  unfreeze(model, 'conv')
  assert.deepEqual(diff(base, model).frozen, ['conv_bn', 'depthwise'])
  const cut = tf.model({ inputs: base.inputs,
    outputs: l.globalMaxPooling2d({ name: 'max' }).apply(tap(base, 'depthwise')) as tf.SymbolicTensor })
  assert.deepEqual([diff(base, cut).added, diff(base, cut).removed], [['max'], ['pool']])
})

test('it shows itself: a table without styles of the page or scripts; long lists fold; names are escaped', () => {
  const input = tf.input({ shape: [4] }), many = Array.from({ length: 12 }, (_, i) => l.dense({ units: 4, name: `d${i}` }))
  const base = tf.model({ inputs: input, outputs: input, name: '<b>' })
  const model = tf.model({ inputs: input, outputs: many.reduce((x, layer) => layer.apply(x) as tf.SymbolicTensor, input),
    name: 'b' })
  const bundle = diff(base, model)[displaySymbol]()
  assert.match(String(bundle['text/html']), /&#60;b&#62;.*<details>.*12 layers.*d11/s)
  assert.doesNotMatch(String(bundle['text/html']), /<style|<script|class=/)
  assert.match(String(bundle['text/plain']), /added +… and 5 more/)
})

test('refused: what is no model', () => {
  assert.throws(() => diff(trunk(), 'model' as never), /expected a model.*received 'model'/)
})
