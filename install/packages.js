import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ownEnvironment } from './home.js'
import { fingerprint, logFile, noteState, readState, root } from './place.js'
import { systemOf } from './platforms.js'
import { prune } from './prune.js'
import { registryHint } from './registry.js'
import { run } from './say.js'

/** npm as a command: the one that runs this script, the one beside this Node, or the one on the PATH. */
export function npmCommand() {
  if (/npm-cli\.js$/.test(process.env.npm_execpath ?? '')) return [process.execPath, process.env.npm_execpath]
  const { npm, npmBesideNode } = systemOf(), beside = join(dirname(process.execPath), npmBesideNode)
  return existsSync(beside) ? [process.execPath, beside] : [npm]
}

/** What `node_modules` is made of: it is made anew when that changes. */
export const packagesMark = (dev, folder = root) =>
  fingerprint([join(folder, 'package-lock.json')], process.platform, process.arch, ...dev ? ['with dev'] : [])

/** Whether the packages are there as the lock file wants them. */
export function packagesAreThere({ dev = false } = {}) {
  const present = existsSync(join(root, 'node_modules', 'zeromq')) ? readState().packages : undefined
  return present !== undefined && (present === packagesMark(true) || (present === packagesMark(false) && !dev))
}

/**
 * Installs the npm packages exactly as the lock file says, with install scripts off, and removes what this machine never loads.
 * `dev` adds what only the tests need. Returns a word for the step's line.
 */
export async function installPackages({ dev = false } = {}) {
  // Whoever has run the tests here keeps what they need.
  dev ||= existsSync(join(root, 'node_modules', 'playwright-core'))
  if (packagesAreThere({ dev })) return 'already there'
  noteState('packages', undefined)
  const freed = await installPackagesInto(root, dev)
  noteState('packages', packagesMark(dev))
  return `${dev ? 'with those for tests, ' : ''}${Math.round(freed / 1e6)} MB that this machine never loads removed`
}

/** The same for any folder that holds package.json and its lock file. Returns the bytes freed. */
export async function installPackagesInto(folder, dev) {
  const [npm, ...first] = npmCommand()
  await run(npm, [...first, 'ci', '--ignore-scripts', '--no-audit', '--no-fund', dev ? '--include=dev' : '--omit=dev'],
    { cwd: folder, log: logFile, hint: registryHint, env: ownEnvironment() })
  return prune(folder)
}
