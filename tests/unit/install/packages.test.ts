import assert from 'node:assert/strict'
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { parseSync } from 'oxc-parser'
import { root } from '../../../install/place.js'
import { prune, pruneVenv } from '../../../install/prune.js'
import { packagesOnlyFor } from '../../../install/unloaded.js'

const folder = mkdtempSync(join(tmpdir(), 'graft-modules-')), modules = join(folder, 'node_modules')
after(() => rmSync(folder, { recursive: true, force: true }))

function fill(place: string, paths: string[]) {
  for (const path of paths) {
    mkdirSync(dirname(join(place, path)), { recursive: true })
    writeFileSync(join(place, path), '1234')
  }
}

test('other platforms\' binaries go, this one\'s and all sources stay', () => {
  const keep = ['onnxruntime-node/bin/napi-v6/linux/x64/a.node', 'zeromq/build/linux/x64/node/glibc-127-Release/addon.node', 'zeromq/build/manifest.json',
    'webgpu/dist/linux-x64/dawn.node', 'webgpu/index.js', '@julusian/jpeg-turbo/prebuilds/jpeg-turbo-linux-x64-musl/libturbojpeg.so.0', 'cmake-ts/package.json', 'cmake-ts/build/loader.js', 'h5wasm/dist/esm/hdf5_util.js',
    '@tensorflow/tfjs/dist/tf.node.js', '@tensorflow/tfjs-core/dist/index.d.ts', '@tensorflow/tfjs-backend-wasm/dist/a.wasm']
  const drop = ['@julusian/jpeg-turbo/prebuilds/jpeg-turbo-linux-arm64/libturbojpeg.so.0', 'onnxruntime-node/bin/napi-v6/linux/arm64/a.node', 'onnxruntime-node/bin/napi-v6/darwin/arm64/a.node', 'webgpu/dist/win32-x64/dxcompiler.dll', 'webgpu/dist/darwin-universal/dawn.node', 'zeromq/build/win32/x64/addon.node',
    'zeromq/build/linux/x64/node/64/addon.node', 'zeromq/build/linux/x64/node/glibc-115-Release/addon.node', 'cmake-ts/build/main.js', 'h5wasm/dist/iife/h5wasm.js', 'tslib/tslib.js.map',
    '@tensorflow/tfjs/dist/tf.min.js', '@tensorflow/tfjs/dist/tf.es2017.js', '@tensorflow/tfjs/dist/tf.node.js.map', '@tensorflow/tfjs-core/dist/ops/add.js']
  fill(modules, [...keep, ...drop])
  assert.equal(prune(folder, 'linux', 'x64'), drop.length * 4)
  for (const path of keep) assert.ok(existsSync(join(modules, path)), `${path} stays`)
  for (const path of drop) assert.ok(!existsSync(join(modules, path)), `${path} goes`)
  assert.equal(prune(folder, 'linux', 'x64'), 0)
})

test('of .venv go source maps, tests, the classic notebook and setuptools; the rest stays', () => {
  const venv = join(folder, 'venv'), site = 'lib/python3.11/site-packages'
  const keep = [`${site}/tornado/web.py`, `${site}/widgetsnbextension/__init__.py`, 'share/jupyter/lab/static/main.js']
  const drop = [`${site}/tornado/test/a.py`, `${site}/setuptools/a.py`, `${site}/widgetsnbextension/static/a.js`, 'share/jupyter/nbextensions/a.js', 'share/jupyter/lab/static/main.js.map']
  fill(venv, [...keep, ...drop])
  pruneVenv(venv)
  for (const path of keep) assert.ok(existsSync(join(venv, path)), `${path} stays`)
  for (const path of drop) assert.ok(!existsSync(join(venv, path)), `${path} goes`)
})

test('what only an unloaded package asks for goes with it; what another asks for too stays', () => {
  const packages = {
    '': { dependencies: { a: '1' }, devDependencies: { d: '1' } },
    'node_modules/a': { dependencies: { cut: '1', shared: '1' } }, 'node_modules/a/node_modules/inner': {}, 'node_modules/d': {},
    'node_modules/cut': { dependencies: { shared: '1', alone: '1' } }, 'node_modules/shared': {}, 'node_modules/alone': { optionalDependencies: { none: '1' } },
  }
  assert.deepEqual(packagesOnlyFor(packages, { a: ['cut'] }), ['node_modules/a/node_modules/inner', 'node_modules/cut', 'node_modules/alone'])
})

test('what ships asks for the packages of dependencies, and for each of them', () => {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const imported = new Set<string>()
  for (const path of globSync('{kernel,lib,cli,install}/**/*.{ts,js}', { cwd: root, exclude: ['**/*.as.ts', '**/wasm/build.js'] })) {
    const text = readFileSync(join(root, path), 'utf8'), { staticImports, staticExports } = parseSync(path, text).module
    const from = [...staticImports.map(one => one.moduleRequest.value), ...staticExports.flatMap(one => one.entries.map(entry => entry.moduleRequest?.value ?? '.'))]
    const lazy = [...text.matchAll(/\b(?:import|require|resolve)\('([^']+)'\)/g)].map(([, name]) => name)
    for (const name of [...from, ...lazy]) if (!/^(\.|\/|#|node:|https:)/.test(name)) imported.add(name.split('/').slice(0, name.startsWith('@') ? 2 : 1).join('/'))
  }
  const names = Object.keys(dependencies)
  assert.deepEqual([...imported].filter(name => !names.includes(name) && !['graft', '@graft-kernel/graft', 'tslab'].includes(name)), [])
  // Declarations alone: Node's for cells, those that onnxruntime-node's refer to.
  assert.deepEqual(names.filter(name => !imported.has(name) && !['@types/node', 'onnxruntime-common'].includes(name)), [])
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
