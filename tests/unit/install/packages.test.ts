import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { prune } from '../../../install/packages.js'

const modules = mkdtempSync(join(tmpdir(), 'graft-modules-'))
after(() => rmSync(modules, { recursive: true, force: true }))

test('other platforms\' binaries go, this one\'s and all sources stay', () => {
  const keep = ['onnxruntime-node/bin/napi-v6/linux/x64/a.node', 'zeromq/build/linux/x64/addon.node', 'zeromq/build/manifest.json',
    '@tensorflow/tfjs/dist/tf.node.js', '@tensorflow/tfjs-core/dist/index.d.ts', '@tensorflow/tfjs-backend-wasm/wasm-out/a.wasm']
  const drop = ['onnxruntime-node/bin/napi-v6/linux/arm64/a.node', 'onnxruntime-node/bin/napi-v6/darwin/arm64/a.node', 'zeromq/build/win32/x64/addon.node',
    '@tensorflow/tfjs/dist/tf.min.js', '@tensorflow/tfjs/dist/tf.es2017.js', '@tensorflow/tfjs/dist/index.js.map']
  for (const path of [...keep, ...drop]) {
    mkdirSync(dirname(join(modules, path)), { recursive: true })
    writeFileSync(join(modules, path), '1234')
  }
  assert.equal(prune(modules, 'linux', 'x64'), drop.length * 4)
  for (const path of keep) assert.ok(existsSync(join(modules, path)), `${path} stays`)
  for (const path of drop) assert.ok(!existsSync(join(modules, path)), `${path} goes`)
  assert.equal(prune(modules, 'linux', 'x64'), 0)
})
