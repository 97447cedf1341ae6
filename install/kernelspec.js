import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { hubFolder } from './bundled.js'
import { kernelNode } from './node.js'
import { putTranslator } from './papermill.js'
import { noteState, readState, root, stateFolder, venv } from './place.js'
import { run, SetupError } from './say.js'

/** The kernelspec (Jupyter: "Kernel specs"): how a Jupyter starts Graft. All paths are absolute. */
export const kernelJson = share => ({
  argv: [kernelNode(), join(root, 'kernel', 'main.js'), '{connection_file}'],
  display_name: 'TypeScript (Graft)',
  language: 'typescript',
  interrupt_mode: 'message',
  env: {
    NODE_COMPILE_CACHE: join(stateFolder, 'compile-cache'),
    // With anywidget beside it the training plot has buttons; a front end without it would show an error in their place.
    ...hasWidgets(share) && { GRAFT_WIDGETS: '1' },
    // Models that a bundle brought.
    ...existsSync(hubFolder) && { TFHUB_CACHE_DIR: hubFolder },
  },
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
  if (prefix) return join(resolve(prefix), 'share', 'jupyter')
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

const folderIn = share => join(share, 'kernels', 'graft')

/** The data folders that kernelspecs of this clone may lie in: this user's, .venv's, and those it was registered in. */
export const registeredIn = () => [...new Set([userDataFolder(), join(venv, 'share', 'jupyter'), ...readState().registered ?? []])]

/** Where the kernelspec in `share` leads: `{ node, main }`, or null where there is none. */
export function leadsTo(share) {
  const file = join(folderIn(share), 'kernel.json')
  if (!existsSync(file)) return null
  const [node, main] = JSON.parse(readFileSync(file, 'utf8')).argv
  return { node, main }
}

/** Writes the kernelspec into `share`, whole or not at all, and papermill's part where that Python has papermill. Returns its folder. */
export function register(share) {
  const folder = folderIn(share)
  const next = `${folder}.${process.pid}.tmp`
  try {
    mkdirSync(next, { recursive: true })
    writeFileSync(join(next, 'kernel.json'), JSON.stringify(kernelJson(share), null, 2))
    cpSync(join(root, 'kernel', 'logo'), next, { recursive: true })
    rmSync(folder, { recursive: true, force: true })
    renameSync(next, folder)
    putTranslator(dirname(dirname(share)), { onlyBeside: true })
  } catch (error) {
    rmSync(next, { recursive: true, force: true })
    throw new SetupError(`could not register the kernel in ${folder}: ${error.message}\nName a folder you may write to: --prefix DIR, or --user.`)
  }
  // A clone that may only be read is registered by many, and keeps no list of them.
  try { noteState('registered', [...new Set([...registeredIn().filter(leadsTo), share])]) } catch {}
  return folder
}

/** Removes our kernelspec from `share`; leaves another clone's alone. Returns true if one was removed. */
export function unregister(share) {
  if (leadsTo(share)?.main !== join(root, 'kernel', 'main.js')) return false
  rmSync(folderIn(share), { recursive: true, force: true })
  return true
}
