import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { ownEnvironment } from './home.js'
import { npmCommand } from './packages.js'
import { logFile, stateFolder } from './place.js'
import { machineOf, systemOf } from './platforms.js'
import { registryHint } from './registry.js'
import { run, SetupError } from './say.js'

/** Node from this version on runs TypeScript sources as they are. */
export const leastNode = [22, 18]

/** True where `version` (`'22.17.0'`) runs TypeScript as it is. */
export function isNewEnough(version) {
  const [major, minor] = version.split('.').map(Number)
  return major > leastNode[0] || (major === leastNode[0] && minor >= leastNode[1])
}

const nodeIn = folder => join(folder, 'node', systemOf().node)
const ownNode = nodeIn(stateFolder)

/** The Node that runs the kernel: the running one where it is new enough, else the project's own. */
export const kernelNode = () => isNewEnough(process.versions.node) ? process.execPath : ownNode

/** Refuses a machine for which there is no Node that is new enough. */
export function checkNode(version = process.versions.node, platform = process.platform, arch = process.arch) {
  if (isNewEnough(version) || machineOf(platform, arch)) return
  throw new SetupError(`Graft needs Node ≥ ${leastNode.join('.')}; this is ${version}, and npm has no Node for ${platform}-${arch}. Unpack one from nodejs.org in your home folder, and run the same command with it.`)
}

/** Whether set-up has to bring a Node. */
export const nodeIsMissing = () => !isNewEnough(process.versions.node) && !existsSync(ownNode)

/** Brings an exact Node 24.x from npm where the running one is too old. Returns a word for the step's line. */
export async function bringNode() {
  if (isNewEnough(process.versions.node)) return `${process.execPath === ownNode ? 'its own' : 'the system\'s'} ${process.versions.node}`
  checkNode()
  const [, version] = machineOf().node
  if (existsSync(ownNode) && (await run(ownNode, ['--version']).catch(() => '')).trim() === `v${version}`) return `${version}, already there`
  await fetchNode(stateFolder)
  return `${version}, beside the system's ${process.versions.node}`
}

/** Puts this machine's Node into `folder`/node, its checksum compared. */
export async function fetchNode(folder) {
  const [name, version, checksum] = machineOf().node
  const fetched = join(folder, 'node-package'), env = ownEnvironment()
  rmSync(fetched, { recursive: true, force: true })
  mkdirSync(fetched, { recursive: true })
  const [npm, ...first] = npmCommand()
  const shown = await run(npm, [...first, 'view', `${name}@${version}`, 'dist.integrity'], { log: logFile, hint: registryHint, env })
  if (!shown.includes(checksum)) {
    throw new SetupError(`the registry's ${name}@${version} has another checksum than expected.\n  expected ${checksum}\n  received ${shown.trim()}\n` +
      'Use a registry that mirrors npm unchanged, or install Node 24 yourself.')
  }
  await run(npm, [...first, 'install', '--ignore-scripts', '--no-save', '--no-package-lock', '--no-audit', '--no-fund', '--prefix', fetched, `${name}@${version}`],
    { log: logFile, hint: registryHint, cwd: fetched, env })
  mkdirSync(join(nodeIn(folder), '..'), { recursive: true })
  cpSync(join(fetched, 'node_modules', name, systemOf().node), nodeIn(folder))
  rmSync(fetched, { recursive: true, force: true })
}
