import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { customize, freeze, hub, tap, tf, unfreeze } from '../../../lib/index.ts'
import { check } from '../../../notebooks/exercises.ts'

type Layer = Awaited<ReturnType<typeof open>>['layers'][number]
const models = join(import.meta.dirname, '..', '..', '..', 'notebooks', 'models')
const open = (name: string) => hub.load(join(models, `${name}_letters_feature_vector`), { fresh: true })
const dense = (units: number, activation?: 'softmax') => tf.layers.dense({ units, activation })

/** A model from the base's output, or from a place in it, through some layers. */
function built(base: Awaited<ReturnType<typeof open>>, from: unknown, ...layers: Layer[]) {
  return tf.model({ inputs: base.inputs, outputs: layers.reduce((x, layer) => layer.apply(x as never), from) as never })
}
const pool = () => tf.layers.globalAveragePooling2d({}) as unknown as Layer

/** For each exercise one right answer and typical wrong ones, with the hint that they get. */
const answers: [exercise: string, what: string, answer: () => unknown, right: boolean, hint: RegExp][] = [
  [
    '1a',
    'frozen, then a head',
    async () => {
      const base = await open('mobilenet_v2')
      freeze(base)
      return built(base, base.outputs[0], dense(10, 'softmax'))
    },
    true,
    /same model as customize\.extract/,
  ],
  ['1a', 'the short form', async () => customize.extract(await open('mobilenet_v2'), { classes: 10 }), true, /same model/],
  [
    '1a',
    'nothing frozen',
    async () => {
      const base = await open('mobilenet_v2')
      return built(base, base.outputs[0], dense(10, 'softmax'))
    },
    false,
    /the trunk's among them/,
  ],
  [
    '1a',
    'no softmax',
    async () => {
      const base = await open('mobilenet_v2')
      freeze(base)
      return built(base, base.outputs[0], dense(10))
    },
    false,
    /no probabilities yet/,
  ],
  [
    '1a',
    'frozen afterwards',
    async () => {
      const base = await open('mobilenet_v2'),
        model = built(base, base.outputs[0], dense(10, 'softmax'))
      freeze(model)
      return model
    },
    false,
    /the new head is frozen too/,
  ],
  ['1a', 'the base itself', () => open('mobilenet_v2'), false, /1024 numbers, and there are 10 classes/],
  ['1b', 'counted', () => 10_250, true, /one bias for each class/],
  ['1b', 'without the biases', () => 10_240, false, /a bias as well/],
  ['1b', 'all weights', () => 390_762, false, /Only the head learns/],
  [
    '2a',
    'the last two blocks',
    async () => {
      const base = await open('inception_v3')
      freeze(base)
      unfreeze(base, 'last 2 blocks')
      return built(base, base.outputs[0], dense(10, 'softmax'))
    },
    true,
    /layers at the end learn/,
  ],
  [
    '2a',
    'the last five layers, literally',
    async () => {
      const base = await open('inception_v3')
      freeze(base)
      for (const layer of base.layers.slice(-5)) layer.trainable = true
      return built(base, base.outputs[0], dense(10, 'softmax'))
    },
    false,
    /hold no weights/,
  ],
  [
    '2a',
    'everything',
    async () => {
      const base = await open('inception_v3')
      return built(base, base.outputs[0], dense(10, 'softmax'))
    },
    false,
    /Nearly everything would learn/,
  ],
  ['2b', 'slower by a thousand', () => ({ trunk: 1e-6, head: 1e-3 }), true, /1000 times more slowly/],
  ['2b', 'the same', () => ({ trunk: 1e-3, head: 1e-3 }), false, /wash out/],
  ['2b', 'the other way round', () => ({ trunk: 1e-3, head: 1e-5 }), false, /other way round/],
  ['2b', 'one number', () => 1e-3, false, /Expected two rates/],
  [
    '3a',
    'tapped, pooled, classified',
    async () => {
      const base = await open('resnet50_v2')
      return built(base, tap(base, { stride: 16 }), pool(), dense(10, 'softmax'))
    },
    true,
    /a map of 6 × 6/,
  ],
  [
    '3a',
    'the last map',
    async () => {
      const base = await open('resnet50_v2')
      return built(base, tap(base, 'last feature map'), pool(), dense(10, 'softmax'))
    },
    false,
    /stride 32: the last one/,
  ],
  [
    '3a',
    'no pooling',
    async () => {
      const base = await open('resnet50_v2')
      return built(base, tap(base, { stride: 16 }), dense(10, 'softmax'))
    },
    false,
    /still with a height and a width/,
  ],
]

for (const [exercise, what, answer, right, hint] of answers) {
  test(`exercise ${exercise}: ${what} is ${right ? 'right' : 'wrong'}`, async () => {
    const verdict = check(exercise, await answer())
    assert.equal(verdict.right, right, verdict.text)
    assert.match(verdict.text, hint)
  })
}

test('an unanswered exercise is no mistake, an unknown one is', () => {
  const verdict = check('1a', undefined)
  assert.equal(verdict.right, null)
  const bundle = (verdict as unknown as Record<symbol, () => Record<string, string>>)[Symbol.for('Jupyter.display')]()
  assert.match(bundle['text/plain'], /^… Not answered yet/)
  assert.throws(() => check('9z', 1), /unknown exercise: '9z'\. There are 1a, 1b, 2a, 2b, 3a\./)
})
