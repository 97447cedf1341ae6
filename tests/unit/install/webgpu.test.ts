import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { root } from '../../../install/place.js'
import { installWebGPU, packages, webgpuIsThere } from '../../../install/webgpu.js'
import { findWebGPU } from '../../../lib/engine/webgpu/find.ts'

const scratch = mkdtempSync(join(tmpdir(), 'graft-webgpu-'))
after(() => rmSync(scratch, { recursive: true }))

const system = process.platform === 'darwin' ? 'darwin-universal' : `${process.platform}-${process.arch}`

/** What npm brings, in small. */
const npm = (dawn: string = packages.webgpu) => async (folder: string) => {
  const files = { 'webgpu/package.json': `{"version":"${dawn}"}`, '@tensorflow/tfjs-backend-webgpu/package.json': `{"version":"${packages['@tensorflow/tfjs-backend-webgpu']}"}` }
  for (const path of [...Object.keys(files), 'webgpu/index.js', `webgpu/dist/${system}/dawn.node`, 'webgpu/dist/elsewhere-x64/dawn.node', 'debug/index.js',
    '@tensorflow/tfjs-backend-webgpu/dist/tf-backend-webgpu.node.js', '@tensorflow/tfjs-backend-webgpu/dist/tf-backend-webgpu.min.js', '@tensorflow/tfjs-backend-cpu/dist/a.js']) {
    mkdirSync(dirname(join(folder, 'node_modules', path)), { recursive: true })
    writeFileSync(join(folder, 'node_modules', path), (files as Record<string, string>)[path] ?? '')
  }
}

test('of what npm brings the two packages stay, for this machine alone; a second time there is nothing to do; the library finds them', async () => {
  const folder = join(scratch, 'whole'), modules = join(folder, 'node_modules')
  assert.match(await installWebGPU(folder, npm()), /^webgpu \d+\.\d+\.\d+, \d+ MB$/)
  assert.deepEqual(readdirSync(modules).sort(), ['@tensorflow', 'webgpu'])
  assert.deepEqual(readdirSync(join(modules, '@tensorflow')), ['tfjs-backend-webgpu'])
  assert.deepEqual(readdirSync(join(modules, 'webgpu', 'dist')), [system])
  assert.deepEqual(readdirSync(join(modules, '@tensorflow', 'tfjs-backend-webgpu', 'dist')), ['tf-backend-webgpu.node.js'])
  assert.equal(await installWebGPU(folder, npm()), 'already there')
  const found = findWebGPU({ GRAFT_WEBGPU: folder })
  assert.ok(typeof found === 'object' && found.version === packages.webgpu && found.from === 'GRAFT_WEBGPU')
})

test('what npm could not bring leaves nothing in its place', async () => {
  const folder = join(scratch, 'broken')
  await assert.rejects(installWebGPU(folder, npm('0.0.1')), /npm brought no webgpu and @tensorflow\/tfjs-backend-webgpu/)
  assert.ok(!existsSync(folder) && !webgpuIsThere(folder))
})

test('the versions are those that the tests run with', () => {
  const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  for (const [name, version] of Object.entries(packages)) assert.equal(devDependencies[name], version)
})
