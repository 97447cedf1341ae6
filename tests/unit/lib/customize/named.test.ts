import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Language } from '../../../../kernel/language/language.ts'
import { extract } from '../../../../lib/customize/extract.ts'
import { insertAfter } from '../../../../lib/customize/insert.ts'
import { tellNames } from '../../../../lib/customize/named.ts'
import { host, installHost } from '../../../../lib/host.ts'
import { tf } from '../../../../lib/tf.ts'
import { trunk } from '../train/fixtures.ts'

describe('models tell the names of their layers', () => {
  const terminal = host(), told = new Map<unknown, string>()
  before(() => installHost({ ...terminal, display() {}, typeOf: (value, ts) => { told.set(value, ts) } }))
  after(() => installHost(terminal))

  test('those that a method or an operation made, nested ones too', () => {
    const base = trunk(), model = extract(base, { classes: 2 }), longer = insertAfter(base, 'conv',
      tf.layers.reLU({ name: 'new' }))
    const nested = tellNames(tf.sequential({ layers: [base, tf.layers.dense({ units: 2, name: 'end' })] }))
    assert.match(told.get(model)!, /^import\("graft"\)\.NamedModel<.*"conv".*"predictions">$/)
    assert.match(told.get(longer)!, /"conv" \| "new"/)
    assert.match(told.get(nested)!, /"trunk".*"conv".*"end"/)
  })

  test('not those of a model with thousands', () => {
    const model = tf.sequential({ layers: Array.from({ length: 2001 }, (_, i) => tf.layers.activation({ activation: 'linear',
      name: `l${i}`, inputShape: [1] })) })
    tellNames(model)
    assert.equal(told.has(model), false)
  })
})

describe('names of layers are types', () => {
  const language = new Language({ folder: import.meta.dirname }), layers = [...Array.from({ length: 900 }, (_, i) =>
    `block_${i >> 3}_conv${i & 7}`), 'Conv1']
  before(() => language.ran('const base = await hub.load("x")', 1,
    { base: `const base: import("graft").NamedModel<${layers.map(name => JSON.stringify(name)).join(' | ')}>` }))
  after(() => language.dispose())

  for (const code of [
    "freeze(base, 'Conv1')", 'freeze(base)', "freeze(base, 'block_1*')", "freeze(base, 'last 5')",
      "unfreeze(base, 'last 2 blocks')", "freeze(base, 'block block_3')",
    'freeze(base, /conv/)', "freeze(base, ['Conv1', /conv2/])",
      'for (const name of JSON.parse("[]") as string[]) freeze(base, name)',
    'for (const layer of base.layers.slice(0, -5)) freeze(base, layer.name)', 'freeze(base, base.layers[3])',
      "tap(base, 'last feature map')", 'tap(base, { stride: 16 })',
    'tap(base, -5)', "replace(base, 'block_0_conv1', tf.layers.reLU())",
    // It is a tf.LayersModel wherever one is wanted, and the other way round.
    "const of = (model: tf.LayersModel) => freeze(model, 'anything'); of(base)",
      'let model: tf.LayersModel = base; model = tf.sequential()',
    'await base.fit(tf.zeros([1]), tf.zeros([1]))', "customize.extract(base, { classes: ['a', 'b'] })", 'diff(base, base)',
      "base.getLayer('anything')",
    "customize.fineTune(base, { classes: ['a', 'b'], unfreeze: 'Conv1' })", "customize.fineTune(base, { classes: ['a', 'b'], unfreeze: 'last 2 blocks' })",
    "customize.fineTune(base, { classes: ['a', 'b'], unfreeze: 3 })", "customize.fineTune(base, { classes: ['a', 'b'] })",
    "const name: string = 'x'; customize.fineTune(base, { classes: ['a', 'b'], unfreeze: name })",
    "customize.modify(base, { classes: ['a', 'b'], at: 'Conv1', unfreeze: 'block_1*' })", "customize.modify(base, { classes: ['a', 'b'], at: { stride: 16 } })",
    "customize.modify(base, { classes: ['a', 'b'], at: base.layers[2], unfreeze: [base.layers[1]] })",
    "const name: string = 'x'; customize.modify(base, { classes: ['a', 'b'], at: name, unfreeze: name })",
    "const options = { classes: ['a', 'b'], at: 'anything' }; customize.modify(base, options)",
    "customize.modify(base as tf.LayersModel, { classes: ['a', 'b'], at: 'anything' })",
    "insertBefore(base, 'block_0_conv1', tf.layers.reLU(), { from: 'Conv1' })", "remove(base, 'block_0_conv1', { keep: -3 })",
    'tf.model({ inputs: base.inputs, outputs: base.layers.at(-2)!.output as tf.SymbolicTensor })',
  ]) {
    test(`right: ${code}`, async () => assert.equal((await language.check(code, 2))?.evalue, undefined))
  }

  for (const code of ["freeze(base, 'Conv2')", "unfreeze(base, 'conv1')", "tap(base, 'block_0_conv9')",
    "insertAfter(base, 'Conv9', tf.layers.reLU())",
    "insertBefore(base, 'Conv9', tf.layers.reLU())", "remove(base, 'Conv9')", "replace(base, 'Conv9', tf.layers.reLU())"]) {
    test(`wrong before it runs: ${code}`, async () => assert.match((await language.check(code, 2))!.evalue,
      /^Argument of type '"\w+"' is not assignable/))
  }

  for (const [code, option] of [["customize.fineTune(base, { classes: ['a', 'b'], unfreeze: 'Conv9' })", 'Conv9'],
    ["customize.modify(base, { classes: ['a', 'b'], at: 'Conv9' })", 'Conv9'],
    ["customize.modify(base, { classes: ['a', 'b'], at: 'Conv1', unfreeze: 'Conv9' })", 'Conv9'],
    ["insertAfter(base, 'Conv1', tf.layers.reLU(), { to: 'Conv9' })", 'Conv9'], ["remove(base, 'Conv1', { keep: 'Conv9' })", 'Conv9']]) {
    test(`wrong before it runs: ${code}`, async () => assert.match((await language.check(code, 2))!.evalue,
      new RegExp(`^Type '"${option}"' is not assignable`)))
  }

  for (const [code, name] of [["customize.fineTune(base, { classes: 2, unfreeze: 'Co", 'Conv1'], ["customize.modify(base, { classes: 2, at: '", 'Conv1'],
    ["insertAfter(base, 'Conv1', tf.layers.reLU(), { to: '", 'block_1_conv2'], ["freeze(base, 'Con", 'Conv1'], ["tap(base, '", 'block_7_conv7'], ["base.getLayer('block_1",
    'block_1_conv2'], ["insertAfter(base, '", 'Conv1'],
    ["freeze(base, ['Co", 'Conv1']] as const) {
    test(`completed: ${code}`, async () => assert.ok((await language.complete(code, code.length)).matches.includes(name)))
  }
})
