import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { cudaFor } from '../../../../../lib/engine/tensorflow/cuda.ts'

const scratch = mkdtempSync(join(tmpdir(), 'graft-cuda-'))
after(() => rmSync(scratch, { recursive: true }))

const metadata = `Name: tensorflow
Requires-Dist: numpy>=1.26.0
Requires-Dist: nvidia-cublas-cu12<13.0,>=12.5.3.2; extra == "and-cuda"
Requires-Dist: nvidia-cudnn-cu12<10.0,>=9.3.0.75; extra == "and-cuda"
`
const described = ['tensorflow-2.21.0.dist-info/METADATA', 'nvidia_cublas_cu12-12.9.0.dist-info/METADATA', 'nvidia_cudnn_cu12-9.8.0.dist-info/METADATA']

/** A site-packages folder and a machine, in small. */
function made(name: string, packages: string[], machine: string[]) {
  const all = [...packages.map(path => join('site', path)), 'site/tensorflow/libtensorflow_cc.so.2', ...machine.map(path => join('machine', path))]
  for (const path of all) {
    mkdirSync(dirname(join(scratch, name, path)), { recursive: true })
    writeFileSync(join(scratch, name, path), path.includes('/tensorflow-2') ? metadata : '')
  }
  const folder = join(scratch, name, 'site', 'tensorflow')
  return cudaFor({ folder, version: '2.21.0', framework: '', main: '', from: '' }, join(scratch, name, 'machine'))
}

test('a driver, the wheel for cards and all that it asks for beside it are enough, on Linux and under Windows\'s', () => {
  for (const [i, file] of ['proc/driver/nvidia/version', 'dev/nvidiactl', 'usr/lib/wsl/lib/libcuda.so.1'].entries())
    assert.deepEqual(made(`whole${i}`, described, [file]), { ready: true })
})

for (const [name, packages, machine, expected] of [
  ['no driver', described, [], /^there is no NVIDIA driver here$/],
  ['the wheel for processors', ['tensorflow_cpu-2.21.0.dist-info/METADATA'], ['dev/nvidiactl'], /is the one for processors alone; pip install 'tensorflow\[and-cuda\]==2\.21\.0' in a virtual environment that GRAFT_TENSORFLOW names brings/],
  ['both wheels', [...described, 'tensorflow_cpu-2.21.0.dist-info/METADATA'], ['dev/nvidiactl'], /is the one for processors alone/],
  ['a library is missing', described.slice(0, 2), ['dev/nvidiactl'], /there is no nvidia-cudnn-cu12; pip install .* brings them$/],
] as const) test(`${name}: the reason is told`, () => {
  const cuda = made(name, [...packages], [...machine])
  assert.ok(!cuda.ready)
  assert.equal(cuda.card, machine.length > 0)
  assert.match(cuda.without, expected)
})
