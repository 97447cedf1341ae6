import assert from 'node:assert/strict'
import { test } from 'node:test'
import { murmur2, pathOf } from '../../../../kernel/debug/naming.ts'

test('a cell\'s source has the hash that ipykernel and JupyterLab compute', () => {
  const seed = 0xc70f6907
  for (const [text, expected] of [['i = 1', 737182193], ['const a = 1\nconsole.log("é")', 1804656851]] as const) assert.equal(murmur2(text, seed), expected)
  assert.equal(murmur2('', 1), 1540447798)
  assert.equal(pathOf({ prefix: '/tmp/x/', suffix: '.ts', seed }, 'i = 1'), '/tmp/x/737182193.ts')
})
