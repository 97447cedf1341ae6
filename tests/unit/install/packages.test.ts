import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { root } from '../../../install/place.js'
import { prune } from '../../../install/packages.js'

const modules = mkdtempSync(join(tmpdir(), 'graft-modules-'))
after(() => rmSync(modules, { recursive: true, force: true }))

test('other platforms\' binaries go, this one\'s and all sources stay', () => {
  const keep = ['onnxruntime-node/bin/napi-v6/linux/x64/a.node', 'zeromq/build/linux/x64/addon.node', 'zeromq/build/manifest.json',
    '@tensorflow/tfjs/dist/tf.node.js', '@tensorflow/tfjs-core/dist/index.d.ts', '@tensorflow/tfjs-backend-wasm/dist/a.wasm',
    '@tensorflow/tfjs-node-gpu/dist/index.js']
  const drop = ['onnxruntime-node/bin/napi-v6/linux/arm64/a.node', 'onnxruntime-node/bin/napi-v6/darwin/arm64/a.node', 'zeromq/build/win32/x64/addon.node',
    '@tensorflow/tfjs/dist/tf.min.js', '@tensorflow/tfjs/dist/tf.es2017.js', '@tensorflow/tfjs/dist/tf.node.js.map', '@tensorflow/tfjs-core/dist/ops/add.js']
  for (const path of [...keep, ...drop]) {
    mkdirSync(dirname(join(modules, path)), { recursive: true })
    writeFileSync(join(modules, path), '1234')
  }
  assert.equal(prune(modules, 'linux', 'x64'), drop.length * 4)
  for (const path of keep) assert.ok(existsSync(join(modules, path)), `${path} stays`)
  for (const path of drop) assert.ok(!existsSync(join(modules, path)), `${path} goes`)
  assert.equal(prune(modules, 'linux', 'x64'), 0)
})

test('the lock file holds every package of every platform, by version and checksum and without an address', () => {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as { packages: Record<string, any> }
  for (const [path, { version, integrity, resolved, optionalDependencies = {}, dependencies = {} }] of Object.entries(packages)) {
    if (!path) continue
    assert.ok(version && integrity, `${path} has no version or checksum`)
    assert.equal(resolved, undefined, `${path} names an address`)
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const places = [`${path}/node_modules/${name}`, `node_modules/${name}`]
      assert.ok(places.some(place => packages[place]) || path.split('/node_modules/').length > 2, `${path} wants ${name}, which the lock file lacks`)
    }
  }
})
