import { existsSync, lstatSync, readdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fingerprint, logFile, noteState, readState, root, windows } from './place.js'
import { networkHint, run, SetupError } from './say.js'

/** npm as a command: the one that runs this script, the one beside this Node, or the one on the PATH. */
export function npmCommand() {
  if (/npm-cli\.js$/.test(process.env.npm_execpath ?? '')) return [process.execPath, process.env.npm_execpath]
  const beside = join(dirname(process.execPath), windows ? 'node_modules/npm/bin/npm-cli.js' : '../lib/node_modules/npm/bin/npm-cli.js')
  return existsSync(beside) ? [process.execPath, beside] : [windows ? 'npm.cmd' : 'npm']
}

/**
 * Installs the npm packages exactly as the lock file says, with install scripts off, and removes other platforms' binaries.
 * `dev` adds what only the tests need. Returns a word for the step's line.
 */
export async function installPackages({ dev = false } = {}) {
  const lock = join(root, 'package-lock.json')
  // Whoever has run the tests here keeps what they need.
  dev ||= existsSync(join(root, 'node_modules', 'playwright-core'))
  const full = fingerprint([lock], process.platform, process.arch, 'with dev')
  const lean = fingerprint([lock], process.platform, process.arch)
  const present = existsSync(join(root, 'node_modules', 'zeromq')) ? readState().packages : undefined
  if (present === full || (present === lean && !dev)) return 'already there'
  const [npm, ...first] = npmCommand()
  await run(npm, [...first, 'ci', '--ignore-scripts', '--no-audit', '--no-fund', ...dev ? [] : ['--omit=dev']], {
    cwd: root, log: logFile,
    hint: `The whole output is in ${logFile}. ${networkHint}\nIf npm itself is missing, install it (Debian and Ubuntu: apt install npm).`,
  }).catch(error => {
    throw /ENOSPC/.test(error.message) ? new SetupError(`no space left on the disk of ${root}: npm's packages take about 450 MB. Free some and run again.`) : error
  })
  const freed = prune()
  noteState('packages', dev ? full : lean)
  return `${dev ? 'with those for tests, ' : ''}other platforms' ${Math.round(freed / 1e6)} MB removed`
}

/** Removes binaries of other platforms, and bundles and source maps that Node never loads. Returns the bytes freed. */
export function prune(modules = join(root, 'node_modules'), platform = process.platform, arch = process.arch) {
  let freed = 0
  const drop = path => {
    if (!existsSync(path)) return
    freed += sizeOf(path)
    rmSync(path, { recursive: true, force: true })
  }
  const keepOnly = (folder, name) => {
    if (!existsSync(join(folder, name))) return
    for (const other of readdirSync(folder, { withFileTypes: true })) if (other.isDirectory() && other.name !== name) drop(join(folder, other.name))
  }
  const onnx = join(modules, 'onnxruntime-node', 'bin')
  for (const version of existsSync(onnx) ? readdirSync(onnx) : []) {
    keepOnly(join(onnx, version), platform)
    keepOnly(join(onnx, version, platform), arch)
  }
  keepOnly(join(modules, 'zeromq', 'build'), platform)
  keepOnly(join(modules, 'zeromq', 'build', platform), arch)
  const tensorflow = join(modules, '@tensorflow')
  for (const name of existsSync(tensorflow) ? readdirSync(tensorflow) : []) {
    const dist = join(tensorflow, name, 'dist')
    // Node loads the one `*.node.js` of each, TypeScript the declarations, the engine its .wasm; the rest is for bundlers and browsers.
    const isForNode = /(\.node\.js|\.d\.ts|\.wasm)$/
    if (/^tfjs($|-core|-layers|-data|-converter|-backend)/.test(name) && existsSync(dist)) for (const path of walk(dist)) if (!isForNode.test(path)) drop(path)
  }
  return freed
}

function* walk(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) yield* walk(path)
    else yield path
  }
}

function sizeOf(path) {
  const stat = lstatSync(path)
  return stat.isDirectory() ? readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0) : stat.size
}
