import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { stateFolder } from './place.js'
import { SetupError } from './say.js'

/** Where a copy for a room without network keeps what set-up would download: Python wheels, models of TensorFlow Hub. */
export const bundleFile = join(stateFolder, 'bundle.json')
export const wheels = join(stateFolder, 'wheels')
export const hubFolder = join(stateFolder, 'hub')

/** What this copy is if `--bundle` made it: `{ platform, arch, pythons }`; else null. */
export const bundle = () => existsSync(bundleFile) ? JSON.parse(readFileSync(bundleFile, 'utf8')) : null

/** Refuses a machine that the bundle was not made for. */
export function checkBundle({ platform, arch, pythons }, python) {
  if (platform !== process.platform || arch !== process.arch)
    throw new SetupError(`This folder was bundled for ${platform}-${arch}; this machine is ${process.platform}-${process.arch}. Make a bundle on such a machine.`)
  const minor = python?.split('.').slice(0, 2).join('.')
  if (minor && !pythons.includes(minor))
    throw new SetupError(`This folder was bundled for Python ${pythons.join(', ')}; found ${python}. GRAFT_SETUP_PYTHON names another, or leave JupyterLab out: --no-jupyter.`)
}
