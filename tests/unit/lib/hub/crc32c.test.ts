import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32c, maskedCrc32c } from '../../../../lib/hub/crc32c.ts'

/** The examples of RFC 3720, B.4. */
for (const [what, bytes, expected] of [
  ['no bytes', [], 0],
  ['32 zeros', Array.from({ length: 32 }, () => 0), 0x8a9136aa],
  ['32 ones', Array.from({ length: 32 }, () => 255), 0x62a8ab43],
  ['0 to 31', Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
  ['31 to 0', Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
  ['nine digits', [...Buffer.from('123456789')], 0xe3069283],
] as const) {
  test(what, () => assert.equal(crc32c(Uint8Array.from(bytes)), expected))
}

test('the masked form is LevelDB\'s', () => {
  const crc = crc32c(Buffer.from('foo'))
  assert.equal(maskedCrc32c(Buffer.from('foo')), ((crc >>> 15 | crc << 17) + 0xa282ead8) >>> 0)
  assert.notEqual(maskedCrc32c(Buffer.from('foo')), crc)
})
