import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { engines } from './engine.js'
import { ownEnvironment } from './home.js'
import { fetchNode, kernelNode } from './node.js'
import { installPackagesInto, packagesMark } from './packages.js'
import { logFile, pythonOf, root, stateFolder, venv } from './place.js'
import { pipWheel, requirements } from './python.js'
import { registryHint } from './registry.js'
import { run, SetupError, step } from './say.js'
import { sizeOf } from './prune.js'

/** The Pythons that a bundle serves: wheels are taken for each. */
const pythons = ['3.10', '3.11', '3.12', '3.13', '3.14']
/** What Python 3.10 needs besides: pip chooses by the Python that it runs in, not by the one it downloads for. */
const forOlder = ['exceptiongroup', 'tomli', 'typing_extensions', 'ipython<9']

/**
 * Makes a copy of everything for machines of the same kind that have no network: Node, npm packages, Python wheels, and models of
 * TensorFlow Hub. There, `node install.js` works as ever and downloads nothing. A target that ends in `.tar.gz` is packed.
 */
export async function makeBundle(target, { models = [], engine } = {}) {
  const packed = /\.(tar\.gz|tgz)$/.test(target), folder = resolve(target.replace(/\.(tar\.gz|tgz)$/, ''))
  if (existsSync(folder) && readdirSync(folder).length) throw new SetupError(`--bundle: ${folder} is not empty; name a new folder.`)
  if (!existsSync(dirname(folder))) throw new SetupError(`--bundle: no such folder: ${dirname(folder)}`)
  const state = join(folder, '.graft')
  console.log(`\nBundling for ${process.platform}-${process.arch}`)
  await step('Sources', () => copySources(folder))
  await step('Node', () => fetchNode(state))
  await step('npm packages', async () => { await installPackagesInto(folder, false) })
  const served = (await step('Python wheels', () => wheelsFor(join(state, 'wheels')))).split(', ')
  if (engine) await step(engines[engine].title, () => cpSync(join(stateFolder, engine), join(state, engine), { recursive: true }))
  for (const handle of models) await step(handle, () => fetchModel(handle, join(state, 'hub')))
  writeFileSync(join(state, 'state.json'), JSON.stringify({ packages: packagesMark(false, folder) }))
  writeFileSync(join(state, 'bundle.json'), JSON.stringify({ platform: process.platform, arch: process.arch, pythons: served }))
  writeFileSync(join(folder, 'START-HERE.txt'), startHere)
  if (packed) await step('Archive', () => { execFileSync('tar', ['czf', resolve(target), '-C', dirname(folder), basename(folder)]) })
  console.log(`\nBundled: ${packed ? resolve(target) : folder}, ${Math.round(sizeOf(packed ? resolve(target) : folder) / 1e6)} MB. On the other machine: see START-HERE.txt`)
  if (packed) rmSync(folder, { recursive: true })
}

const startHere = `Graft, for machines without network. In this folder:

    .graft/node/bin/node install.js --lab        (Windows: .graft\\node\\bin\\node.exe install.js --lab)

JupyterLab wants a Python with venv, which most systems have. Without one:

    .graft/node/bin/node install.js --no-jupyter
    .graft/node/bin/node cli/graft.js run notebooks/1-feature-extraction.ipynb
`

/** What is in the clone, less what set-up and git have put there, and what is only for its development. */
function copySources(folder) {
  const leave = new Set(['.git', '.graft', '.venv', 'node_modules', 'tests', 'bench'])
  mkdirSync(folder, { recursive: true })
  for (const name of readdirSync(root)) {
    if (!leave.has(name) && resolve(root, name) !== folder) cpSync(join(root, name), join(folder, name), { recursive: true, filter: path => !/\.executed\.ipynb$/.test(path) })
  }
}

/** Downloads the wheels for each Python there are wheels for. Resolves to those Pythons, `3.11, 3.12`. */
async function wheelsFor(folder) {
  mkdirSync(folder, { recursive: true })
  const download = (...args) => run(pythonOf(venv), ['-m', 'pip', 'download', '--only-binary=:all:', '-d', folder, ...args], { log: logFile, hint: registryHint, env: ownEnvironment() })
  await download('--no-deps', pipWheel[0].replace(/^pip-(.*?)-.*$/, 'pip==$1'))
  const served = []
  for (const version of pythons) {
    try {
      await download('--python-version', version, '-r', requirements, ...version === '3.10' ? forOlder : [])
      served.push(version)
    } catch (error) {
      if (!/No matching distribution|ResolutionImpossible/.test(error.message)) throw error
    }
  }
  return served.join(', ')
}

async function fetchModel(handle, folder) {
  const script = "import('./lib/hub/resolve.ts').then(({ resolve }) => resolve(process.argv[1]))"
  // Caches of this user's own are passed over, so that the model is in the bundle's.
  const none = join(folder, 'none'), env = { ...process.env, TFHUB_CACHE_DIR: folder, GRAFT_CACHE_DIR: none, KAGGLEHUB_CACHE: none }
  await run(kernelNode(), ['--disable-warning=ExperimentalWarning', '-e', script, '--', handle], { cwd: root, log: logFile, env })
}
