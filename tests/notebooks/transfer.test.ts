import assert from 'node:assert/strict'
import { test } from 'node:test'
import { transfer } from '../../bench/transfer/transfer.ts'

test('over five seeds the pretrained trunk beats training from scratch, every time', { timeout: 900_000 }, async () => {
  const all = []
  for await (const one of transfer('digits', [1, 2, 3, 4, 5])) all.push(one)
  const extraction = all.map(one => one.extraction), scratch = all.map(one => one.scratch)
  const mean = extraction.reduce((sum, x) => sum + x, 0) / extraction.length
  assert.ok(mean >= 0.85, `mean test accuracy of extraction: ${mean}`)
  assert.ok(Math.min(...extraction) > Math.max(...scratch), `extraction ${extraction}, from scratch ${scratch}`)
})
