import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseCsv } from '../../../../lib/data/csv.ts'
import { naturalOrder } from '../../../../lib/data/list.ts'
import { randomFrom, seedFrom, shuffled } from '../../../../lib/data/random.ts'
import { split } from '../../../../lib/data/split.ts'

test('every class with two images keeps one for each side', () => {
  const labels = [0, 0, 1, 1, 1, 2], ids = ['a', 'b', 'c', 'd', 'e', 'f']
  const { kept, taken } = split(labels, ids, 0.1, 1)
  assert.deepEqual(taken.map(i => labels[i]), [0, 1])
  assert.deepEqual([...kept, ...taken].toSorted(), [0, 1, 2, 3, 4, 5])
})

test('the split does not depend on the order of the files', () => {
  const ids = Array.from({ length: 40 }, (_, i) => `id${i}`), labels = ids.map((_, i) => i % 4)
  const order = shuffled(Array.from(ids.keys()), randomFrom('order'))
  const names = (taken: number[], of: string[]) => taken.map(i => of[i]).toSorted()
  const one = split(labels, ids, 0.25, 7), other = split(order.map(i => labels[i]), order.map(i => ids[i]), 0.25, 7)
  assert.deepEqual(names(one.taken, ids), names(other.taken, order.map(i => ids[i])))
})

test('seeds: never 0, the same parts give the same numbers, others give others', () => {
  for (let i = 0; i < 1000; i++) assert.ok(seedFrom(i) > 0)
  assert.equal(new Set(Array.from({ length: 1000 }, (_, i) => seedFrom('step', i))).size, 1000)
  const draw = (seed: number) => Array.from({ length: 5 }, randomFrom(seed))
  assert.deepEqual(draw(3), draw(3))
  assert.notDeepEqual(draw(3), draw(4))
  const mean = Array.from({ length: 10000 }, randomFrom(1)).reduce((a, b) => a + b) / 10000
  assert.ok(Math.abs(mean - 0.5) < 0.02)
})

test('names sort as people sort them', () => {
  assert.deepEqual(['10', '9', 'b2', 'b10', 'a', '1'].sort(naturalOrder), ['1', '9', '10', 'a', 'b2', 'b10'])
})

test('csv: quotes, commas and line ends within them, a byte order mark, blank lines', () => {
  assert.deepEqual(parseCsv('\ufefffile,label\r\n"a,b ""c"".png",x\n\n"two\nlines",y'),
    [['file', 'label'], ['a,b "c".png', 'x'], ['two\nlines', 'y']])
})
