import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fingerprint, logFile, noteState, pythonOf, readState, root, venv, windows } from './place.js'
import { networkHint, run, SetupError } from './say.js'

const candidates = windows ? [['py', '-3'], ['python']] : [['python3'], ['python3.13'], ['python3.12'], ['python3.11'], ['python3.10'], ['python']]

/**
 * The first Python ≥ 3.10 that can make a virtual environment, as `{ command, version }`.
 * `GRAFT_SETUP_PYTHON` names one to use instead of those on the PATH.
 */
export async function findPython(tried = process.env.GRAFT_SETUP_PYTHON ? [[process.env.GRAFT_SETUP_PYTHON]] : candidates) {
  const seen = []
  for (const [command, ...args] of tried) {
    const answer = await run(command, [...args, '-c', probe]).catch(() => '')
    const found = /^(\d+)\.(\d+)\.(\d+) (\w+)/m.exec(answer)
    if (!found) continue
    const version = found.slice(1, 4).join('.')
    if (Number(found[1]) === 3 && Number(found[2]) >= 10 && found[4] === 'yes') return { command: [command, ...args], version }
    seen.push(`${command} ${version}${found[4] === 'yes' ? '' : ' (without venv and ensurepip)'}`)
  }
  throw new SetupError('JupyterLab needs Python ≥ 3.10 with venv; ' +
    (seen.length ? `found only ${seen.join(', ')}.` : `found none (looked for ${tried.map(c => c[0]).join(', ')}).`) +
    '\nDebian and Ubuntu: apt install python3 python3-venv. Without root: a Python from conda or uv works too; name it in GRAFT_SETUP_PYTHON.' +
    '\nIf you have a Jupyter already: node install.js --user registers the kernel there and needs no Python here.')
}

const probe = `import sys
try:
    import venv, ensurepip
    ok = 'yes'
except ImportError:
    ok = 'no'
print('.'.join(map(str, sys.version_info[:3])), ok)`

/** Makes the project's own `.venv` with JupyterLab at the pinned versions. Returns a word for the step's line. */
export async function makeVenv() {
  const pins = join(root, 'install', 'requirements.txt')
  const mark = fingerprint([pins], root)
  if (existsSync(pythonOf(venv)) && readState().venv === mark && await works()) return 'already there'
  const { command: [command, ...args], version } = await findPython()
  rmSync(venv, { recursive: true, force: true })
  await run(command, [...args, '-m', 'venv', venv], { log: logFile, hint: `Python ${version} could not make ${venv}.` })
  await run(pythonOf(venv), ['-m', 'pip', 'install', '--disable-pip-version-check', '--no-input', '--only-binary=:all:', '-r', pins],
    { log: logFile, hint: `The whole output is in ${logFile}. ${networkHint}` })
  quietNews()
  noteState('venv', mark)
  return `Python ${version}`
}

const works = () => run(pythonOf(venv), ['-c', 'import jupyterlab, nbclient']).then(() => true, () => false)

/** JupyterLab asks at first start whether to fetch news; the answer here is no. */
function quietNews() {
  const folder = join(venv, 'share', 'jupyter', 'lab', 'settings')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'overrides.json'), JSON.stringify({ '@jupyterlab/apputils-extension:notification': { fetchNews: 'false', checkForUpdates: false } }))
}
