import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { tmpdir } from 'node:os'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { difference } from '../../unit/lib/engine/numbers.ts'
import { withoutWebGPU } from '../../unit/lib/engine/webgpu/here.ts'

const run = promisify(execFile), workflows = fileURLToPath(new URL('../../../bench/gpu/workflows.ts', import.meta.url)), here = new URL('../../unit/lib/engine/webgpu/here.ts', import.meta.url).href

interface Results { engine: string, results: Record<string, { losses: number[], leaked: number }> }

async function on(engine: 'wasm' | 'webgpu'): Promise<Results> {
  const chosen = engine === 'webgpu' ? ['--import', here] : []
  const { stdout } = await run(process.execPath, ['--disable-warning=ExperimentalWarning', ...chosen, workflows],
    { env: { ...process.env, GRAFT_ENGINE: engine, GRAFT_TENSORFLOW: tmpdir(), GRAFT_RUNS: 'off' }, timeout: 240_000 })
  return JSON.parse(stdout)
}

test('the three workflows on a graphics card give the losses of the engine that is always there, and leave nothing behind', { skip: withoutWebGPU }, async () => {
  const wasm = await on('wasm'), webgpu = await on('webgpu')
  assert.match(webgpu.engine, /^WebGPU/)
  assert.equal(Object.keys(webgpu.results).length, 3)
  for (const [name, { losses, leaked }] of Object.entries(webgpu.results)) {
    const expected = wasm.results[name].losses
    assert.ok(difference(losses, expected) < 1e-3, `${name}: ${losses}, expected ${expected}`)
    assert.equal(leaked, 0, name)
  }
})
