import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as snappy from 'snappyjs'
import { readTable } from '../../../../lib/hub/sstable.ts'
import { sealed, table } from './table.ts'

const pairs: [string, string][] = [
  ['', 'header'],
  ['a/bias', '1'],
  ['a/kernel', '22'],
  ['b', ''],
  ['\0\x80part', 'x'.repeat(300)],
]
const entries = (bytes: Uint8Array) => [...readTable(bytes)].map(([key, value]) => [key, Buffer.from(value).toString()])

test('keys share their beginnings', () => assert.deepEqual(entries(table(pairs)), pairs))

test('blocks compressed by snappy', () => {
  assert.deepEqual(
    entries(table(pairs, block => (snappy as unknown as { compress(b: Uint8Array): Uint8Array }).compress(block))),
    pairs,
  )
})

for (const [what, bytes, message] of [
  ['no bytes', new Uint8Array(), /shorter than its footer/],
  ['another file', new Uint8Array(100), /magic number/],
  ['a flipped bit', table(pairs).map((byte, i) => (i === 3 ? byte ^ 1 : byte)), /checksum of the block/],
  ['an entry beyond its block', sealed([Uint8Array.of(0, 1, 99, 65, 0, 0, 0, 0, 0, 0, 0, 0)]), /outside its block/],
  ['too many restart points', sealed([Uint8Array.of(255, 0, 0, 0)]), /more restart points than bytes/],
  [
    'a snappy block that would be huge',
    sealed([Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x7, 0)], 1),
    /a compressed block of 2147483647 bytes/,
  ],
] as const) {
  test(what, () => assert.throws(() => readTable(bytes), { name: 'RangeError', message }))
}
