import assert from 'node:assert/strict'
import { test } from 'node:test'
import { customize } from '../../../../lib/index.ts'
import { boxes, graphBundle } from '../../../../lib/show/graph.ts'
import { tf } from '../../../../lib/tf.ts'
import { golden } from '../../../golden.ts'
import { checkPicture } from './pictures.ts'
import { branched, customized, trunk } from './samples.ts'

for (const [name, make] of Object.entries({ customized, branched })) {
  test(`the drawing of a model: ${name}`, async () => {
    const bundle = graphBundle(make())
    golden(`show/graph-${name}.svg`, bundle['image/svg+xml'] as string)
    golden(`show/graph-${name}.txt`, bundle['text/plain'] as string)
    await checkPicture(bundle)
  })
}

test('boxes are joined as the layers are, folded or open', () => {
  const model = trunk(),
    folded = boxes(model),
    open = boxes(model, ['block_2'])
  assert.deepEqual(
    folded.slice(1).map(({ from }, i) => [from.length, from.at(-1)! - i]),
    folded.slice(1).map(() => [1, 0]),
    'one after the other',
  )
  const at = (name: string) => open.findIndex(box => box.name === name)
  assert.deepEqual(open[at('block_2_add')].from, [at('block_1'), at('block_2_project')], 'the residual path leaps over the block')
  assert.deepEqual(open.find(box => box.name === 'block_3')!.from, [at('block_2_add')])
  assert.equal(
    open.reduce((sum, box) => sum + box.params, 0),
    model.countParams(),
  )
})

test('two models beside each other: what was cut and what was grafted', async () => {
  const before = trunk(),
    base = trunk()
  let x = tf.layers.conv2d({ filters: 4, kernelSize: 3, name: 'grafted_conv' }).apply(base.getLayer('block_6_add').output)
  x = tf.layers.globalAveragePooling2d({ name: 'new_pool' }).apply(x)
  const after = tf.model({ inputs: base.inputs, outputs: x as never, name: 'after' })
  const bundle = graphBundle(after, { before }),
    text = bundle['text/plain'] as string
  assert.match(text, /pool +GlobalAveragePooling2D .* − cut/)
  assert.match(text, /grafted_conv .*\+ grafted\nnew_pool .*\+ grafted/)
  assert.match(text, /\d+ boxes as they were/)
  await checkPicture(bundle)
})

test('a block that is not there is refused, with the closest one', () => {
  assert.throws(
    () => boxes(trunk(), ['blok_2']),
    /^GraftError: unknown block: 'blok_2'\. Did you mean 'block_2'\? Blocks are named in show\.layers\(model\)\.$/,
  )
})

test('900 layers are drawn at once, in a picture of moderate size', async () => {
  const model = trunk(182)
  assert.ok(model.layers.length > 900)
  const bundle = graphBundle(customize.extract(model, { classes: 3 }))
  assert.ok((bundle['image/svg+xml'] as string).length < 300e3)
  await checkPicture(bundle)
})
