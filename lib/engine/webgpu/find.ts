import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..')

type Places = [from: string, folder: string][]

const ordinary: Places = [
  ['node install.js --engine webgpu', join(root, '.graft', 'webgpu')], ['the project\'s packages', join(root, '..', '..', '..')],
]

/** The two npm packages of this engine, found somewhere. */
export interface Packages {
  /** The module of `webgpu`, as a URL: Dawn, Chromium's implementation of WebGPU, for Node. */
  dawn: string
  /** The module of `@tensorflow/tfjs-backend-webgpu`. */
  backend: string
  version: string
  /** Why it was looked for there. */
  from: string
}

type Environment = Record<string, string | undefined>

/**
 * Looks for the packages `webgpu` and `@tensorflow/tfjs-backend-webgpu` in `GRAFT_WEBGPU`, a folder that has them in its
 * `node_modules`; where `node install.js --engine webgpu` puts them; and among the packages of the project that this library is a
 * package of. Nothing is loaded.
 *
 * @returns the packages, or a sentence that says why there are none
 */
export function findWebGPU(
  env: Environment = process.env, places = ordinary, system = `${process.platform}-${process.arch}`,
): Packages | string {
  const wish = env.GRAFT_WEBGPU, all: Places = wish ? [['GRAFT_WEBGPU', wish]] : places
  for (const [from, folder] of all) {
    const modules = join(folder, 'node_modules'), dawn = join(modules, 'webgpu')
    const backend = join(modules, '@tensorflow', 'tfjs-backend-webgpu')
    if (![dawn, backend].every(path => existsSync(path))) continue
    const binary = join(dawn, 'dist', system.startsWith('darwin') ? 'darwin-universal' : system, 'dawn.node')
    if (!existsSync(binary)) return `the package webgpu brings nothing for ${system}`
    const { version } = JSON.parse(readFileSync(join(dawn, 'package.json'), 'utf8')) as { version: string }
    const module = pathToFileURL(join(dawn, 'index.js')).href
    return { dawn: module, backend: join(backend, 'dist', 'tf-backend-webgpu.node.js'), version, from }
  }
  return wish ? `GRAFT_WEBGPU: no webgpu in ${wish}; expected a folder with node_modules that hold webgpu and `
    + '@tensorflow/tfjs-backend-webgpu' : notInstalled
}

/** The reason where nobody asked for this engine. */
export const notInstalled = 'WebGPU is not installed'

/** Whether the machine looks as if it had a graphics card that WebGPU could use. */
export function mayHaveCard(platform = process.platform, machine = '/'): boolean {
  if (platform !== 'linux') return platform === 'darwin' || platform === 'win32'
  const folder = join(machine, 'dev', 'dri'), nodes = existsSync(folder) ? readdirSync(folder) : []
  return nodes.some(name => name.startsWith('renderD')) || ['nvidiactl', 'dxg'].some(name => existsSync(join(machine, 'dev', name)))
}
