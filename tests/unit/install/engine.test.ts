import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { checkEngine, installEngine, version } from '../../../install/engine.js'
import { root } from '../../../install/place.js'
import { machineOf } from '../../../install/platforms.js'

const scratch = mkdtempSync(join(tmpdir(), 'graft-engine-'))
after(() => rmSync(scratch, { recursive: true }))

const wheel = machineOf()!.tensorflow!, described = `${wheel.replace('-', '_')}-${version}.dist-info`

/** Unpacks what a wheel holds, in small. */
async function pip(folder: string, requirement: string) {
  assert.equal(requirement, `${wheel}==${version}`)
  for (const path of ['tensorflow/libtensorflow_cc.so.2', 'tensorflow/libtensorflow_framework.so.2', 'tensorflow/python/big.so', `${described}/METADATA`, 'bin/saved_model_cli']) {
    mkdirSync(join(folder, path, '..'), { recursive: true })
    writeFileSync(join(folder, path), 'x')
  }
}

test('of the wheel the two libraries and its version stay; a second time there is nothing to do', async () => {
  const folder = join(scratch, 'tensorflow')
  assert.match(await installEngine(folder, pip), /^tensorflow.* 2\.21\.0, /)
  assert.deepEqual(readdirSync(folder).sort(), ['tensorflow', described])
  assert.deepEqual(readdirSync(join(folder, 'tensorflow')).sort(), ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'])
  assert.equal(await installEngine(folder, pip), 'already there')
})

test('a wheel that holds something else is refused, and nothing is left in its place', async () => {
  const folder = join(scratch, 'other')
  await assert.rejects(installEngine(folder, async (into: string) => { mkdirSync(join(into, 'tensorflow')) }), /the wheel holds no libtensorflow_cc/)
  assert.ok(!existsSync(folder))
})

test('the version is one that the engine takes', () => {
  const [, tested] = /export const tested = \['(.+)'\]/.exec(readFileSync(join(root, 'lib/engine/tensorflow/find.ts'), 'utf8'))!
  assert.ok(version.startsWith(`${tested}.`))
})

test('an engine that cannot be installed is refused before anything is done', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'install.js'), '--engine', 'cuda'], { encoding: 'utf8' })
  assert.equal(status, 1)
  assert.equal(stdout, '')
  assert.match(stderr, /--engine: expected tensorflow or webgpu; received 'cuda'/)
})

for (const [platform, arch, expected] of [
  ['win32', 'x64', /WSL 2 runs the Linux one/], ['darwin', 'x64', /no TensorFlow 2\.21\.0 for darwin-x64/], ['freebsd', 'x64', /for freebsd-x64/],
] as const) test(`--engine says where TensorFlow has nothing for a machine: ${platform}-${arch}`, () => {
  assert.throws(() => checkEngine('tensorflow', platform, arch), expected)
})
