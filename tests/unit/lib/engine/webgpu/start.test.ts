import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { factsOf } from '../../../../../lib/engine/webgpu/adapter.ts'
import { findWebGPU, mayHaveCard } from '../../../../../lib/engine/webgpu/find.ts'
import { withoutWebGPU } from './here.ts'

const scratch = mkdtempSync(join(tmpdir(), 'graft-card-')), run = promisify(execFile)
after(() => rmSync(scratch, { recursive: true }))

const here = JSON.stringify(new URL('./here.ts', import.meta.url).href), engineModule = JSON.stringify(new URL('../../../../../lib/engine/index.ts', import.meta.url).href)

/** What a program prints that asks for its engine; `GRAFT_ENGINE` is set after the driver was chosen. */
async function program(wish: string, code: string) {
  const env = { ...process.env, GRAFT_TENSORFLOW: scratch }
  const script = `await import(${here}); process.env.GRAFT_ENGINE = ${JSON.stringify(wish)}; const { engine } = await import(${engineModule}); ${code}`
  return run(process.execPath, ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script], { env, timeout: 60_000 })
}

test('a card is told from a program that plays one', () => {
  for (const [vendor, architecture, device, description, fallback, name, software] of [
    ['nvidia', 'hopper', 'nvidia-h200', 'NVIDIA: 570.1', false, 'nvidia-h200', false], ['amd', 'rdna-3', '', 'AMD RADV NAVI31', false, 'AMD RADV NAVI31', false],
    ['intel', 'gen-12lp', '', '', false, 'intel gen-12lp', false], ['apple', 'common-3', '', '', false, 'apple common-3', false],
    ['google', 'swiftshader', 'swiftshader-device-subzero-', '', true, 'swiftshader-device-subzero-', true], ['mesa', 'llvmpipe', 'llvmpipe-llvm-15', 'lavapipe', false, 'llvmpipe-llvm-15', true],
    ['microsoft', 'warp', '', 'Microsoft Basic Render Driver', false, 'Microsoft Basic Render Driver', true],
  ] as const) assert.deepEqual(factsOf({ vendor, architecture, device, description, isFallbackAdapter: fallback }), { name, software }, name)
})

test('where the packages are missing, or bring nothing for a machine, the reason is told', () => {
  assert.equal(findWebGPU({}, []), 'WebGPU is not installed')
  assert.match(findWebGPU({ GRAFT_WEBGPU: scratch }) as string, /^GRAFT_WEBGPU: no webgpu in .+; expected a folder with node_modules/)
  for (const path of ['webgpu/package.json', '@tensorflow/tfjs-backend-webgpu/package.json']) {
    mkdirSync(join(scratch, 'node_modules', path, '..'), { recursive: true })
    writeFileSync(join(scratch, 'node_modules', path), '{"version":"1.0.0"}')
  }
  assert.equal(findWebGPU({ GRAFT_WEBGPU: scratch }, [], 'aix-ppc64'), 'the package webgpu brings nothing for aix-ppc64')
})

test('a machine that may have a card shows it in its files', () => {
  const machine = join(scratch, 'machine')
  assert.ok(!mayHaveCard('linux', machine))
  mkdirSync(join(machine, 'dev', 'dri'), { recursive: true })
  writeFileSync(join(machine, 'dev', 'dri', 'card0'), '')
  assert.ok(!mayHaveCard('linux', machine))
  writeFileSync(join(machine, 'dev', 'dri', 'renderD128'), '')
  assert.ok(mayHaveCard('linux', machine) && mayHaveCard('darwin', machine) && mayHaveCard('win32', machine))
})

describe('the engine', { skip: withoutWebGPU }, () => {
  test('that is asked for is used on any adapter, says what that is, computes at once and lets the process end', async () => {
    const { stdout, stderr } = await program('webgpu', `
      const { tf } = await import(${JSON.stringify(new URL('../../../../../lib/tf.ts', import.meta.url).href)})
      console.log(String(engine())); console.log(tf.getBackend(), tf.matMul(tf.ones([40, 40]), tf.ones([40, 40])).dataSync()[7])`)
    assert.match(stdout, /^Engine: WebGPU on \S+ \(a processor that plays a graphics card\), 1 thread \(GRAFT_ENGINE=webgpu asks for it\); .* Faster: unset GRAFT_ENGINE.*\nwebgpu 40\n$/)
    assert.equal(stderr, '')
  })

  test('that is not asked for is not used where a processor plays the card', async () => {
    const { stdout, stderr } = await program('', 'console.log(String(engine()))')
    assert.match(stdout, /^Engine: WASM SIMD, 1 thread \(the fastest that is here\)/)
    assert.equal(stderr, '')
  })

  test('that is asked for and not there is an error with the command that gets it', async () => {
    const env = { ...process.env, GRAFT_ENGINE: 'webgpu', GRAFT_WEBGPU: join(scratch, 'nowhere') }
    await assert.rejects(run(process.execPath, ['--input-type=module', '-e', `await import(${engineModule})`], { env }), (error: { stderr: string }) => {
      assert.match(error.stderr, /GraftError: GRAFT_ENGINE=webgpu: GRAFT_WEBGPU: no webgpu in .+; node install\.js --engine webgpu installs it\./)
      return true
    })
  })
})
