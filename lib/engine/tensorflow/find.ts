import { existsSync, readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Versions of TensorFlow that this engine is tested with. */
export const tested = ['2.21']

/** A TensorFlow wheel, unpacked somewhere. */
export interface Wheel {
  /** The `tensorflow` folder of a site-packages folder. */
  folder: string
  version: string
  /** The two shared libraries. */
  framework: string
  main: string
  /** Why it was looked for there. */
  from: string
}

const suffix = process.platform === 'darwin' ? '.2.dylib' : '.so.2'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..')

/** Where `node install.js --engine tensorflow` puts the wheel. */
export const ownFolder = join(root, '.graft', 'tensorflow')

type Environment = Record<string, string | undefined>

/**
 * Looks for TensorFlow's shared libraries, as its PyPI wheels (`tensorflow`, `tensorflow-cpu`) bring them: in `GRAFT_TENSORFLOW`
 * (a virtual environment, a site-packages folder or the `tensorflow` folder itself), the active virtual environment, the
 * project's `.venv`, and what `node install.js --engine tensorflow` made. No Python is run.
 *
 * @returns the wheel, or a sentence that says why there is none
 */
export function findTensorFlow(env: Environment = process.env, places = placesFrom(env)): Wheel | string {
  if (process.platform === 'win32') return 'on Windows the TensorFlow wheel does not offer its C functions'
  for (const [from, place] of places) {
    const wheel = wheelIn(place, from)
    if (wheel && tested.some(version => wheel.version.startsWith(`${version}.`))) return wheel
    if (wheel) return `TensorFlow ${wheel.version || 'of an unknown version'} in ${wheel.folder} is not tested here, only ${tested.join(' and ')} is`
    if (from === 'GRAFT_TENSORFLOW') {
      return `GRAFT_TENSORFLOW: no TensorFlow in ${place}; expected a virtual environment or site-packages folder that holds one`
    }
  }
  return 'TensorFlow is not installed'
}

function placesFrom(env: Environment): [from: string, place: string][] {
  const own: [string, string][] = [['the project\'s .venv', join(root, '.venv')], ['node install.js --engine tensorflow', ownFolder]]
  return [['GRAFT_TENSORFLOW', env.GRAFT_TENSORFLOW], ['the active virtual environment', env.VIRTUAL_ENV], ...own]
    .filter((entry): entry is [string, string] => Boolean(entry[1]))
}

function wheelIn(place: string, from: string): Wheel | undefined {
  const pythons = existsSync(join(place, 'lib')) ? readdirSync(join(place, 'lib')).filter(name => name.startsWith('python')) : []
  const folders = [place, join(place, 'tensorflow'), ...pythons.map(name => join(place, 'lib', name, 'site-packages', 'tensorflow'))]
  for (const folder of folders) {
    const framework = join(folder, `libtensorflow_framework${suffix}`), main = join(folder, `libtensorflow_cc${suffix}`)
    if (existsSync(framework) && existsSync(main)) return { folder, framework, main, from, version: versionOf(folder) }
  }
}

/** The wheel's version stands in the name of the folder beside it that describes it. */
function versionOf(folder: string): string {
  const beside = dirname(folder)
  const names = existsSync(beside) && basename(folder) === 'tensorflow' ? readdirSync(beside) : []
  return names.map(name => /^tensorflow(?:_cpu|_gpu|_intel)?-(\d+\.\d+\.\d+.*)\.dist-info$/.exec(name)?.[1]).find(Boolean) ?? ''
}
