import { statfsSync } from 'node:fs'
import { homedir } from 'node:os'
import { bundle, checkBundle } from './bundled.js'
import { engines } from './engine.js'
import { homeIsWritable, mayWrite, ownEnvironment } from './home.js'
import { checkNode, nodeIsMissing } from './node.js'
import { npmCommand, packagesAreThere } from './packages.js'
import { root } from './place.js'
import { findPython, venvIsThere } from './python.js'
import { registryHint, withoutSecrets } from './registry.js'
import { run, SetupError } from './say.js'

/** What set-up brings, in MB: to download, to stay on disk, and on disk for a moment. */
const sizes = {
  node: { title: 'Node', download: 45, disk: 120, moment: 240 },
  packages: { title: 'npm packages', download: 170, disk: 170, moment: 770 },
  venv: { title: 'JupyterLab', download: 60, disk: 200, moment: 230 },
  tensorflow: { title: 'TensorFlow', download: 260, disk: 900, moment: 4000 },
  webgpu: { title: 'WebGPU', download: 55, disk: 25, moment: 180 },
}

/** What of `wanted` (`{ jupyter, engine, dev }`) is not there yet, as names of `sizes`. */
export function missing({ jupyter, engine, dev }) {
  const parts = { node: nodeIsMissing(), packages: !packagesAreThere({ dev }), venv: jupyter && !venvIsThere(), ...engine && { [engine]: !engines[engine].isThere() } }
  return Object.keys(parts).filter(name => parts[name])
}

/** One line about what will be downloaded, and what it takes on disk. */
export function sizesOf(parts) {
  const sum = what => parts.reduce((all, name) => all + sizes[name][what], 0)
  const disk = `${(sum('disk') / 1000).toFixed(1)} GB on disk (${(momentOf(parts) / 1000).toFixed(1)} GB for a moment)`
  if (bundle()) return `from this bundle, nothing to download; ${disk}`
  return `${parts.map(name => `${sizes[name].title} ≈ ${sizes[name].download} MB`).join(', ')} to download; ${disk}`
}

/** Parts come one after the other: all stay, and one of them needs more while it is unpacked. */
const momentOf = parts => parts.reduce((all, name) => all + sizes[name].disk, 0) + Math.max(0, ...parts.map(name => sizes[name].moment - sizes[name].disk))

/** Looks at the disk for what `parts` take. Returns a word on it. */
export function checkDisk(parts = []) {
  const { bavail, bsize } = statfsSync(root), free = bavail * bsize / 1e6, least = Math.max(momentOf(parts), 500)
  const gigabytes = megabytes => `${(megabytes / 1000).toFixed(1)} GB`
  if (free < least)
    throw new SetupError(`${gigabytes(free)} are free on the disk of ${root}; ${parts.length ? `set-up needs ${gigabytes(least)} for a moment` : 'models and notebooks want 0.5 GB'}. Free some, or clone to another disk.`)
  return `${gigabytes(free)} free`
}

/** Looks whether set-up may write where it has to. */
export function checkFolder() {
  if (!mayWrite(root)) throw new SetupError(`${root} may not be written. Clone it to a folder of your own, or have its owner run node install.js; then node install.js --user registers the kernel for you.`)
  return root
}

/** Says where what is kept in the home folder goes. */
export function checkHome() {
  return homeIsWritable() ? homedir() : `${homedir()} may only be read; what npm, pip, Jupyter and the kernel keep goes to .graft/home`
}

/** Looks whether npm is there. */
export async function checkNpm() {
  const [npm, ...first] = npmCommand()
  const version = await run(npm, [...first, '--version'], { env: ownEnvironment() }).catch(() => {
    throw new SetupError(`npm does not start, and this Node (${process.execPath}) has none beside it. Without root: unpack Node from nodejs.org in your home folder, it brings npm. With root: apt install npm.`)
  })
  return version.trim().split('\n').pop()
}

/** Asks npm's registry for one number, through the user's own proxies and settings. */
export async function checkRegistry() {
  const [npm, ...first] = npmCommand(), env = ownEnvironment()
  const address = (await run(npm, [...first, 'config', 'get', 'registry'], { cwd: root, env })).trim().split('\n').pop()
  const proxy = process.env.HTTPS_PROXY ?? process.env.https_proxy ?? process.env.npm_config_https_proxy
  const where = `${withoutSecrets(address)}${proxy ? ` through ${withoutSecrets(proxy)}` : ''}`
  await run(npm, [...first, 'view', 'zeromq', 'version', '--fetch-retries=0', '--fetch-timeout=20000'], { cwd: root, env, hint: registryHint })
    .catch(error => { throw new SetupError(`npm's registry does not answer: ${where}\n${error.message.split('\n').slice(-2).join('\n')}`) })
  return where
}

/** Finds the Python that JupyterLab gets. */
export async function checkPython() {
  const { version, ensurepip, managed } = await findPython()
  if (bundle()) checkBundle(bundle(), version)
  return `${version}${ensurepip ? '' : ', without ensurepip: pip is brought'}${managed ? '; its own packages are the system\'s, .venv keeps apart' : ''}`
}

/**
 * Looks, before anything is downloaded, whether set-up can succeed; all that stands in its way is told at once. Returns a word.
 * @throws SetupError
 */
export async function checkAll(parts) {
  const looks = [checkNode, checkFolder, () => checkDisk(parts)]
  if (parts.includes('venv')) looks.push(checkPython)
  if (bundle()) looks.push(() => checkBundle(bundle()))
  else looks.push(checkNpm, checkRegistry)
  const troubles = []
  for (const look of looks) {
    // Without npm there is no asking its registry.
    if (look === checkRegistry && troubles.some(text => text.startsWith('npm does not start'))) continue
    try {
      await look()
    } catch (error) {
      if (!(error instanceof SetupError)) throw error
      troubles.push(error.message)
    }
  }
  if (!troubles.length) return 'ready'
  throw new SetupError(`Nothing was downloaded: ${troubles.length === 1 ? 'one thing stands' : `${troubles.length} things stand`} in the way.\n\n${troubles.map(text => `- ${text}`).join('\n\n')}`)
}
