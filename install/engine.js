import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { ownEnvironment } from './home.js'
import { logFile, pythonOf, stateFolder, venv } from './place.js'
import { machineOf } from './platforms.js'
import { sizeOf } from './prune.js'
import { findPython } from './python.js'
import { registryHint } from './registry.js'
import { run, SetupError } from './say.js'
import { installWebGPU, webgpuIsThere } from './webgpu.js'

/** The version that the engine is tested with; lib/engine/tensorflow/find.ts names it too. */
export const version = '2.21.0'

/** Where the engine's libraries go: lib/engine/tensorflow/find.ts looks there. */
export const engineFolder = join(stateFolder, 'tensorflow')

/** What `--engine` takes: the title of its step, whether it is there, and what brings it. */
export const engines = {
  tensorflow: { title: 'TensorFlow', isThere: () => existsSync(join(engineFolder, describedIn(machineOf()?.tensorflow ?? ''))), install: () => installEngine() },
  webgpu: { title: 'WebGPU', isThere: webgpuIsThere, install: () => installWebGPU() },
}

/** Refuses what is no engine that can be installed, before anything is done. */
export function checkEngine(name, platform = process.platform, arch = process.arch) {
  if (!Object.hasOwn(engines, name)) throw new SetupError(`--engine: expected ${Object.keys(engines).join(' or ')}; received '${name}'. The other engines, WASM and ONNX Runtime, are always there.`)
  if (name === 'webgpu') return
  if (platform === 'win32') throw new SetupError('--engine tensorflow: on Windows the TensorFlow wheel does not offer its C functions. WSL 2 runs the Linux one.')
  if (!machineOf(platform, arch)?.tensorflow) throw new SetupError(`--engine tensorflow: PyPI has no TensorFlow ${version} for ${platform}-${arch}. WASM and ONNX Runtime are always there.`)
}

const describedIn = name => `${name.replace('-', '_')}-${version}.dist-info`

/**
 * Puts TensorFlow's two shared libraries, out of its PyPI wheel, into .graft/tensorflow; nothing else of the wheel is kept, and no
 * Python is needed to use them. `folder` and `pip` are others in tests. Returns a word for the step's line.
 */
export async function installEngine(folder = engineFolder, pip = pipInto) {
  const name = machineOf().tensorflow, described = describedIn(name)
  if (existsSync(join(folder, described))) return 'already there'
  const fresh = `${folder}.new`
  rmSync(fresh, { recursive: true, force: true })
  mkdirSync(fresh, { recursive: true })
  await pip(fresh, `${name}==${version}`)
  keepLibraries(fresh, described)
  rmSync(folder, { recursive: true, force: true })
  renameSync(fresh, folder)
  return `${name} ${version}, ${(sizeOf(folder) / 1e9).toFixed(1)} GB`
}

/** Removes from an unpacked wheel all but the libraries and the folder that says which version it is. */
export function keepLibraries(folder, described) {
  const inner = join(folder, 'tensorflow')
  const libraries = existsSync(inner) ? readdirSync(inner).filter(name => /^libtensorflow_(cc|framework)\.(so\.2|2\.dylib)$/.test(name)) : []
  if (libraries.length < 2 || !existsSync(join(folder, described))) throw new SetupError(`the wheel holds no ${libraries.length ? described : 'libtensorflow_cc'}: has its layout changed?`)
  for (const name of readdirSync(folder)) if (name !== 'tensorflow' && name !== described) rmSync(join(folder, name), { recursive: true })
  for (const name of readdirSync(inner)) if (!libraries.includes(name) && !/^(LICENSE|THIRD_PARTY)/.test(name)) rmSync(join(inner, name), { recursive: true })
}

/** The wheel alone, without the Python packages that it asks for; any Python's pip can unpack it. */
async function pipInto(folder, requirement) {
  const python = existsSync(pythonOf(venv)) ? [pythonOf(venv)] : (await findPython()).command
  await run(python[0], [...python.slice(1), '-m', 'pip', 'install', '--disable-pip-version-check', '--no-input', '--no-deps', '--no-compile', '--only-binary=:all:',
    '--python-version', '3.12', '--implementation', 'cp', '--target', folder, requirement], { log: logFile, hint: registryHint, env: ownEnvironment() })
}
