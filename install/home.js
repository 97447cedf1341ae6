import { existsSync, mkdtempSync, rmdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { stateFolder } from './place.js'

/** Whether a folder, or the nearest one above it that is there, may be written. */
export function mayWrite(folder) {
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder)
  try {
    // What a file system allows is known only when it is tried: rights say nothing of quotas, and root has all.
    rmdirSync(mkdtempSync(join(folder, '.graft-')))
    return true
  } catch {
    return false
  }
}

/** Whether this user's home folder may be written. */
export const homeIsWritable = () => mayWrite(homedir())

/**
 * The environment for npm, pip and Jupyter: the user's own, so that proxies and private registries hold, less what would send pip
 * elsewhere than into `.venv`. Where the home folder may only be read, what they keep there goes into `.graft/home`.
 */
export function ownEnvironment(env = process.env, writable = homeIsWritable()) {
  const { PIP_TARGET, PIP_PREFIX, PIP_ROOT, PYTHONHOME, PYTHONPATH, ...own } = env
  Object.assign(own, { PIP_USER: '0', PIP_REQUIRE_VIRTUALENV: '0', PIP_DISABLE_PIP_VERSION_CHECK: '1', PIP_NO_INPUT: '1', PYTHONNOUSERSITE: '1' })
  if (writable) return own
  const home = join(stateFolder, 'home')
  return {
    npm_config_cache: join(home, 'npm'), PIP_CACHE_DIR: join(home, 'pip'),
    JUPYTER_CONFIG_DIR: join(home, 'jupyter'), JUPYTER_DATA_DIR: join(home, 'jupyter-data'), JUPYTER_RUNTIME_DIR: join(home, 'jupyter-runtime'), IPYTHONDIR: join(home, 'ipython'),
    XDG_CACHE_HOME: join(home, 'cache'), XDG_STATE_HOME: join(home, 'state'),
    ...own,
  }
}
