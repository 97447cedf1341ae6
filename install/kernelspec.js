import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { kernelNode } from './node.js'
import { root, stateFolder, venv } from './place.js'
import { run, SetupError } from './say.js'

/** The kernelspec (Jupyter: "Kernel specs"): how a Jupyter starts Graft. All paths are absolute. */
export const kernelJson = share => ({
  argv: [kernelNode(), join(root, 'kernel', 'main.js'), '{connection_file}'],
  display_name: 'TypeScript (Graft)',
  language: 'typescript',
  interrupt_mode: 'message',
  // With anywidget beside it the training plot has buttons; a front end without it would show an error in their place.
  env: { NODE_COMPILE_CACHE: join(stateFolder, 'compile-cache'), ...hasWidgets(share) && { GRAFT_WIDGETS: '1' } },
  // With the handshake of 5.6 the kernel chooses its ports; a connection file works as ever.
  kernel_protocol_version: '5.6',
  metadata: { debugger: true, supported_encryption: ['curve'] },
})

/** Whether the Jupyter whose `share/jupyter` this is shows anywidget's widgets. */
export const hasWidgets = share => Boolean(share) && ['anywidget', '@jupyter-widgets/jupyterlab-manager'].every(name => existsSync(join(share, 'labextensions', name)))

/** What a Jupyter lacks for widgets and how it gets them, as the end of a sentence; nothing where it has them. */
export const widgetHint = share => hasWidgets(share) ? '' : '; for widgets, install anywidget with that Jupyter\'s own pip, then run this again'

/** The `share/jupyter` folder that `target` means: the project's .venv, `--user`, `--prefix DIR`, `--sys-prefix`. */
export async function dataFolder({ user, prefix, sysPrefix } = {}) {
  if (prefix) return join(prefix, 'share', 'jupyter')
  if (user) return userDataFolder()
  if (sysPrefix) {
    const answer = await run('jupyter', ['--paths', '--json'], { hint: '--sys-prefix asks `jupyter --paths`; put that Jupyter on the PATH, or name its folder with --prefix DIR.' })
    const paths = JSON.parse(answer).data
    const own = userDataFolder()
    const found = paths.find(path => path !== own && !/^\/usr(\/local)?\/share/.test(path)) ?? paths[paths.length - 1]
    if (!found) throw new SetupError('`jupyter --paths` names no data folder; name one with --prefix DIR.')
    return found
  }
  return join(venv, 'share', 'jupyter')
}

/** Where Jupyter keeps a user's kernelspecs (jupyter_core: `jupyter_data_dir`). */
export function userDataFolder(env = process.env, platform = process.platform) {
  if (env.JUPYTER_DATA_DIR) return env.JUPYTER_DATA_DIR
  if (platform === 'darwin') return join(homedir(), 'Library', 'Jupyter')
  if (platform === 'win32') return join(env.APPDATA ?? join(homedir(), 'AppData', 'Roaming'), 'jupyter')
  return join(env.XDG_DATA_HOME ?? join(homedir(), '.local', 'share'), 'jupyter')
}

/** Writes the kernelspec into `share`, whole or not at all. Returns its folder. */
export function register(share) {
  const folder = join(share, 'kernels', 'graft')
  const next = `${folder}.${process.pid}.tmp`
  try {
    mkdirSync(next, { recursive: true })
    writeFileSync(join(next, 'kernel.json'), JSON.stringify(kernelJson(share), null, 2))
    cpSync(join(root, 'kernel', 'logo'), next, { recursive: true })
    rmSync(folder, { recursive: true, force: true })
    renameSync(next, folder)
  } catch (error) {
    rmSync(next, { recursive: true, force: true })
    throw new SetupError(`could not register the kernel in ${folder}: ${error.message}\nName a folder you may write to: --prefix DIR, or --user.`)
  }
  return folder
}

/** Removes our kernelspec from `share`; leaves another clone's alone. Returns true if one was removed. */
export function unregister(share) {
  const folder = join(share, 'kernels', 'graft')
  const file = join(folder, 'kernel.json')
  if (!existsSync(file) || !readFileSync(file, 'utf8').includes(JSON.stringify(join(root, 'kernel')).slice(1, -1))) return false
  rmSync(folder, { recursive: true, force: true })
  return true
}

