import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ownEnvironment } from './home.js'
import { npmCommand } from './packages.js'
import { logFile, stateFolder } from './place.js'
import { prune, sizeOf } from './prune.js'
import { registryHint } from './registry.js'
import { run, SetupError } from './say.js'

/** The packages that compute on a graphics card, in the versions that are tested: those of package.json's devDependencies. */
export const packages = { webgpu: '0.6.2', '@tensorflow/tfjs-backend-webgpu': '4.22.0' }

/** Where they go: lib/engine/webgpu/find.ts looks there. */
const folderOfItsOwn = join(stateFolder, 'webgpu')

const inside = (folder, name) => join(folder, 'node_modules', name)

/** Whether they are there, in these versions. */
export function webgpuIsThere(folder = folderOfItsOwn) {
  return Object.entries(packages).every(([name, version]) => {
    const manifest = join(inside(folder, name), 'package.json')
    return existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).version === version
  })
}

/**
 * Brings the two packages, with install scripts off, without what they ask for (TensorFlow.js itself is there; the rest serves to
 * build them), and removes other machines' binaries. `folder` and `npm` are others in tests. Returns a word for the step's line.
 */
export async function installWebGPU(folder = folderOfItsOwn, npm = npmInto) {
  if (webgpuIsThere(folder)) return 'already there'
  const fresh = `${folder}.new`
  rmSync(fresh, { recursive: true, force: true })
  mkdirSync(fresh, { recursive: true })
  writeFileSync(join(fresh, 'package.json'), JSON.stringify({ private: true, dependencies: packages }))
  await npm(fresh)
  if (!webgpuIsThere(fresh)) throw new SetupError(`npm brought no ${Object.keys(packages).join(' and ')}: see ${logFile}.`)
  keepOnly(join(fresh, 'node_modules'), ['webgpu', '@tensorflow'])
  keepOnly(inside(fresh, '@tensorflow'), ['tfjs-backend-webgpu'])
  prune(fresh)
  rmSync(folder, { recursive: true, force: true })
  renameSync(fresh, folder)
  return `webgpu ${packages.webgpu}, ${Math.round(sizeOf(folder) / 1e6)} MB`
}

function keepOnly(folder, names) {
  for (const name of readdirSync(folder)) if (!names.includes(name)) rmSync(join(folder, name), { recursive: true })
}

async function npmInto(folder) {
  const [npm, ...first] = npmCommand()
  await run(npm, [...first, 'install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock', '--legacy-peer-deps'],
    { cwd: folder, log: logFile, hint: registryHint, env: ownEnvironment() })
}
