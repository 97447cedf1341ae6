import { spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { ownEnvironment } from './home.js'
import { pythonOf, root, venv } from './place.js'
import { SetupError } from './say.js'

/** The environment in which the project's own Jupyter finds its kernel and nobody else's settings get in the way. */
const jupyterEnv = () => ({ ...ownEnvironment(), JUPYTER_PREFER_ENV_PATH: '1', PYTHONUNBUFFERED: '1', PYTHONWARNINGS: 'ignore' })

/**
 * Executes a notebook headless and writes the executed copy. `parameters` are `name=value` for the cell tagged `parameters`.
 * Resolves to the exit code: 0 if every cell ran.
 */
export function executeNotebook(path, out = path.replace(/\.ipynb$/, '') + '.executed.ipynb', parameters = []) {
  const source = resolve(path), target = resolve(out)
  if (!existsSync(source)) {
    const near = existsSync(dirname(source)) ? readdirSync(dirname(source)).filter(name => name.endsWith('.ipynb')) : []
    throw new SetupError(`no such notebook: ${path}.${near.length ? ` In ${dirname(path)}: ${near.join(', ')}` : ''}`)
  }
  if (!existsSync(dirname(target))) throw new SetupError(`no such folder for the executed notebook: ${dirname(out)}`)
  console.log(`\nExecuting ${basename(source)}`)
  return attached(pythonOf(venv), [join(root, 'install', 'execute.py'), source, target, ...parameters]).then(code => {
    if (code === 0) console.log(`\nExecuted: ${target}`)
    return code
  })
}

/** Opens JupyterLab on the notebooks, trusted, in the browser. Resolves to the exit code when it is closed. */
export async function openLab(args = []) {
  const notebooks = join(root, 'notebooks')
  const own = readdirSync(notebooks).filter(name => name.endsWith('.ipynb')).map(name => join(notebooks, name))
  if (own.length) await attached(pythonOf(venv), ['-m', 'nbformat.sign', ...own], { stdio: 'ignore' })
  return attached(pythonOf(venv), ['-m', 'jupyterlab', '--ServerApp.root_dir', notebooks, '--ip=127.0.0.1', ...args])
}

function attached(command, args, options = {}) {
  return new Promise((done, failed) => {
    const child = spawn(command, args, { stdio: 'inherit', env: jupyterEnv(), ...options })
    const pass = signal => child.kill(signal)
    process.on('SIGINT', pass).on('SIGTERM', pass)
    child.on('error', error => failed(new SetupError(`could not start ${command}: ${error.message}. Run node install.js first.`)))
    child.on('close', code => {
      process.off('SIGINT', pass).off('SIGTERM', pass)
      done(code ?? 130)
    })
  })
}
