import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { bundle, wheels } from './bundled.js'
import { ownEnvironment } from './home.js'
import { putTranslator } from './papermill.js'
import { fingerprint, logFile, noteState, pythonOf, readState, root, venv } from './place.js'
import { systemOf } from './platforms.js'
import { pruneVenv } from './prune.js'
import { registryHint } from './registry.js'
import { run, SetupError } from './say.js'

/** The pip that is brought where a Python has none of its own: its wheel and checksum. */
export const pipWheel = ['pip-25.3-py3-none-any.whl', '9655943313a94722b7774661c21049070f6bbb0a1516bf02f7c8d5d9201514cd']
export const requirements = join(root, 'install', 'requirements.txt')

/** The Pythons to try: those on the PATH, then those that uv, pyenv and conda keep in the home folder. */
function candidates() {
  if (process.env.GRAFT_SETUP_PYTHON) return [[process.env.GRAFT_SETUP_PYTHON]]
  const home = homedir()
  const kept = [join(home, '.local', 'share', 'uv', 'python'), join(home, '.pyenv', 'versions')]
    .flatMap(folder => existsSync(folder) ? readdirSync(folder).map(name => join(folder, name)).sort().reverse() : [])
  const own = [...kept, ...['miniforge3', 'miniconda3', 'anaconda3'].map(name => join(home, name))].map(folder => [pythonOf(folder)])
  return [...systemOf().pythons, ...own.filter(([path]) => existsSync(path))]
}

/**
 * The first Python ≥ 3.10 that can make a virtual environment, as `{ command, version, ensurepip, managed }`: one without `ensurepip`,
 * as Debian and Ubuntu have it, will do; `managed` says that its own packages are the system's (PEP 668).
 * `GRAFT_SETUP_PYTHON` names one to use instead of those on the PATH.
 */
export async function findPython(tried = candidates()) {
  const seen = []
  for (const [command, ...args] of tried) {
    const answer = await run(command, [...args, '-c', probe], { env: ownEnvironment() }).catch(() => '')
    const found = /^Python (\d+)\.(\d+)\.(\d+) (\w+) (\w+) (\w+)/m.exec(answer)
    if (!found) continue
    const version = found.slice(1, 4).join('.'), [venv, ensurepip, managed] = found.slice(4).map(word => word === 'True')
    if (Number(found[1]) === 3 && Number(found[2]) >= 10 && venv) return { command: [command, ...args], version, ensurepip, managed }
    seen.push(`${command} ${version}${venv ? '' : ' (without venv)'}`)
  }
  throw new SetupError('JupyterLab needs Python ≥ 3.10 with venv; ' +
    (seen.length ? `found only ${seen.join(', ')}.` : `found none (looked for ${[...new Set(tried.map(([command]) => command))].join(', ')}).`) +
    '\nWithout root: unpack one with conda or `uv python install`; GRAFT_SETUP_PYTHON names it if it lies elsewhere. With root: apt install python3-venv.' +
    '\nWithout Python: node install.js --no-jupyter; notebooks then run by `node cli/graft.js run`. A Jupyter you have already: node install.js --user.')
}

const probe = `import sys
try:
    import venv
    has_venv = True
except ImportError:
    has_venv = False
try:
    import ensurepip
    has_pip = True
except ImportError:
    has_pip = False
try:
    import os, sysconfig
    managed = os.path.exists(os.path.join(sysconfig.get_path('stdlib'), 'EXTERNALLY-MANAGED'))
except ImportError:
    managed = False
sys.stdout.write('Python %d.%d.%d %s %s %s' % (tuple(sys.version_info[:3]) + (has_venv, has_pip, managed)))`

const mark = () => fingerprint([requirements], root)

/** Whether `.venv` was made whole, here and from these pins. */
export const venvIsThere = () => existsSync(pythonOf(venv)) && readState().venv === mark()

/** Makes the project's own `.venv` with JupyterLab at the pinned versions. Returns a word for the step's line. */
export async function makeVenv() {
  if (venvIsThere() && await works()) return 'already there'
  const python = await findPython()
  noteState('venv', undefined)
  rmSync(venv, { recursive: true, force: true })
  await emptyVenv(python)
  await pip(['install', '--only-binary=:all:', '--no-compile', ...bundle() ? ['--no-index', '--find-links', wheels] : [], '-r', requirements])
  pruneVenv(venv)
  putTranslator(venv)
  quietNews()
  // Compiles what a start loads, and only that.
  if (!await works()) throw new SetupError(`JupyterLab was installed, but does not start. All output: ${logFile}`)
  noteState('venv', mark())
  return `Python ${python.version}`
}

/** An empty virtual environment with pip in it, whether this Python brings one or not. */
async function emptyVenv({ command: [command, ...args], version, ensurepip }) {
  const env = ownEnvironment()
  await run(command, [...args, '-m', 'venv', ...ensurepip ? [] : ['--without-pip'], venv], { log: logFile, env, hint: `Python ${version} could not make ${venv}.` })
  if (ensurepip) return
  await run(pythonOf(venv), [join(root, 'install', 'bring_pip.py'), ...pipWheel, ...bundle() ? [wheels] : []], { log: logFile, env, hint: registryHint })
}

const pip = args => run(pythonOf(venv), ['-m', 'pip', ...args], { log: logFile, env: ownEnvironment(), hint: registryHint })

const works = () => run(pythonOf(venv), ['-c', 'import jupyterlab.labapp, ipykernel.kernelapp, nbclient, nbconvert'], { env: ownEnvironment() }).then(() => true, () => false)

/** JupyterLab asks at first start whether to fetch news; the answer here is no. */
function quietNews() {
  const folder = join(venv, 'share', 'jupyter', 'lab', 'settings')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'overrides.json'), JSON.stringify({ '@jupyterlab/apputils-extension:notification': { fetchNews: 'false', checkForUpdates: false } }))
}
