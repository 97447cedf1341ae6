import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

/** y = x, the smallest model that ONNX Runtime opens. */
const identity = 'CAg6NwoQCgF4EgF5IghJZGVudGl0eRIBZ1oPCgF4EgoKCAgBEgQKAggBYg8KAXkSCgoICAESBAoCCAFCBAoAEA0='
const script = `const { onnxRuntime, openSession } = await import(${JSON.stringify(new URL('../../../../../lib/engine/onnx/runtime.ts', import.meta.url).href)})
await openSession(onnxRuntime().ort, Buffer.from('${identity}', 'base64'))
console.log('opened')`

test('ONNX Runtime reports nothing to its makers: no device id, no store of events, unless it is asked to', { skip: process.platform !== 'linux' && 'reports to the system elsewhere' }, t => {
  const home = mkdtempSync(join(tmpdir(), 'graft-telemetry-'))
  t.after(() => rmSync(home, { recursive: true, force: true }))
  const { ORT_DISABLE_TELEMETRY, ...env } = process.env
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8', env: { ...env, HOME: home, XDG_CACHE_HOME: home } })
  assert.equal(stdout, 'opened\n', stderr)
  assert.deepEqual(readdirSync(home), [])
})
