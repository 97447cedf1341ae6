import assert from 'node:assert/strict'
import { test } from 'node:test'
import { difference } from '../../../../../lib/save/hdf5/tree.ts'
import { layOut } from '../../../../../lib/save/formats/h5.ts'
import { getNames } from '../../../../../lib/save/formats/names.ts'
import { fingerprint, type LayerWeights } from '../../../../../lib/save/weights.ts'

const config = { class_name: 'Functional', config: {} }
const note = { format: 1, version: '0', tfjs: '4', readers: 'keras3', card: null, fingerprint: '' } as const
const one = (layer: string, values: number[]): LayerWeights => ({
  layer,
  weights: [{ path: `${layer}/kernel`, shape: [values.length], data: Float32Array.from(values) }],
})

for (const { count, length } of [
  { count: 3, length: 5 },
  { count: 3000, length: 60 },
  { count: 20_000, length: 6 },
]) {
  test(`${count} layer names of about ${length} letters are found again, no attribute near 64 KB`, () => {
    const layers = Array.from({ length: count }, (_, i) => ({ layer: `${i}`.padStart(length, 'x'), weights: [] }))
    const weights = layOut(config, layers, note).groups.get('model_weights')!
    assert.deepEqual(
      getNames(weights, 'layer_names'),
      layers.map(({ layer }) => layer),
    )
    for (const [name, value] of weights.attributes) {
      if (name.startsWith('layer_names'))
        assert.ok((value as string[]).length * Math.max(16, length) <= 64512, `${name} is too large`)
    }
  })
}

test('the configuration is ASCII, whatever its names', () => {
  const text = layOut({ class_name: 'Functional', config: { name: 'größe 日本 😀' } }, [], note).attributes.get(
    'model_config',
  ) as string
  assert.match(text, /^[\x20-\x7e]*$/)
  assert.equal(JSON.parse(text).config.name, 'größe 日本 😀')
})

test('what was read back is compared to the last bit', () => {
  const tree = () => layOut(config, [one('a', [1, 2, 3]), one('b', [0])], note)
  assert.equal(difference(tree(), tree()), undefined)
  const flipped = tree()
  flipped.groups.get('model_weights')!.groups.get('b')!.groups.get('b')!.datasets.get('kernel')!.data![3] ^= 0x80
  assert.equal(difference(flipped, tree()), 'the tensor /model_weights/b/b/kernel')
  const other = tree()
  other.attributes.set('model_config', '{}')
  assert.equal(difference(other, tree()), 'the attribute /model_config')
  const less = tree()
  less.groups.get('model_weights')!.groups.delete('a')
  assert.equal(difference(less, tree()), 'the group /model_weights/a')
})

test('the fingerprint tells apart values, shapes and names', () => {
  const prints = [[one('a', [1, 2])], [one('a', [2, 1])], [one('b', [1, 2])], [one('a', [1]), one('a', [2])]].map(fingerprint)
  assert.equal(new Set(prints).size, 4)
  assert.equal(fingerprint([one('a', [1, 2])]), prints[0])
})
