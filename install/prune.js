import { existsSync, lstatSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { packagesOnlyFor } from './unloaded.js'

/**
 * Removes from a folder's `node_modules` what this machine never loads: binaries of other platforms and of Nodes that are too old,
 * bundles for browsers, source maps, and dependencies of dependencies that nothing here asks for. Returns the bytes freed.
 */
export function prune(folder, platform = process.platform, arch = process.arch) {
  const modules = join(folder, 'node_modules')
  let freed = 0
  const drop = path => {
    if (!existsSync(path)) return
    freed += sizeOf(path)
    rmSync(path, { recursive: true, force: true })
  }
  const keepOnly = (place, name) => {
    if (existsSync(join(place, name))) for (const other of foldersIn(place)) if (other !== name) drop(join(place, other))
  }
  const lock = join(folder, 'package-lock.json')
  if (existsSync(lock)) for (const path of packagesOnlyFor(JSON.parse(readFileSync(lock, 'utf8')).packages)) drop(join(folder, path))

  const onnx = join(modules, 'onnxruntime-node', 'bin')
  for (const version of foldersIn(onnx)) {
    keepOnly(join(onnx, version), platform)
    keepOnly(join(onnx, version, platform), arch)
  }
  const zeromq = join(modules, 'zeromq', 'build')
  keepOnly(zeromq, platform)
  keepOnly(join(zeromq, platform), arch)
  // Each binary names Node's ABI from which on it is for: 127 is Node 22's.
  const binaries = join(zeromq, platform, arch, 'node')
  for (const name of foldersIn(binaries)) if (Number(/\d+/.exec(name)) < 127) drop(join(binaries, name))

  keepOnly(join(modules, 'webgpu', 'dist'), platform === 'darwin' ? 'darwin-universal' : `${platform}-${arch}`)

  const turbo = join(modules, '@julusian', 'jpeg-turbo', 'prebuilds')
  for (const name of foldersIn(turbo)) if (!name.startsWith(`jpeg-turbo-${platform}-${arch}`)) drop(join(turbo, name))

  for (const name of ['dist/iife', 'dist/node', 'test']) drop(join(modules, 'h5wasm', name))
  // zeromq loads the loader alone; the rest compiles C++.
  for (const path of walk(join(modules, 'cmake-ts'))) if (!/^loader\.|^package\.json$/.test(basename(path))) drop(path)
  for (const name of foldersIn(join(modules, '@tensorflow')).filter(name => name.startsWith('tfjs'))) {
    // Node loads the one `*.node.js` of each, TypeScript the declarations, the engine its .wasm; the rest is for bundlers and browsers.
    for (const path of walk(join(modules, '@tensorflow', name, 'dist'))) if (!/(\.node\.js|\.d\.ts|\.wasm)$/.test(path)) drop(path)
  }
  for (const path of walk(modules)) if (path.endsWith('.map')) drop(path)
  return freed
}

/** The same for `.venv`: source maps, packages' own tests, what only the classic notebook shows, and the setuptools of old Pythons. */
export function pruneVenv(venv) {
  const sites = [...['lib', 'lib64'].flatMap(lib => foldersIn(join(venv, lib)).map(name => join(venv, lib, name, 'site-packages'))), join(venv, 'Lib', 'site-packages')]
  const drop = path => rmSync(path, { recursive: true, force: true })
  drop(join(venv, 'share', 'jupyter', 'nbextensions'))
  for (const site of sites) {
    drop(join(site, 'widgetsnbextension', 'static'))
    for (const name of foldersIn(site)) {
      if (/^(setuptools(-.*)?|pkg_resources|_distutils_hack)$/.test(name)) drop(join(site, name))
      else for (const tests of ['test', 'tests']) drop(join(site, name, tests))
    }
    drop(join(site, 'distutils-precedence.pth'))
  }
  for (const path of walk(venv)) if (/\.(js|css|mjs)\.map$/.test(path)) drop(path)
}

const foldersIn = path => existsSync(path) ? readdirSync(path, { withFileTypes: true }).filter(entry => entry.isDirectory()).map(entry => entry.name) : []

function* walk(folder) {
  for (const entry of existsSync(folder) ? readdirSync(folder, { withFileTypes: true }) : []) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) yield* walk(path)
    else yield path
  }
}

/** The bytes of a file or of all that is in a folder. */
export function sizeOf(path) {
  const stat = lstatSync(path)
  return stat.isDirectory() ? readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0) : stat.size
}
