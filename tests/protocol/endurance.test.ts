import assert from 'node:assert/strict'
import { test } from 'node:test'
import { trials } from '../fuzz/endurance.ts'
import { fuzzWire } from '../fuzz/wire.ts'

// Small ones of what `node tests/fuzz/wire.ts` and `node tests/fuzz/endurance.ts` do at length.

test('2000 messages that no front end should send leave the kernel as it was', async () => {
  assert.equal((await fuzzWire(2000, 1)).sent, 2000)
})

for (const [name, count] of [['restarts', 2], ['cells', 100], ['heartbeats', 0.2], ['clients', 30]] as const) {
  test(`${name}: ${count}`, async t => t.diagnostic(await trials[name](count)))
}
