import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { findTensorFlow } from '../../../../../lib/engine/tensorflow/find.ts'
import type { Wheel } from '../../../../../lib/engine/tensorflow/find.ts'

const scratch = mkdtempSync(join(tmpdir(), 'graft-find-'))
after(() => rmSync(scratch, { recursive: true }))
const suffix = process.platform === 'darwin' ? '.2.dylib' : '.so.2'

/** A folder with what a wheel leaves in it, in small. */
function unpacked(name: string, inside: string, described: string | null): string {
  const folder = join(scratch, name, inside)
  mkdirSync(join(folder, 'tensorflow'), { recursive: true })
  for (const library of ['libtensorflow_framework', 'libtensorflow_cc']) writeFileSync(join(folder, 'tensorflow', library + suffix), '')
  if (described) mkdirSync(join(folder, described))
  return join(scratch, name)
}

const venv = unpacked('venv', 'lib/python3.12/site-packages', 'tensorflow_cpu-2.21.0.dist-info')
const plain = unpacked('plain', '', 'tensorflow-2.21.1.dist-info')
const old = unpacked('old', '', 'tensorflow-2.9.1.dist-info')
const found = (env: Record<string, string>) => findTensorFlow(env) as Wheel

test('a virtual environment, a site-packages folder and the package itself are found by GRAFT_TENSORFLOW', () => {
  for (const [place, version] of [[venv, '2.21.0'], [plain, '2.21.1'], [join(plain, 'tensorflow'), '2.21.1']]) {
    const wheel = found({ GRAFT_TENSORFLOW: place })
    assert.equal(wheel.version, version)
    assert.equal(wheel.from, 'GRAFT_TENSORFLOW')
    assert.equal(wheel.main, join(wheel.folder, `libtensorflow_cc${suffix}`))
  }
})

test('the active virtual environment comes after the variable', () => {
  assert.equal(found({ VIRTUAL_ENV: venv }).from, 'the active virtual environment')
  assert.equal(found({ VIRTUAL_ENV: venv, GRAFT_TENSORFLOW: plain }).version, '2.21.1')
})

test('a version that was not tested is refused, and named', () => {
  assert.match(findTensorFlow({ GRAFT_TENSORFLOW: old }) as string, /TensorFlow 2\.9\.1 in .+ is not tested here, only 2\.21 is/)
  assert.match(findTensorFlow({ VIRTUAL_ENV: unpacked('nameless', '', null) }) as string, /of an unknown version/)
})

test('a variable that leads nowhere is not passed over', () => {
  assert.match(findTensorFlow({ GRAFT_TENSORFLOW: scratch, VIRTUAL_ENV: venv }) as string, /GRAFT_TENSORFLOW: no TensorFlow in/)
})
